import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layoutAt, workerRecordPath } from '../../../worker/embedded/paths';
import { isAlive, markOf, startTimeOf } from '../../../worker/embedded/processes';
import { readServer, readWorker } from '../../../worker/embedded/records';
import { refusedPort, serverTrouble } from '../../../worker/embedded/server-process';
import { WorkerKeeper } from '../../../worker/embedded/worker-keeper';
import { until } from './world';

const STUB = `
require('node:fs').appendFileSync('starts', process.env.TEMPORAL_ADDRESS + ' ' + (process.env.TEMPORAL_TLS ?? 'plain') + '\\n');
console.log('{"ready":true}');
if (process.env.STUB_VALUE === 'dies') setTimeout(() => process.exit(1), 300);
setInterval(() => {}, 1000);
`;

describe('the keeper of a worker', () => {
  let state: string;
  let keeper: WorkerKeeper;
  const spec = (env = {}) => ({
    workspaceId: 'ws-1',
    workspace: state,
    digest: 'one',
    env: { PATH: process.env.PATH ?? '', TEMPORAL_TLS: 'true', ...env },
    command: [process.execPath, join(state, 'stub.js')],
  });
  const options = { replace: false, fresh: false };
  const record = () => readWorker(workerRecordPath(layoutAt(state), 'ws-1'));
  const starts = (): string[] => readFileSync(join(state, 'starts'), 'utf8').trim().split('\n');

  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), 'planwright-keeper-'));
    mkdirSync(join(state, 'workers'));
    writeFileSync(join(state, 'stub.js'), STUB);
    keeper = new WorkerKeeper(
      layoutAt(state),
      () => undefined,
      () => true,
      null,
    );
  });
  afterEach(async () => {
    await keeper.stop(() => undefined);
    rmSync(state, { recursive: true, force: true });
  });

  it('starts the worker again when the server was away for long or moved, not after a blink', async () => {
    const before = Date.now();
    expect(await keeper.ensure(spec(), 1111, options)).toBe('started');
    const first = record()?.process?.pid;
    await keeper.serverIsBack(2_000, 1111);
    expect(record()?.process?.pid).toBe(first);
    // The server had gone before this worker was started, which therefore waits for it already.
    await keeper.serverIsBack(Date.now() - before + 3_500, 1111);
    expect(record()?.process?.pid).toBe(first);
    const realNow = Date.now;
    const later = jest.spyOn(Date, 'now').mockImplementation(() => realNow() + 60_000);
    await keeper.serverIsBack(3_500, 1111);
    later.mockRestore();
    const second = record()?.process?.pid;
    expect(second).not.toBe(first);
    await keeper.serverIsBack(100, 2222);
    expect(record()?.process?.pid).not.toBe(second);
    // None of the command's own settings for another server reaches the worker.
    expect(starts()).toEqual(['127.0.0.1:1111 plain', '127.0.0.1:1111 plain', '127.0.0.1:2222 plain']);
  });

  it('gives up a worker that keeps dying, and leaves the reason on record', async () => {
    await keeper.ensure(spec({ STUB_VALUE: 'dies' }), 1111, options);
    await until(() => record()?.failure != null);
    expect(record()).toMatchObject({ process: null, ready: false, failure: expect.stringContaining('keeps ending') });
    expect(starts().length).toBeGreaterThan(3);
  });

  it('never stores the environment on disk', async () => {
    await keeper.ensure(spec({ OPENAI_API_KEY: 'sk-canary' }), 1111, options);
    for (const path of [workerRecordPath(layoutAt(state), 'ws-1'), join(state, 'workers', 'ws-1.log')]) {
      expect(readFileSync(path, 'utf8')).not.toContain('canary');
    }
  });
});

describe('the state files', () => {
  const withServerRecord = (content: string, check: (layout: ReturnType<typeof layoutAt>) => void): void => {
    const state = mkdtempSync(join(tmpdir(), 'planwright-records-'));
    try {
      writeFileSync(join(state, 'server.json'), content);
      check(layoutAt(state));
    } finally {
      rmSync(state, { recursive: true });
    }
  };

  it.each(['', '{"schema":', 'null', '{"schema":"planwright.server/1","port":"1"}'])(
    'read a broken one as none: %s',
    (text) => {
      withServerRecord(text, (layout) => expect(readServer(layout)).toBeNull());
    },
  );

  it('refuse one of another version, naming both', () => {
    withServerRecord('{"schema":"planwright.server/9"}', (layout) =>
      expect(() => readServer(layout)).toThrow(/expected "planwright.server\/1", found "planwright.server\/9"/),
    );
  });
});

describe('a process', () => {
  it('is not mistaken for a later one with its number', () => {
    const own = markOf(process.pid);
    expect(isAlive(own)).toBe(true);
    expect(isAlive(own && { ...own, startTime: 'earlier' })).toBe(false);
    expect(startTimeOf(2 ** 22 + 1)).toBeNull();
  });
});

describe('what a server says before it ends', () => {
  const layout = layoutAt(tmpdir());
  it('is turned into the cause and what to do', () => {
    expect(refusedPort('msg="can\'t set frontend port 1: listen tcp: bind: address already in use"')).toBe('port');
    expect(refusedPort('msg="can\'t set UI port 1: listen tcp: bind: address already in use"')).toBe('uiPort');
    expect(refusedPort('all is well')).toBeNull();
    expect(serverTrouble(layout, 'error="database or disk is full (13)"').message).toContain('is full');
    expect(serverTrouble(layout, 'level=ERROR msg="it \\"broke\\""').message).toContain('Its last words: it "broke"');
  });
});
