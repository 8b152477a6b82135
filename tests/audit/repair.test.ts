import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appendEntries, lastMirrored } from '../../audit/append';
import { chain, EMPTY } from '../../audit/chain';
import { CheckpointRefused } from '../../audit/errors';
import { checkProof, entryNumber, proveEntry } from '../../audit/prove';
import { declareBreak, type RepairOptions, repairFromHistory } from '../../audit/repair';
import type { Report } from '../../audit/report';
import type { Entry } from '../../audit/types';
import { verifyLog } from '../../audit/verify';
import { sha256 } from '../../plan/digest';
import { historyOf, ID, Logs, projection, rewritten, textOf } from './support/logs';

const all = projection(150);
const honest = chain(EMPTY, ID.log, all).lines.map(({ bytes }) => bytes.toString('utf8'));

let logs: Logs;
let options: RepairOptions;
beforeEach(() => {
  logs = new Logs();
  options = {
    actor: { kind: 'user', id: 'ana', auth: 'claimed' },
    at: '2026-11-21T12:00:00.000Z',
    state: logs.state,
  };
});
afterEach(() => logs.remove());

async function mirrored(segmentBytes?: number): Promise<Buffer> {
  await appendEntries(logs.layout, ID, all, { state: logs.state, sign: true, segmentBytes });
  return logs.bytes();
}

const verify = (history = historyOf(all)): Promise<Report> =>
  verifyLog(logs.layout, ID, { state: logs.state, history });

function states({ levels }: Report): string[] {
  return [levels.structure.state, levels.head.state, levels.history.state];
}

function lastEntry(): Entry {
  return JSON.parse(logs.lines().at(-1) ?? '');
}

