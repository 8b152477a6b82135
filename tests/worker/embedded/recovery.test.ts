import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { isAlive, markOf } from '../../../worker/embedded/processes';
import { readServer, readSupervisor } from '../../../worker/embedded/records';
import { serversOn } from '../../../worker/embedded/server-process';
import { embeddedStatus } from '../../../worker/embedded/status';
import { stopEmbedded } from '../../../worker/embedded/stop';
import { until, World } from './world';

describe('the embedded server', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.make();
  });
  afterEach(() => world.end());

  /** Resolves when it is gone: a kill takes a moment, and until then a command is right to use what it finds. */
  const kill = async (pid: number | null): Promise<void> => {
    const mark = markOf(pid ?? 0);
    if (!mark) throw new Error('it does not run');
    process.kill(mark.pid, 'SIGKILL');
    await until(() => !isAlive(mark));
  };

  it('is started once by two commands at the same moment', async () => {
    const answers = await Promise.all([world.ensure(), world.ensure(), world.ensure()]);
    expect(new Set(answers.map(({ address }) => address)).size).toBe(1);
    expect(answers.filter(({ startedServer }) => startedServer)).toHaveLength(1);
    expect(serversOn(world.layout)).toHaveLength(1);
    expect(world.starts()).toHaveLength(1);
    expect(world.starts()[0]).toMatchObject({
      TEMPORAL_ADDRESS: answers[0]?.address,
      TEMPORAL_NAMESPACE: 'planwright',
    });
    const again = await world.ensure();
    expect(again).toMatchObject({ startedServer: false, startedWorker: false, restartedWorker: false });
    const operator = (...args: string[]): string =>
      execFileSync(
        world.env.PLANWRIGHT_TEMPORAL_BIN ?? '',
        ['operator', ...args, '-n', 'planwright', '--address', again.address],
        {
          encoding: 'utf8',
        },
      );
    expect(operator('namespace', 'describe')).toContain('2160h0m0s');
    expect(operator('search-attribute', 'list')).toMatch(/PlanWaitingSince\s+Datetime/);
    const { processes, running } = await embeddedStatus(world.env);
    expect(running).toBe(true);
    expect(processes.map(({ name }) => name)).toEqual(['supervisor', 'server', 'worker']);
  });

  it('comes back at the same port when the server is killed', async () => {
    const { address } = await world.ensure();
    const { server } = world.pids();
    await kill(server);
    await until(() => {
      const record = readServer(world.layout);
      return record?.ready === true && record.process?.pid !== server && isAlive(record.process);
    });
    expect(await world.ensure()).toMatchObject({ address });
    expect(serversOn(world.layout)).toHaveLength(1);
  });

  it('starts a worker again that was killed, with the environment it had', async () => {
    const env = { ...world.env, STUB_VALUE: 'kept' };
    await world.ensure({ env });
    await kill(world.pids().worker);
    await until(() => world.starts().length === 2 && world.pids().worker === world.starts()[1]?.pid);
    expect(world.starts()[1]?.STUB_VALUE).toBe('kept');
    expect(world.starts()[1]?.pid).not.toBe(world.starts()[0]?.pid);
  });

  it('leaves a worker alone that ended by its own decision', async () => {
    await world.ensure();
    process.kill(world.pids().worker ?? 0, 'SIGUSR2');
    await until(async () => (await embeddedStatus(world.env)).processes.length === 2);
    expect(await world.ensure()).toMatchObject({ startedWorker: true, startedServer: false });
    expect(world.starts()).toHaveLength(2);
  });

  it('adopts the server and the worker that a killed supervisor left, and still watches them', async () => {
    await world.ensure();
    const before = world.pids();
    await kill(before.supervisor);
    expect(await world.ensure()).toMatchObject({ startedServer: false, startedWorker: false });
    const after = world.pids();
    expect(after).toEqual({ ...before, supervisor: after.supervisor });
    expect(after.supervisor).not.toBe(before.supervisor);
    await kill(after.server);
    await kill(after.worker);
    await until(() => world.starts().length >= 2 && world.pids().server !== null && world.pids().worker !== null);
    expect(serversOn(world.layout)).toHaveLength(1);
  });

  it('adopts a server that no record tells of, so that no second one opens the database', async () => {
    const { address } = await world.ensure({ workspace: null });
    const { supervisor, server } = world.pids();
    await kill(supervisor);
    rmSync(world.layout.serverRecord);
    expect(await world.ensure({ workspace: null })).toMatchObject({ address, startedServer: false });
    expect(world.pids().server).toBe(server);
  });

  it('replaces a supervisor of another version, and keeps what it started', async () => {
    await world.ensure();
    const before = world.pids();
    const record = readSupervisor(world.layout);
    writeFileSync(world.layout.supervisorRecord, JSON.stringify({ ...record, protocol: 0 }));
    await world.ensure();
    const { supervisor, ...rest } = world.pids();
    expect(rest).toEqual({ server: before.server, worker: before.worker });
    expect(supervisor).not.toBe(before.supervisor);
  });

  it('starts everything again after all of it was killed at once', async () => {
    const { address } = await world.ensure();
    const { supervisor, server, worker } = world.pids();
    await Promise.all([supervisor, server, worker].map(kill));
    expect(await world.ensure()).toMatchObject({ address, startedServer: true, startedWorker: true });
    expect(serversOn(world.layout)).toHaveLength(1);
  });

  it('is not misled by a record whose pid belongs to another process now', async () => {
    await world.ensure();
    await stopEmbedded({ env: world.env, purge: false, note: () => undefined });
    const record = readServer(world.layout);
    const stale = { pid: process.pid, startTime: 'another life', since: new Date().toISOString() };
    writeFileSync(world.layout.serverRecord, JSON.stringify({ ...record, process: stale, ready: true }));
    writeFileSync(
      world.layout.supervisorRecord,
      JSON.stringify({ schema: 'planwright.supervisor/1', process: stale, protocol: 1 }),
    );
    expect((await embeddedStatus(world.env)).processes).toEqual([]);
    expect(await world.ensure()).toMatchObject({ startedServer: true });
  });

  it('moves to another port, and says so, when a stranger holds the remembered one', async () => {
    const { address } = await world.ensure();
    await stopEmbedded({ env: world.env, purge: false, note: () => undefined });
    const port = Number(address.split(':')[1]);
    const stranger = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => stranger.once('listening', resolve));
    try {
      const moved = await world.ensure();
      expect(moved.address).not.toBe(address);
      expect(world.notes.join('\n')).toContain(`Another program holds ${address} now`);
      expect(world.starts().at(-1)?.TEMPORAL_ADDRESS).toBe(moved.address);
    } finally {
      await new Promise((resolve) => stranger.close(resolve));
    }
  });

  it('is stopped as a whole by down, which leaves no process and with --purge no database', async () => {
    await world.ensure();
    const marks = Object.values(world.pids()).map((pid) => markOf(pid ?? 0));
    const stopped = await stopEmbedded({ env: world.env, purge: true, note: (line) => world.notes.push(line) });
    expect(stopped.map(({ name }) => name).sort()).toEqual(['server', 'supervisor', 'worker']);
    expect(stopped.every(({ killed }) => !killed)).toBe(true);
    expect(marks.map((mark) => isAlive(mark))).toEqual([false, false, false]);
    expect(existsSync(world.layout.database)).toBe(false);
    const nothing = await stopEmbedded({ env: world.env, purge: false, note: (line) => world.notes.push(line) });
    expect(nothing).toEqual([]);
    expect(world.notes.at(-1)).toBe('Nothing was running.');
  });

  it('is stopped by down also when the supervisor was killed', async () => {
    await world.ensure();
    const { supervisor, server, worker } = world.pids();
    const marks = [server, worker].map((pid) => markOf(pid ?? 0));
    await kill(supervisor);
    const stopped = await stopEmbedded({ env: world.env, purge: false, note: () => undefined });
    expect(stopped.map(({ pid }) => pid).sort()).toEqual([server, worker].sort());
    expect(marks.map((mark) => isAlive(mark))).toEqual([false, false]);
    expect(existsSync(world.layout.database)).toBe(true);
  });

  it('ends by itself when its state directory is deleted', async () => {
    await world.ensure();
    const marks = Object.values(world.pids()).map((pid) => markOf(pid ?? 0));
    rmSync(world.layout.state, { recursive: true });
    await until(() => marks.every((mark) => !isAlive(mark)));
    expect(existsSync(world.layout.state)).toBe(false);
  });

  it('gives way to a new supervisor when its state directory was deleted and made again', async () => {
    await world.ensure();
    const old = markOf(world.pids().supervisor ?? 0);
    rmSync(world.layout.state, { recursive: true });
    await world.ensure();
    await until(() => !isAlive(old));
    expect(await world.ensure({ settingsDigest: 'two' })).toMatchObject({ startedServer: false });
    expect(serversOn(world.layout)).toHaveLength(1);
  });

  it('replaces a supervisor whose socket was removed', async () => {
    await world.ensure();
    const before = world.pids();
    rmSync(world.layout.socket);
    expect(await world.ensure({ settingsDigest: 'two' })).toMatchObject({
      startedServer: false,
      restartedWorker: true,
    });
    expect(world.pids().supervisor).not.toBe(before.supervisor);
    expect(world.pids().server).toBe(before.server);
  });
});
