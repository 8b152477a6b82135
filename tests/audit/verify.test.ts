import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appendEntries } from '../../audit/append';
import { chain, EMPTY } from '../../audit/chain';
import { signCheckpoint } from '../../audit/checkpoint';
import { CheckpointRefused } from '../../audit/errors';
import { signingKey } from '../../audit/key';
import { rootOf } from '../../audit/merkle';
import type { Report } from '../../audit/report';
import type { Head } from '../../audit/types';
import { type Evidence, verifyLog } from '../../audit/verify';
import { witnessPath } from '../../audit/witness';
import { sha256 } from '../../plan/digest';
import { historyOf, ID, Logs, projection, respelt, rewritten, textOf } from './support/logs';

jest.setTimeout(120_000);

const COUNT = 200;
const all = projection(COUNT);
const end = chain(EMPTY, ID.log, all).head;

let logs: Logs;
let whole: string[];
beforeEach(async () => {
  logs = new Logs();
  await appendEntries(logs.layout, ID, all, { state: logs.state, sign: true });
  whole = logs.lines();
});
afterEach(() => logs.remove());

/** Verifies with all evidence but what is left out. */
function verify(without: (keyof Evidence)[] = [], more: Partial<Evidence> = {}): Promise<Report> {
  const evidence: Evidence = { state: logs.state, workflowHead: end, history: historyOf(all), ...more };
  for (const key of without) Object.assign(evidence, { [key]: null });
  return verifyLog(logs.layout, ID, evidence);
}

function states({ levels }: Report): string[] {
  return [levels.structure.state, levels.head.state, levels.history.state];
}

const seqs = ({ levels }: Report, level: 'structure' | 'head' | 'history'): (number | null)[] =>
  levels[level].findings.map(({ seq }) => seq);

it('a log as it was written holds at every level, and says by what', async () => {
  const report = await verify();
  expect(states(report)).toEqual(['held', 'held', 'held']);
  expect(report.head).toEqual(end);
  expect(report.root).toBe(
    rootOf(chain(EMPTY, ID.log, all).lines.map(({ entry }) => Buffer.from(entry.hash, 'hex'))).toString('hex'),
  );
  expect(report.levels.head.notes).toEqual([
    'the checkpoint beside the log: 200 entries',
    "the witness in the user's state directory: 200 entries",
    "the head in the workflow's state: 200 entries",
  ]);
  expect(states(await verify(['state', 'workflowHead', 'history']))).toEqual([
    'held',
    'not to be had',
    'not to be had',
  ]);
});

it('every cut after a line passes as a chain, and is found by whoever knows the end: workflow, witness, history', async () => {
  for (let count = 0; count < COUNT; count += 1) {
    logs.put(textOf(whole.slice(0, count)));
    const report = await verify();
    const expected = [count === 0 ? 'not to be had' : 'held', 'broken', 'broken'];
    expect([count, ...states(report)]).toEqual([count, ...expected]);
    expect(seqs(report, 'head')).toEqual([count, count, count]);
    expect(seqs(report, 'history')).toEqual([count]);
  }
  expect(states(await verify(['state', 'history']))).toEqual(['held', 'broken', 'not to be had']);
  expect(states(await verify(['workflowHead', 'history']))).toEqual(['held', 'broken', 'not to be had']);
});

it('every cut within a line is told as a torn line, and what is missing is found', async () => {
  for (let count = 0; count < COUNT; count += 3) {
    const line = whole[count] ?? '';
    logs.put(textOf(whole.slice(0, count)) + line.slice(0, 1 + ((count * 37) % (line.length - 1))));
    const report = await verify();
    expect([count, ...states(report)]).toEqual([count, 'held', 'broken', 'broken']);
    expect(report.torn).not.toBeNull();
    expect(seqs(report, 'head')).toEqual([count, count, count]);
  }
});

