import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RefusedError, UnreachableError } from '../../../plan/errors';
import { VERIFIER_TOOLS } from '../../../store/verifier-tools';
import { doctor } from '../../../worker/embedded/doctor';
import { processesWith } from '../../../worker/embedded/processes';
import { until, World } from './world';

describe('ensureEmbedded', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.make();
  });
  afterEach(() => world.end());

  it('starts the worker again for other settings, with the new ones', async () => {
    await world.ensure({ env: { ...world.env, STUB_VALUE: 'old' } });
    const answer = await world.ensure({ env: { ...world.env, STUB_VALUE: 'new' }, settingsDigest: 'two' });
    expect(answer).toMatchObject({ startedServer: false, startedWorker: false, restartedWorker: true });
    expect(world.starts().map(({ STUB_VALUE }) => STUB_VALUE)).toEqual(['old', 'new']);
  });

  it('refuses other settings while a plan of the first ones runs', async () => {
    await world.ensure();
    const { worker } = world.pids();
    const other = world.ensure({ settingsDigest: 'two', canRestartWorker: async () => false });
    await expect(other).rejects.toThrow(RefusedError);
    expect(world.pids().worker).toBe(worker);
  });

  it('says why a worker does not start, and starts it when it can', async () => {
    const broken = world.ensure({ env: { ...world.env, STUB_VALUE: 'broken' } });
    await expect(broken).rejects.toThrow(/worker of .* does not start.*the stub is broken/s);
    expect(await world.ensure()).toMatchObject({ startedWorker: true });
  });

  it('says what to do when a file stands where the state directory belongs', async () => {
    const home = join(world.root, 'other');
    mkdirSync(home);
    writeFileSync(join(home, 'state'), '');
    const env = { ...world.env, PLANWRIGHT_HOME: home };
    const error: unknown = await world.ensure({ env }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UnreachableError);
    expect(String(error)).toContain('a file stands there');
    const checks = await doctor({ env, workspace: world.workspace, note: () => undefined });
    expect(checks.find(({ name }) => name === 'state directory')).toMatchObject({ ok: 'fail' });
  });

  it('says so when the database cannot be read, and leaves no server behind', async () => {
    mkdirSync(world.layout.state, { recursive: true });
    writeFileSync(world.layout.database, 'this is not a database, and long enough to be noticed as one'.repeat(100));
    await expect(world.ensure()).rejects.toThrow(/cannot read its database/);
    expect(world.pids().server).toBeNull();
  });

  it('finds everything in order where it is', async () => {
    await world.ensure();
    const checks = await doctor({ env: world.env, workspace: world.workspace, note: () => undefined });
    expect(checks.filter(({ ok }) => ok === 'fail')).toEqual([]);
    expect(checks.find(({ name }) => name === 'server')?.detail).toContain('serves at 127.0.0.1:');
  });

  it('names the tools that would check files: those that are there, and the line that installs the others', async () => {
    const folder = join(world.root, 'tools');
    mkdirSync(folder);
    writeFileSync(join(folder, 'hadolint'), '#!/bin/sh\n', { mode: 0o755 });
    const env = { ...world.env, PLANWRIGHT_VERIFIERS_PATH: folder };
    const checks = await doctor({ env, workspace: null, note: () => undefined });
    const of = (id: string) => checks.find(({ name }) => name === `verifier ${id}`);
    expect(of('hadolint')).toEqual({ name: 'verifier hadolint', ok: 'ok', detail: join(folder, 'hadolint') });
    expect(VERIFIER_TOOLS.map(({ id }) => of(id)?.ok)).not.toContain(undefined);
    for (const { id, install } of VERIFIER_TOOLS) {
      if (of(id)?.ok !== 'ok') expect(of(id)).toMatchObject({ ok: 'warn', advice: `To install it: ${install}` });
    }
  });

  it('serves a state directory whose path is too long for a socket', async () => {
    const env = { ...world.env, PLANWRIGHT_HOME: join(world.root, 'deep'.repeat(30)) };
    const long = Object.assign(Object.create(world) as World, { env });
    await world.ensure({ env });
    await long.end();
    await until(() => processesWith('deepdeep').length === 0);
  });
});
