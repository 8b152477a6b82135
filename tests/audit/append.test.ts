import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { appendEntries, lastMirrored } from '../../audit/append';
import { chain, EMPTY } from '../../audit/chain';
import { CorruptLog, ForkedLog, LogGap, UnfitEntry } from '../../audit/errors';
import { ID, Logs, projection } from './support/logs';

let logs: Logs;
beforeEach(() => {
  logs = new Logs();
});
afterEach(() => logs.remove());

const text = (count: number, seed?: number): string =>
  chain(EMPTY, ID.log, projection(count, seed))
    .lines.map(({ bytes }) => `${bytes}\n`)
    .join('');

/** Index of the first entry of the event that holds entry `index`. */
function eventOf(all: ReturnType<typeof projection>, index: number): number {
  return all.findIndex((one) => one.run === all[index]?.run && one.eventId === all[index]?.eventId);
}

describe('an append', () => {
  it('makes the log in a folder of its own, for its owner alone', async () => {
    const entries = projection(3);
    const { size, hash, appended } = await appendEntries(logs.layout, ID, entries);
    expect({ size, appended }).toEqual({ size: 3, appended: 3 });
    expect(hash).toBe(chain(EMPTY, ID.log, entries).head.hash);
    expect(statSync(logs.folder).mode & 0o777).toBe(0o700);
    expect(statSync(logs.file('000001.jsonl')).mode & 0o777).toBe(0o600);
    expect(logs.bytes().toString('utf8')).toBe(text(3));
  });

  it('is the same log however the entries came: one by one, all again, overlapping, an old batch late', async () => {
    const all = projection(120);
    for (const index of all.keys()) {
      const last = await lastMirrored(logs.layout, ID.plan);
      const from = last ? all.findIndex(({ run, eventId }) => run === last.run && eventId === last.eventId) : 0;
      await appendEntries(logs.layout, ID, all.slice(from, index + 1));
    }
    expect((await appendEntries(logs.layout, ID, all)).appended).toBe(0);
    expect((await appendEntries(logs.layout, ID, all.slice(eventOf(all, 50), eventOf(all, 70)))).appended).toBe(0);
    expect((await appendEntries(logs.layout, ID, [])).appended).toBe(0);
    expect(logs.bytes().toString('utf8')).toBe(text(120));
  });

  it('says where the mirror goes on', async () => {
    const all = projection(40);
    expect(await lastMirrored(logs.layout, ID.plan)).toBeNull();
    await appendEntries(logs.layout, ID, all);
    const last = all.at(-1);
    expect(await lastMirrored(logs.layout, ID.plan)).toEqual({ run: last?.run, eventId: last?.eventId, seq: 39 });
  });

  it('goes over to a new segment, and reads back across it', async () => {
    const all = projection(200);
    const options = { segmentBytes: 8_000 };
    for (let count = 10; count <= 200; count += 10) await appendEntries(logs.layout, ID, all.slice(0, count), options);
    expect(logs.segments().length).toBeGreaterThan(5);
    for (const name of logs.segments()) expect(statSync(logs.file(name)).size).toBeLessThanOrEqual(8_000);
    expect(logs.bytes().toString('utf8')).toBe(text(200));
    expect((await appendEntries(logs.layout, ID, all.slice(0, eventOf(all, 30)), options)).appended).toBe(0);
  });

  it('goes on where a new segment was made and nothing written to it', async () => {
    const all = projection(20);
    await appendEntries(logs.layout, ID, all.slice(0, 10));
    logs.put('', '000002.jsonl');
    await appendEntries(logs.layout, ID, all);
    expect(readFileSync(logs.file('000002.jsonl'), 'utf8')).not.toBe('');
    expect(logs.bytes().toString('utf8')).toBe(text(20));
  });

  it('keeps a torn line as evidence, cuts it, and goes on, wherever it was torn', async () => {
    const whole = Buffer.from(text(6));
    const start = Buffer.byteLength(text(5));
    for (let cut = start + 1; cut < whole.length; cut += 7) {
      rmSync(logs.folder, { recursive: true, force: true });
      logs.put(whole.subarray(0, cut));
      expect((await appendEntries(logs.layout, ID, projection(6))).appended).toBe(1);
      expect(logs.bytes()).toEqual(whole);
      const kept = JSON.parse(readFileSync(logs.file('torn.jsonl'), 'utf8'));
      expect(Buffer.from(kept.base64, 'base64')).toEqual(whole.subarray(start, cut));
      expect(kept).toMatchObject({ segment: '000001.jsonl', offset: start });
    }
  });

  it('finishes an event of which a killed writer wrote a part', async () => {
    const all = projection(30).map((entry, index) => ({ ...entry, run: 'r', eventId: Math.floor(index / 10) + 1 }));
    await appendEntries(logs.layout, ID, all);
    const bytes = logs.bytes();
    for (let lines = 1; lines < 30; lines += 1) {
      logs.put(`${bytes.toString('utf8').split('\n').slice(0, lines).join('\n')}\n`);
      const last = await lastMirrored(logs.layout, ID.plan);
      const from = all.filter(({ eventId }) => eventId >= (last?.eventId ?? 0));
      expect((await appendEntries(logs.layout, ID, from)).appended).toBe(30 - lines);
      expect(logs.bytes()).toEqual(bytes);
    }
  });

  it('refuses an entry that no line can hold, and then has written none', async () => {
    const long = { ...(projection(2)[1] ?? projection(1)[0]), data: { why: 'x'.repeat(16_384) } } as never;
    await expect(appendEntries(logs.layout, ID, [...projection(1), long])).rejects.toThrow(UnfitEntry);
    expect(logs.bytes()).toHaveLength(0);
  });
});