it('an edit, a deletion, an insertion, an exchange and a splice are found in the structure, with the entry and its place', async () => {
  const changes: [number, (lines: string[]) => string[]][] = [];
  for (let at = 0; at < COUNT - 1; at += 7) {
    changes.push(
      [at, (lines) => lines.toSpliced(at, 1, (lines[at] ?? '').replace('ana', 'eve'))],
      [at, (lines) => lines.toSpliced(at, 1)],
      [at + 1, (lines) => lines.toSpliced(at, 0, lines[at] ?? '')],
      [at, (lines) => lines.toSpliced(at, 2, lines[at + 1] ?? '', lines[at] ?? '')],
      [at, (lines) => lines.toSpliced(at, 1, (lines[at] ?? '').replaceAll('0a1b2c3d', 'ffffffff'))],
    );
  }
  for (const [at, change] of changes) {
    logs.put(textOf(change(whole)));
    const report = await verify();
    expect(states(report)).toEqual(['broken', 'broken', 'broken']);
    const [finding] = report.levels.structure.findings;
    expect(finding?.seq).toBe(at);
    expect(finding?.segment).toBe('000001.jsonl');
    const start = Buffer.byteLength(textOf(change(whole).slice(0, at)));
    expect(finding?.offset).toBeGreaterThanOrEqual(start);
    expect(finding?.offset).toBeLessThan(start + Buffer.byteLength(change(whole)[at] ?? '') + 1);
  }
});

it("another plan's entry, moved here with every hash made to fit, is found", async () => {
  const [line = ''] = chain(EMPTY, 'planwright/default/plan-ffffffff', all)
    .lines.slice(50)
    .map(({ bytes }) => `${bytes}`);
  const prev = JSON.parse(whole[49] ?? '').hash;
  const spliced = respelt(Buffer.from(line).toString('latin1'), (body) =>
    body.replace(/"prev":"\w+"/, `"prev":"${prev}"`),
  );
  logs.put(
    Buffer.concat([Buffer.from(textOf(whole.slice(0, 50))), spliced, Buffer.from(`\n${textOf(whole.slice(51))}`)]),
  );
  const { levels } = await verify();
  expect(levels.structure.findings).toMatchObject([{ what: 'log', seq: 50, expected: ID.log }]);
});

it('a chain rewritten from any entry on is whole in itself; checkpoint, witness, workflow and history each accuse it', async () => {
  for (const at of [0, 1, 63, 64, 150, 199]) {
    logs.put(textOf(rewritten(all, at)));
    const report = await verify();
    expect([at, ...states(report)]).toEqual([at, 'held', 'broken', 'broken']);
    expect(report.levels.head.findings).toHaveLength(3);
    expect(seqs(report, 'history')).toEqual([at]);
    const [finding] = report.levels.history.findings;
    expect(JSON.parse(finding?.expected ?? '').body.data.path).toBe(`deploy/${at}.yml`);
    expect(JSON.parse(finding?.actual ?? '').body.data.path).toBe('forged');
  }
});

it('a chain rewritten by somebody who has the key, checkpoint and witness included, is accused by the history', async () => {
  const forged = rewritten(all, 120);
  rmSync(logs.folder, { recursive: true });
  rmSync(witnessPath(logs.state, ID.log));
  const changed = all.map((entry, index) => (index === 120 ? { ...entry, data: { path: 'forged' } } : entry));
  await appendEntries(logs.layout, ID, changed, { state: logs.state, sign: true });
  expect(logs.lines()).toEqual(forged);
  const report = await verify(['workflowHead']);
  expect(states(report)).toEqual(['held', 'held', 'broken']);
  expect(seqs(report, 'history')).toEqual([120]);
  expect(states(await verify(['history']))).toEqual(['held', 'broken', 'not to be had']);
});