describe('a repair from the event history', () => {
  it('gives a log that was deleted back, byte for byte', async () => {
    for (const segmentBytes of [undefined, 9_000]) {
      rmSync(logs.folder, { recursive: true, force: true });
      const before = await mirrored(segmentBytes);
      const names = logs.segments();
      rmSync(logs.folder, { recursive: true });
      const repaired = await repairFromHistory(logs.layout, ID, historyOf(all), { ...options, segmentBytes });
      expect(repaired).toMatchObject({ outcome: 'completed', size: 150, quarantine: null });
      expect(sha256(logs.bytes())).toBe(sha256(before));
      expect(logs.segments()).toEqual(names);
      expect(states(await verify())).toEqual(['held', 'held', 'held']);
    }
  });

  it('leaves a log alone that is whole', async () => {
    const before = await mirrored();
    expect(await repairFromHistory(logs.layout, ID, historyOf(all), options)).toMatchObject({ outcome: 'whole' });
    expect(logs.bytes()).toEqual(before);
    expect(existsSync(logs.file('quarantine'))).toBe(false);
  });

  it('keeps what was there of each of two repairs in the same millisecond', async () => {
    await mirrored();
    const asides: string[] = [];
    for (const size of [80, 90, 100]) {
      logs.put(Buffer.from(textOf(honest.slice(0, size))));
      const { quarantine } = await repairFromHistory(logs.layout, ID, historyOf(all), options);
      asides.push(quarantine ?? '');
      expect(readFileSync(logs.file(join(quarantine ?? '', '000001.jsonl')), 'utf8')).toBe(
        textOf(honest.slice(0, size)),
      );
    }
    expect(new Set(asides).size).toBe(3);
  });

  it.each(['after a line', 'within a line'])('completes one that was cut %s, and keeps what it was', async (where) => {
    const before = await mirrored();
    const cut = Buffer.from(textOf(honest.slice(0, 80)) + (where === 'within a line' ? '{"body":{"ac' : ''));
    logs.put(cut);
    const repaired = await repairFromHistory(logs.layout, ID, historyOf(all), options);
    expect(repaired.outcome).toBe('completed');
    expect(logs.bytes()).toEqual(before);
    expect(readFileSync(logs.file(join(repaired.quarantine ?? '', '000001.jsonl')))).toEqual(cut);
  });

  it.each([
    ['edited', (lines: string[]) => lines.toSpliced(70, 1, (lines[70] ?? '').replace('ana', 'eve')), 70],
    ['lacks a line', (lines: string[]) => lines.toSpliced(70, 1), 70],
    ['rewritten', () => rewritten(all, 70), 70],
    ['has a line more', (lines: string[]) => [...lines, lines[0] ?? ''], 150],
  ])('replaces one that is %s, keeps the old bytes, and tells what it found', async (_, change, seq) => {
    await mirrored();
    const bad = textOf(change(honest));
    logs.put(bad);
    const repaired = await repairFromHistory(logs.layout, ID, historyOf(all), options);
    expect(repaired).toMatchObject({ outcome: 'repaired', size: 151, fault: { seq } });
    expect(logs.lines().slice(0, 150)).toEqual(honest);
    const { body } = lastEntry();
    expect(body).toMatchObject({ event: 'audit.repaired', run: null, eventId: null, seq: 150, actor: { id: 'ana' } });
    expect(body.data).toMatchObject({ sha256: sha256(bad), bytes: Buffer.byteLength(bad), fault: { seq } });
    expect(readFileSync(logs.file(`${body.data.quarantine}/000001.jsonl`), 'utf8')).toBe(bad);
    const report = await verify();
    expect(states(report)).toEqual(['held', 'held', 'held']);
    expect(report.repairs).toEqual([150]);
    expect(readdirSync(logs.folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('replaces segments too, also where there were more of them', async () => {
    await mirrored(5_000);
    writeFileSync(logs.file('000002.jsonl'), 'nothing\n');
    const repaired = await repairFromHistory(logs.layout, ID, historyOf(all), { ...options, segmentBytes: 30_000 });
    expect(repaired.outcome).toBe('repaired');
    expect(logs.lines().slice(0, 150)).toEqual(honest);
    expect(states(await verify())).toEqual(['held', 'held', 'held']);
  });

  it('keeps the entries of earlier repairs at their places; the mirror goes on behind them', async () => {
    await appendEntries(logs.layout, ID, all.slice(0, 60), { state: logs.state, sign: true });
    logs.put(textOf(honest.slice(0, 60)).replace('ana', 'eve'));
    await repairFromHistory(logs.layout, ID, historyOf(all.slice(0, 60)), options);
    const last = await lastMirrored(logs.layout, ID.plan);
    expect(last?.seq).toBe(59);
    const from = all.findIndex(({ run, eventId }) => run === last?.run && eventId === last.eventId);
    expect(await appendEntries(logs.layout, ID, all.slice(from), { state: logs.state, sign: true })).toMatchObject({
      size: 151,
      appended: 90,
    });
    const before = logs.lines();
    expect(states(await verify())).toEqual(['held', 'held', 'held']);
    logs.put(textOf(before.toSpliced(20, 1)));
    await repairFromHistory(logs.layout, ID, historyOf(all), { ...options, at: '2026-11-21T13:00:00.000Z' });
    expect(logs.lines().slice(0, 151)).toEqual(before);
    const report = await verify();
    expect(states(report)).toEqual(['held', 'held', 'held']);
    expect(report.repairs).toEqual([60, 151]);
  });

  it('does not take the word of a witness back unless somebody says so', async () => {
    await appendEntries(logs.layout, ID, all, { state: logs.state, sign: true });
    const other = all.map((entry, index) => (index === 3 ? { ...entry, data: { path: 'other' } } : entry));
    const refused = repairFromHistory(logs.layout, ID, historyOf(other), options);
    await expect(refused).rejects.toThrow(CheckpointRefused);
    expect((await verify(historyOf(other))).levels.head.state).toBe('broken');
    const again = { ...options, at: '2026-11-21T13:00:00.000Z', supersede: true };
    expect((await repairFromHistory(logs.layout, ID, historyOf(other), again)).outcome).toBe('whole');
    expect(states(await verify(historyOf(other)))).toEqual(['held', 'held', 'held']);
  });
});

describe('a break that is declared, because there is no history', () => {
  const report = (): Promise<Report> => verifyLog(logs.layout, ID, { state: logs.state });

  it('keeps the valid beginning and is told of for ever', async () => {
    await mirrored();
    const bad = textOf(honest.toSpliced(70, 1, (honest[70] ?? '').replace('ana', 'eve')));
    logs.put(bad);
    expect(await declareBreak(logs.layout, ID, options)).toMatchObject({ outcome: 'broken', size: 71, lost: 80 });
    expect(logs.lines().slice(0, 70)).toEqual(honest.slice(0, 70));
    expect(lastEntry().body).toMatchObject({ event: 'audit.break', seq: 70, data: { fault: { seq: 70 }, lost: 80 } });
    expect(readFileSync(logs.file(`${lastEntry().body.data.quarantine}/000001.jsonl`), 'utf8')).toBe(bad);
    const { levels, breaks } = await report();
    expect([levels.structure.state, levels.head.state]).toEqual(['held', 'held']);
    expect(breaks).toMatchObject([{ seq: 70, lost: 80 }]);
    expect((await declareBreak(logs.layout, ID, options)).outcome).toBe('whole');
    expect((await report()).breaks).toHaveLength(1);
  });

  it('declares a cut tail, and a log that is gone, where the witness knows of more', async () => {
    await mirrored();
    logs.put(textOf(honest.slice(0, 100)));
    expect(await declareBreak(logs.layout, ID, options)).toMatchObject({ outcome: 'broken', size: 101, lost: 50 });
    rmSync(logs.folder, { recursive: true });
    expect(await declareBreak(logs.layout, ID, options)).toMatchObject({ outcome: 'broken', size: 1, lost: 101 });
    expect((await report()).levels.head.state).toBe('held');
  });

  it('does not excuse a beginning that is not the one that was signed', async () => {
    await appendEntries(logs.layout, ID, all.slice(0, 64), { state: logs.state, sign: true });
    logs.put(`${textOf(rewritten(all, 10))}x\n`);
    await expect(declareBreak(logs.layout, ID, options)).rejects.toThrow(CheckpointRefused);
    expect((await report()).levels.head.state).toBe('broken');
  });

  it('leaves a log alone that is whole', async () => {
    const before = await mirrored();
    expect((await declareBreak(logs.layout, ID, options)).outcome).toBe('whole');
    expect(logs.bytes()).toEqual(before);
  });
});

describe('a proof', () => {
  it('shows each entry to be in the log, with nothing but itself', async () => {
    await mirrored(6_000);
    for (const seq of [0, 1, 63, 64, 127, 128, 149]) {
      const proof = await proveEntry(logs.layout, ID, seq, logs.state);
      const copy: unknown = JSON.parse(JSON.stringify(proof));
      expect(checkProof(copy, proof.key)).toMatchObject({ size: 150, entry: { body: { seq } } });
      expect(checkProof(copy, null)).toMatchObject({ size: 150 });
    }
  });

  it('that was changed anywhere, or rests on another key, shows nothing', async () => {
    await mirrored();
    const proof = await proveEntry(logs.layout, ID, 77, logs.state);
    const changed: [string, unknown][] = [
      ['its entry does not hold', { ...proof, line: proof.line.replace('ana', 'eve') }],
      ['not in the tree', { ...proof, line: rewritten(all, 77)[77] }],
      ['not in the tree', { ...proof, line: honest[76] }],
      ['not in the tree', { ...proof, path: proof.path.slice(1) }],
      ['not in the tree', { ...proof, path: proof.path.map((one, at) => (at === 2 ? 'f'.repeat(64) : one)) }],
      ['its checkpoint', { ...proof, checkpoint: proof.checkpoint.replace('150', '151') }],
      ['its checkpoint', { ...proof, log: 'planwright/default/plan-ffffffff' }],
      ['no proof', { ...proof, more: 1 }],
      ['no proof', null],
    ];
    for (const [why, document] of changed) expect(checkProof(document, null)).toContain(why);
    expect(checkProof(proof, proof.key.replace('a', 'b'))).toContain('it rests on the key');
  });

  it('cannot be had of an entry that no checkpoint covers, or of a log that was changed', async () => {
    await expect(proveEntry(logs.layout, ID, 0, logs.state)).rejects.toMatchObject({ exitCode: 4 });
    await mirrored();
    await expect(proveEntry(logs.layout, ID, 150, logs.state)).rejects.toMatchObject({ exitCode: 4 });
    logs.put(textOf(rewritten(all, 100)));
    await expect(proveEntry(logs.layout, ID, 5, logs.state)).rejects.toMatchObject({ exitCode: 3 });
    expect(entryNumber('17')).toBe(17);
    for (const text of ['-1', '1.5', '01', 'x', '']) expect(() => entryNumber(text)).toThrow('no number of an entry');
  });
});

it('an old copy of the folder with its checkpoint is completed by the mirror, and holds again', async () => {
  await appendEntries(logs.layout, ID, all.slice(0, 70), { state: logs.state, sign: true });
  const backup = join(logs.root, 'backup');
  cpSync(logs.folder, backup, { recursive: true });
  await mirrored();
  rmSync(logs.folder, { recursive: true });
  cpSync(backup, logs.folder, { recursive: true });
  await mirrored();
  expect(logs.lines()).toEqual(honest);
  expect(states(await verify())).toEqual(['held', 'held', 'held']);
});
