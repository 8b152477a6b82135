import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT_CODES } from '../../../client/cli/exit-codes';
import { REGISTRY } from '../../../client/cli/registry';
import { UnreachableError } from '../../../plan/errors';
import { initWorkspace } from '../../../store/init';
import { findWorkspace } from '../../../store/layout';
import { atGate, completed } from './views';
import { FakeClient, FakePrompter, world } from './world';

describe('planwright --help', () => {
  it('ends with the exit codes of the contract, all of them and no other', async () => {
    const w = world();
    expect(await w.run('--help')).toBe(0);
    const table = w.stdout.text.slice(w.stdout.text.indexOf('Exit codes:')).trimEnd().split('\n').slice(1);
    expect(table.map((line) => line.trim().split(/ {2,}/)[0])).toEqual(['0', '1', '2', '3', '4', '5', '8', '130, 143']);
    expect(table).toHaveLength(EXIT_CODES.length);
  });

  it('is the answer where no command is given', async () => {
    const w = world();
    expect(await w.run()).toBe(0);
    expect(w.stdout.text).toContain('Usage: planwright');
  });

  it.each(REGISTRY.map(({ path }) => path))('of `%s` has examples of that command', async (path) => {
    const w = world();
    expect(await w.run(...path.split(' '), '--help')).toBe(0);
    expect(w.stdout.text).toMatch(
      new RegExp(`Examples:\\n(.*\\n)*.*planwright (-C \\S+ )?${path.replace('plan new', 'plan')}`),
    );
  });

  it('is loaded without what is heavy, and a command only when it is run', () => {
    jest.isolateModules(() => {
      require('../../../client/cli/program');
      const loaded = Object.keys(require.cache);
      expect(loaded.some((file) => file.endsWith('registry.ts'))).toBe(true);
      expect(
        loaded.filter((file) => /commands\/|@temporalio|openai|zod|ajv|yaml|node_modules\/diff/.test(file)),
      ).toEqual([]);
    });
  });
});

describe('a command line', () => {
  it('knows help as a word: alone, and before a command', async () => {
    const all = world();
    expect(await all.run('help')).toBe(0);
    expect(all.stdout.text).toContain('Exit codes:');
    const one = world();
    expect(await one.run('help', 'apply')).toBe(0);
    expect(one.stdout.text).toContain('Usage: planwright apply');
  });

  it.each([
    [['frobnicate'], 'unknown command'],
    [['applly'], 'Did you mean apply?'],
    [['apply', '--wat'], 'unknown option'],
    [['apply', '--timeout'], 'argument missing'],
    [['apply', 'a', 'b'], 'takes 1 argument'],
    [['-C', 'no-such-directory', 'status'], 'There is no directory'],
  ])('that is wrong exits 2 and says why: %j', async (argv, message) => {
    const w = world({
      client: new FakeClient(completed()),
      rooms: { findWorkspace: (dir, cwd) => findWorkspace(join(cwd, dir)) },
    });
    expect(await w.run(...argv)).toBe(2);
    expect(w.stderr.text).toContain(message);
    expect(w.stdout.text).toBe('');
  });

  it('takes the global flags before and after the command', async () => {
    for (const argv of [
      ['--json', 'approvals'],
      ['approvals', '--json'],
    ]) {
      const w = world({ client: new FakeClient(atGate()) });
      expect(await w.run(...argv)).toBe(0);
      expect(JSON.parse(w.stdout.text)).toHaveLength(1);
      expect(w.stderr.text).toBe('');
    }
  });

  it('hands address, namespace and profile to whoever connects', async () => {
    const seen: unknown[] = [];
    const client = new FakeClient(completed());
    const connect = async (options: { flags: unknown; readOnly?: boolean }) => {
      seen.push([options.flags, options.readOnly]);
      return client;
    };
    await world({ client, rooms: { connect } }).run(
      'plan',
      'show',
      '--address',
      'a:1',
      '--namespace',
      'n',
      '--profile',
      'p',
    );
    expect(seen).toEqual([[{ address: 'a:1', namespace: 'n', profile: 'p' }, true]]);
  });

  it('--quiet leaves only results', async () => {
    const w = world({ client: new FakeClient(completed()).push(completed()) });
    expect(await w.run('watch', '--quiet')).toBe(0);
    expect(w.stderr.text).toBe('');
    expect(w.stdout.text).toContain('is completed');
  });

  it.each([
    [['--no-color'], {}],
    [[], { NO_COLOR: '1' }],
    [[], { TERM: 'dumb' }],
  ])('shows no colour with %j %j', async (flags, env) => {
    const w = world({ client: new FakeClient(completed()), tty: true, env });
    await w.run('plan', 'show', ...flags);
    expect(w.stdout.text).not.toContain('\u001b');
    const coloured = world({ client: new FakeClient(completed()), tty: true });
    await coloured.run('plan', 'show');
    expect(coloured.stdout.text).toContain('\u001b[');
  });

  it('exits 4 where Temporal cannot be reached', async () => {
    const connect = async () => {
      throw new UnreachableError('The Temporal server at a:1 cannot be reached.', 'Check the address.');
    };
    const w = world({ rooms: { connect } });
    expect(await w.run('apply')).toBe(4);
    expect(w.stderr.text).toBe('✗ The Temporal server at a:1 cannot be reached.\n  Check the address.\n');
  });
});