it('an older copy, put back with the checkpoint of its time, is accused by the witness', async () => {
  rmSync(logs.root, { recursive: true });
  logs = new Logs();
  await appendEntries(logs.layout, ID, all.slice(0, 90), { state: logs.state, sign: true });
  const backup = join(logs.root, 'backup');
  cpSync(logs.folder, backup, { recursive: true });
  await appendEntries(logs.layout, ID, all, { state: logs.state, sign: true });
  rmSync(logs.folder, { recursive: true });
  cpSync(backup, logs.folder, { recursive: true });
  const report = await verify(['workflowHead', 'history']);
  expect(states(report)).toEqual(['held', 'broken', 'not to be had']);
  expect(report.levels.head.findings).toMatchObject([
    { seq: 90, expected: 'at least 200 entries', actual: '90 whole entries' },
  ]);
});

it('a folder that was deleted is accused by the witness, the workflow and the history, each for itself', async () => {
  rmSync(logs.folder, { recursive: true });
  expect(states(await verify(['workflowHead', 'history']))).toEqual(['not to be had', 'broken', 'not to be had']);
  expect(states(await verify(['state', 'history']))).toEqual(['not to be had', 'broken', 'not to be had']);
  expect(states(await verify(['state', 'workflowHead']))).toEqual(['not to be had', 'not to be had', 'broken']);
  expect(states(await verify(['state', 'workflowHead', 'history']))).toEqual(Array(3).fill('not to be had'));
  expect(states(await verify(['state'], { workflowHead: EMPTY, history: historyOf([]) }))).toEqual([
    'not to be had',
    'held',
    'held',
  ]);
});

it('segments that are missing, exchanged or cut short are found', async () => {
  rmSync(logs.folder, { recursive: true });
  await appendEntries(logs.layout, ID, all, { segmentBytes: 20_000 });
  const names = logs.segments();
  expect(names.length).toBeGreaterThan(4);
  expect(states(await verify())).toEqual(['held', 'held', 'held']);
  const [, second = '', third = ''] = names;
  const [two, three] = [readFileSync(logs.file(second)), readFileSync(logs.file(third))];
  rmSync(logs.file(second));
  expect((await verify()).levels.structure.findings).toMatchObject([{ what: 'seq', segment: third, offset: 0 }]);
  logs.put(three, second);
  logs.put(two, third);
  expect((await verify()).levels.structure.findings).toMatchObject([{ what: 'seq', segment: second, offset: 0 }]);
  logs.put(two.subarray(0, -20), second);
  logs.put(three, third);
  expect((await verify()).levels.structure.findings).toMatchObject([{ what: 'torn', segment: second }]);
});

it('a checkpoint of another key, a changed one, and a changed witness are broken evidence', async () => {
  const path = logs.file('checkpoint');
  const note = readFileSync(path, 'utf8');
  const leaves = whole.map((line) => Buffer.from(JSON.parse(line).hash, 'hex'));
  const other = await signingKey(join(logs.root, 'other'));
  writeFileSync(path, signCheckpoint({ origin: ID.log, size: COUNT, root: rootOf(leaves) }, other));
  expect((await verify()).levels.head.findings).toMatchObject([{ actual: expect.stringContaining('not signed') }]);
  writeFileSync(path, note.replace('\n200\n', '\n201\n'));
  expect((await verify()).levels.head.state).toBe('broken');
  writeFileSync(path, note);
  const witness = witnessPath(logs.state, ID.log);
  const seen = JSON.parse(readFileSync(witness, 'utf8'));
  for (const change of [
    { head: 'f'.repeat(64) },
    { before: [] },
    { checkpoint: note.replace('200', '20') },
    { more: 1 },
  ]) {
    writeFileSync(witness, JSON.stringify({ ...seen, ...change }));
    expect((await verify(['workflowHead'])).levels.head.findings).toHaveLength(1);
  }
});

it('a mirror that is behind a running plan is no break, where whoever asks says that the plan runs', async () => {
  logs.put(textOf(whole.slice(0, 150)));
  const asked = { historyRange: { mayLead: true }, workflowHead: null, state: null };
  expect(states(await verify([], asked))).toEqual(['held', 'not to be had', 'held']);
  logs.put(textOf(rewritten(all, 149).slice(0, 150)));
  expect(states(await verify([], asked))).toEqual(['held', 'not to be had', 'broken']);
});