describe('what another log holds than the history', () => {
  it.each([0, 5, 9])('at entry %s is a fork: both are kept, nothing is written', async (at) => {
    const all = projection(10);
    await appendEntries(logs.layout, ID, all);
    const before = logs.bytes();
    const other = all.map((entry, index) => (index === at ? { ...entry, data: { path: 'other' } } : entry));
    const outcome = appendEntries(logs.layout, ID, [...other, ...projection(1)]);
    await expect(outcome).rejects.toMatchObject({ seq: at });
    const error: ForkedLog = await outcome.catch((failed) => failed);
    expect(error).toBeInstanceOf(ForkedLog);
    const kept = JSON.parse(readFileSync(join(dirname(logs.folder), error.evidence), 'utf8'));
    expect([kept.log.body.data.path, kept.history.body.data.path]).toEqual([`deploy/${at}.yml`, 'other']);
    expect(logs.bytes()).toEqual(before);
  });

  it('is a fork also where the log has an entry more in an event, or lacks one', async () => {
    const all = projection(10).map((entry, index) => ({ ...entry, run: 'r', eventId: index < 5 ? 1 : 2 }));
    await appendEntries(logs.layout, ID, all);
    await expect(appendEntries(logs.layout, ID, all.slice(0, 9))).rejects.toThrow(ForkedLog);
    const more = [...all.slice(0, 5), ...all.slice(4, 5)];
    await expect(appendEntries(logs.layout, ID, more)).rejects.toThrow(ForkedLog);
  });

  it('is a gap where the entries begin after its end, or in another run', async () => {
    const all = projection(20);
    await appendEntries(logs.layout, ID, all.slice(0, eventOf(all, 8)));
    await expect(appendEntries(logs.layout, ID, all.slice(9))).rejects.toThrow(LogGap);
    await expect(appendEntries(logs.layout, ID, all.slice(10))).rejects.toThrow(LogGap);
  });
});

describe('a log that is not what was written', () => {
  it.each([
    ['its last line changed', (log: string) => log.replace('deploy/9.yml', 'deploy/8.yml')],
    ['its last line with a space more', (log: string) => log.replace(/\{"body":(?=[^\n]*\n$)/, '{"body": ')],
    ['a line of something else at the end', (log: string) => `${log}x\n`],
    ['an empty line at the end', (log: string) => `${log}\n`],
    ['its last line twice', (log: string) => log + log.slice(log.lastIndexOf('\n', log.length - 2) + 1)],
    ['64 KB without a line', (log: string) => `${log}${'x'.repeat(100_000)}\n`],
  ])('with %s is not appended to', async (_, change) => {
    logs.put(change(text(10)));
    const before = logs.bytes();
    await expect(appendEntries(logs.layout, ID, projection(12))).rejects.toThrow(CorruptLog);
    expect(logs.bytes()).toEqual(before);
  });

  it('but belongs to another plan is not appended to', async () => {
    logs.put(text(10));
    await expect(
      appendEntries(logs.layout, { ...ID, log: 'planwright/other/plan-0a1b2c3d' }, projection(12)),
    ).rejects.toThrow('one of planwright/default');
  });

  it('or is a link, a name of another file, or a folder, is not written to', async () => {
    const elsewhere = join(logs.root, 'elsewhere');
    writeFileSync(elsewhere, '');
    mkdirSync(logs.folder, { recursive: true });
    symlinkSync(elsewhere, logs.file('000001.jsonl'));
    await expect(appendEntries(logs.layout, ID, projection(1))).rejects.toThrow('symbolic link');
    rmSync(logs.file('000001.jsonl'));
    linkSync(elsewhere, logs.file('000001.jsonl'));
    await expect(appendEntries(logs.layout, ID, projection(1))).rejects.toThrow('2 names');
    rmSync(logs.folder, { recursive: true });
    mkdirSync(join(logs.root, 'folder'));
    symlinkSync(join(logs.root, 'folder'), logs.folder);
    await expect(appendEntries(logs.layout, ID, projection(1))).rejects.toThrow('no directory');
    expect(readFileSync(elsewhere, 'utf8')).toBe('');
    expect(existsSync(join(logs.root, 'folder', '000001.jsonl'))).toBe(false);
  });
});