describe('init, up, down, status and doctor', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'planwright-cli-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('init makes the workspace here, and changes nothing the second time', async () => {
    const first = world({ cwd: root, rooms: { initialise: initWorkspace } });
    expect(await first.run('init')).toBe(0);
    expect(existsSync(join(root, '.planwright', 'config.yaml'))).toBe(true);
    const again = world({ cwd: root, rooms: { initialise: initWorkspace } });
    expect(await again.run('init')).toBe(0);
    expect(again.stdout.text).toContain('is a workspace already');
  });

  it.each([
    ['purge', 0, true],
    ['', 2, false],
    ['yes', 2, false],
  ])('down --purge asks on a terminal, and %j ends with %i', async (line, code, purged) => {
    const down = jest.fn(async () => []);
    const prompter = new FakePrompter([line]);
    const w = world({ tty: true, prompter, rooms: { down } });
    expect(await w.run('down', '--purge')).toBe(code);
    expect(prompter.questions).toEqual(['Type "purge" to go on: ']);
    expect(down.mock.calls.length > 0).toBe(purged);
  });

  it.each([
    [['--yes'], true],
    [[], false],
    [['--json'], true],
  ])('down --purge asks nobody with %j, terminal: %j', async (flags, tty) => {
    const prompter = new FakePrompter([]);
    const w = world({ tty, prompter, rooms: { down: async () => [] } });
    expect(await w.run('down', '--purge', ...flags)).toBe(0);
    expect(prompter.questions).toEqual([]);
  });

  it('up and down say what they started and stopped', async () => {
    const embedded = { address: '127.0.0.1:7233', namespace: 'planwright' as const, ui: 'http://127.0.0.1:8233' };
    const started = { startedServer: true, startedWorker: true, restartedWorker: false };
    const up = world({ rooms: { up: async () => ({ ...embedded, ...started }) } });
    expect(await up.run('up')).toBe(0);
    expect(up.stdout.text).toContain('was started at 127.0.0.1:7233');
    const asked: boolean[] = [];
    const downRoom = async ({ purge }: { purge: boolean }) => {
      asked.push(purge);
      return [{ name: 'server' as const, pid: 12, killed: false }];
    };
    const down = world({ rooms: { down: downRoom } });
    expect(await down.run('down', '--purge')).toBe(0);
    expect(down.stdout.text).toContain('server (pid 12) stopped');
    expect(asked).toEqual([true]);
  });

  it('status --json names address, namespace, task queue, UI and each process', async () => {
    const process = { name: 'server' as const, pid: 12, since: '2026-01-01T00:00:00.000Z', log: 'server.log' };
    const report = {
      kind: 'embedded' as const,
      running: true,
      address: '127.0.0.1:7233',
      namespace: 'planwright' as const,
      ui: 'http://127.0.0.1:8233',
      processes: [process],
      failures: [],
    };
    const w = world({ cwd: root, rooms: { status: async () => report } });
    expect(await w.run('status', '--json')).toBe(0);
    expect(JSON.parse(w.stdout.text)).toMatchObject({
      address: '127.0.0.1:7233',
      namespace: 'planwright',
      taskQueue: expect.stringMatching(/^planwright-ws-[0-9a-f]{12}$/),
      ui: 'http://127.0.0.1:8233',
      processes: [{ pid: 12, since: '2026-01-01T00:00:00.000Z', log: 'server.log' }],
    });
  });

  it('doctor exits 1 where something is missing, with what to do', async () => {
    const doctor = async () => [
      { name: 'node', ok: 'ok' as const, detail: 'v20' },
      { name: 'disk', ok: 'fail' as const, detail: 'full', advice: 'Make room.' },
    ];
    const w = world({ cwd: root, rooms: { doctor } });
    expect(await w.run('doctor')).toBe(1);
    expect(w.stdout.text).toContain('✗ disk: full\n    Make room.');
    const healthy = world({ cwd: root, rooms: { doctor: async () => [] } });
    expect(await healthy.run('doctor')).toBe(0);
  });

  it('worker hands the workspace and the connection on, and gives back its code', async () => {
    const worker = jest.fn(async () => 7);
    expect(await world({ cwd: root, rooms: { worker } }).run('worker', '--address', 'a:1')).toBe(7);
    expect(worker).toHaveBeenCalledWith(expect.objectContaining({ flags: { address: 'a:1' } }));
  });
});