it('an entry that the history does not know is found', async () => {
  const head: Head = { size: 180, hash: JSON.parse(whole[179] ?? '').hash };
  const report = await verify(['state'], { history: historyOf(all.slice(0, 180)), workflowHead: head });
  expect(states(report)).toEqual(['held', 'held', 'broken']);
  expect(report.levels.history.findings).toMatchObject([
    { seq: 180, expected: expect.stringContaining('ends before') },
  ]);
});

it('files are compared with the last that the log says of each', async () => {
  rmSync(logs.root, { recursive: true });
  logs = new Logs();
  const file = (event: 'file.written' | 'file.restored' | 'file.removed', path: string, content: string | null) => ({
    ...(all[0] ?? Object.assign({}, all[1])),
    eventId: 1,
    event,
    data: { path, sha256: content === null ? null : sha256(content) },
  });
  const told = [
    file('file.written', 'same', 'x'),
    file('file.written', 'changed', 'x'),
    file('file.written', 'twice', 'x'),
    file('file.restored', 'twice', 'y'),
    file('file.written', 'gone', 'x'),
    file('file.removed', 'back', null),
    file('file.written', '../outside', 'x'),
  ];
  await appendEntries(logs.layout, ID, told);
  for (const [path, content] of [
    ['same', 'x'],
    ['changed', 'z'],
    ['twice', 'y'],
    ['back', 'x'],
  ] as const) {
    writeFileSync(join(logs.root, path), content);
  }
  const { levels } = await verifyLog(logs.layout, ID, { state: null, files: true });
  expect(levels.files.findings.map(({ what, seq }) => [what, seq])).toEqual([
    ['file changed', 1],
    ['file gone', 4],
    ['file back', 5],
    ['file ../outside', 6],
  ]);
});

describe('the signer', () => {
  it('signs every 64 entries, at gates and at ends, and what a killed writer left unsigned', async () => {
    rmSync(logs.root, { recursive: true });
    logs = new Logs();
    const entries = all.map((entry, index) => {
      const event = index === 100 ? 'gate.opened' : index === 110 ? 'run.finished' : 'llm.called';
      return { ...entry, run: 'r', eventId: index + 1, event } as const;
    });
    const append = async (count: number, state = logs.state): Promise<string> => {
      await appendEntries(logs.layout, ID, entries.slice(0, count), state === '' ? {} : { state });
      const note = existsSync(logs.file('checkpoint')) ? readFileSync(logs.file('checkpoint'), 'utf8') : '\nnone';
      return note.split('\n')[1] ?? '';
    };
    expect(await append(63)).toBe('none');
    expect(await append(65)).toBe('65');
    expect(await append(100)).toBe('65');
    expect(await append(101)).toBe('101');
    expect(await append(111, '')).toBe('101');
    expect(await append(111)).toBe('111');
    expect(await append(111)).toBe('111');
  });

  it('does not sign a log that does not begin with what it signed, or is shorter', async () => {
    rmSync(logs.folder, { recursive: true });
    const changed = all.map((entry, index) => (index === 10 ? { ...entry, data: {} } : entry));
    const outcome = appendEntries(logs.layout, ID, [...changed, ...changed.slice(0, 1)], {
      state: logs.state,
      sign: true,
    });
    await expect(outcome).rejects.toThrow(CheckpointRefused);
    rmSync(logs.folder, { recursive: true });
    const short = appendEntries(logs.layout, ID, all.slice(0, 100), { state: logs.state, sign: true });
    await expect(short).rejects.toThrow('200 were signed already');
    await appendEntries(logs.layout, ID, all, { state: logs.state, sign: true });
    expect(states(await verify())).toEqual(['held', 'held', 'held']);
  });
});
