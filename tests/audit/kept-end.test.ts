import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  linkSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import fsp from 'node:fs/promises';
import { join } from 'node:path';
import { type AppendOptions, appendEntries } from '../../audit/append';
import { chain, EMPTY } from '../../audit/chain';
import { CorruptLog, ForkedLog, LogGap, UnwritableLog } from '../../audit/errors';
import { logPaths } from '../../audit/log-files';
import { repairFromHistory } from '../../audit/repair';
import { acquireLock } from '../../store/lock';
import { compileRooms, REPOSITORY } from '../activities/files/support/compiled';
import { historyOf, ID, Logs, projection, rewritten, textOf } from './support/logs';

jest.setTimeout(120_000);

/** One entry an event: so a mirror sends the last one again, and what is new. */
const all = projection(60).map((entry, index) => ({ ...entry, run: 'r', eventId: index + 1 }));
const text = (count: number): string =>
  textOf(chain(EMPTY, ID.log, all.slice(0, count)).lines.map(({ bytes }) => bytes.toString('utf8')));

let logs: Logs;
beforeEach(() => {
  logs = new Logs();
});
afterEach(() => {
  jest.restoreAllMocks();
  logs.remove();
});

/** Brings the log up to so many entries, as a mirror does: from the last one that it has. */
function upTo(count: number, from = Math.max(0, count - 2), options?: AppendOptions) {
  return appendEntries(logs.layout, ID, all.slice(from, count), options);
}

/** Appends a few, so that the log's end is kept. */
async function begun(): Promise<string> {
  for (let count = 1; count <= 10; count += 1) await upTo(count);
  return logs.file('000001.jsonl');
}

const given = async (): Promise<void> =>
  (await acquireLock(logPaths(logs.layout, ID.plan).lock, { timeoutMs: 10_000 })).release();

/** Segments that this process has open, by the names that they have or had. */
function openSegments(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const name = readlinkSync(`/proc/self/fd/${fd}`);
      return name.startsWith(logs.root) && name.includes('.jsonl') ? [name] : [];
    } catch {
      return [];
    }
  });
}

describe('appends one after the other', () => {
  it('open the segment once for each holding of the lock, and give the same log', async () => {
    const open = jest.spyOn(fsp, 'open');
    for (let count = 1; count <= 60; count += 1) expect((await upTo(count)).appended).toBe(1);
    expect(open.mock.calls.filter(([path]) => String(path).endsWith('.jsonl')).length).toBeLessThan(40);
    expect(logs.bytes().toString('utf8')).toBe(text(60));
  });

  (process.platform === 'linux' ? it : it.skip)('leave nothing open when the lock is given back', async () => {
    const path = await begun();
    const kept = openSegments();
    expect(kept.length === 0 || kept[0] === path).toBe(true);
    await given();
    expect(openSegments()).toEqual([]);
  });

  it('go over to new segments, each within its size', async () => {
    for (let count = 1; count <= 60; count += 1) await upTo(count, undefined, { segmentBytes: 3_000 });
    expect(logs.segments().length).toBeGreaterThan(5);
    for (const name of logs.segments()) expect(readFileSync(logs.file(name)).length).toBeLessThanOrEqual(3_000);
    expect(logs.bytes().toString('utf8')).toBe(text(60));
  });

  it('take what is there for what it is: again, an older batch, a gap, a fork, an event of which a part is there', async () => {
    await begun();
    expect((await upTo(10)).appended).toBe(0);
    expect((await upTo(7, 3)).appended).toBe(0);
    expect((await upTo(11, 0)).appended).toBe(1);
    await expect(upTo(14, 12)).rejects.toThrow(LogGap);
    expect((await upTo(12)).appended).toBe(1);
    const other = all.map((entry, index) => (index === 11 ? { ...entry, data: { path: 'other' } } : entry));
    await expect(appendEntries(logs.layout, ID, other.slice(11, 13))).rejects.toThrow(ForkedLog);
    await upTo(13);
    const wider = all.map((entry, index) => (index === 13 ? { ...entry, eventId: 13 } : entry));
    expect((await appendEntries(logs.layout, ID, wider.slice(12, 14))).appended).toBe(1);
    await expect(upTo(13)).rejects.toThrow(ForkedLog);
    const part = [...wider.slice(13, 14), ...all.slice(14, 15)];
    await expect(appendEntries(logs.layout, ID, part)).rejects.toThrow(ForkedLog);
    expect((await appendEntries(logs.layout, ID, [...wider.slice(12, 14), ...all.slice(14, 15)])).appended).toBe(1);
    expect(logs.lines()).toHaveLength(15);
  });

  it('are undone whole where the disk refuses, and the next one is as if nothing had been', async () => {
    await begun();
    const handle = await fsp.open(__filename);
    const refused = jest.spyOn(Object.getPrototypeOf(handle), 'datasync');
    await handle.close();
    refused.mockRejectedValueOnce(Object.assign(new Error('EIO: injected'), { code: 'EIO' }));
    await expect(upTo(11)).rejects.toThrow(UnwritableLog);
    expect(logs.bytes().toString('utf8')).toBe(text(10));
    expect((await upTo(11)).appended).toBe(1);
    expect(logs.bytes().toString('utf8')).toBe(text(11));
  });
});

describe('what somebody does to the log between two appends of a process', () => {
  const evil = (bytes: Buffer): string => bytes.toString('utf8').replace('deploy/9.yml', 'deploy/8.yml');
  it.each<[string, (path: string) => void]>([
    ['its last line changed in place', (path) => writeFileSync(path, evil(readFileSync(path)), { flag: 'r+' })],
    ['a line more', (path) => writeFileSync(path, 'x\n', { flag: 'a' })],
    [
      'a file with another last line in its place',
      (path) => {
        writeFileSync(`${path}.new`, evil(readFileSync(path)));
        renameSync(`${path}.new`, path);
      },
    ],
    ['a second name', (path) => linkSync(path, join(logs.root, 'second'))],
    [
      'a link in its place',
      (path) => {
        renameSync(path, join(logs.root, 'moved'));
        symlinkSync(join(logs.root, 'moved'), path);
      },
    ],
    [
      'a link in place of its folder',
      () => {
        renameSync(logs.folder, join(logs.root, 'folder'));
        symlinkSync(join(logs.root, 'folder'), logs.folder);
      },
    ],
    ['a segment of something else behind it', () => logs.put('x\n', '000002.jsonl')],
  ])('%s: it is not appended to', async (_, change) => {
    change(await begun());
    const before = logs.bytes();
    await expect(upTo(12, 9)).rejects.toThrow(CorruptLog);
    expect(logs.bytes()).toEqual(before);
  });

  it.each<[string, (path: string) => void]>([
    [
      'a copy in its place',
      (path) => {
        copyFileSync(path, `${path}.new`);
        renameSync(`${path}.new`, path);
      },
    ],
    ['half a line more, which is cut', (path) => writeFileSync(path, '{"body":{"ac', { flag: 'a' })],
    ['cut after a line', (path) => truncateSync(path, Buffer.byteLength(text(6)))],
    ['cut within a line', (path) => truncateSync(path, Buffer.byteLength(text(6)) + 20)],
    ['removed', (path) => unlinkSync(path)],
    ['removed with its folder', () => rmSync(logs.folder, { recursive: true })],
    ['an empty segment behind it', () => logs.put('', '000002.jsonl')],
  ])('%s: the file that has the name then gets what it lacks', async (_, change) => {
    change(await begun());
    await upTo(12, 0);
    expect(logs.bytes().toString('utf8')).toBe(text(12));
    await upTo(13);
    expect(logs.bytes().toString('utf8')).toBe(text(13));
  });

  it('a cut log has a gap, and no end in memory hides it', async () => {
    truncateSync(await begun(), Buffer.byteLength(text(6)));
    await expect(upTo(12, 9)).rejects.toThrow(LogGap);
    expect(logs.bytes().toString('utf8')).toBe(text(6));
  });

  it('a repair within the same holding of the lock puts another file there, and that one is appended to', async () => {
    await begun();
    logs.put(textOf(rewritten(all.slice(0, 10), 3)));
    const actor = { kind: 'user', id: 'ana', auth: 'claimed' } as const;
    const options = { actor, at: '2026-11-21T12:00:00.000Z', state: null };
    await repairFromHistory(logs.layout, ID, historyOf(all.slice(0, 10)), options);
    await upTo(12, 9);
    expect(logs.lines().slice(0, 10).join('\n')).toBe(text(10).trimEnd());
    expect(logs.lines()).toHaveLength(13);
  });
});

describe('several processes', () => {
  let compiled: string;
  beforeAll(() => {
    compiled = compileRooms(['plan', 'store', 'audit']);
  });
  afterAll(() => rmSync(compiled, { recursive: true, force: true }));

  /** A process that appends these batches, one after the other. */
  function appender(batches: [number, number][]): ChildProcess {
    const file = join(logs.root, 'job.json');
    writeFileSync(file, JSON.stringify({ root: logs.root, id: ID, entries: all, batches, options: {} }));
    const env = { PATH: process.env.PATH, NODE_PATH: join(REPOSITORY, 'node_modules') };
    return spawn(process.execPath, [join(__dirname, 'support/appender.js'), compiled, file], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  it('another one that waits gets its turn, and what it appended is gone on from', async () => {
    await begun();
    const other = appender([[9, 20]]);
    // It has to wait as long as this process keeps the lock for its next append, and no longer.
    expect(await once(other, 'close')).toEqual([0, null]);
    expect((await upTo(21, 9)).appended).toBe(1);
    expect(logs.bytes().toString('utf8')).toBe(text(21));
  });

  it('one that is killed while it keeps the end leaves nothing that is in the way', async () => {
    const other = appender([
      [0, 5],
      [4, 6],
    ]);
    const ended = once(other, 'close');
    let out = '';
    other.stdout?.on('data', (chunk) => {
      out += chunk;
      // Both are acknowledged; the lock is not given back yet.
      if (out.includes('6\n')) other.kill('SIGKILL');
    });
    await ended;
    expect((await upTo(8, 4)).appended).toBe(2);
    expect(logs.bytes().toString('utf8')).toBe(text(8));
  });
});
