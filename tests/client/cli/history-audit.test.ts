/** The commands about audit logs, on a log that was projected from a recorded history; no server. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultDataConverter } from '@temporalio/common';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { appendEntries } from '../../../audit/append';
import { chain, EMPTY } from '../../../audit/chain';
import { leafHashOf } from '../../../audit/entry';
import { allEntries, exportedHistory } from '../../../audit/history';
import { payloadReader } from '../../../audit/history-events';
import { logPaths } from '../../../audit/log-files';
import { logName } from '../../../audit/mirror';
import { signHead } from '../../../audit/signer';
import type { ProjectedEntry } from '../../../audit/types';
import { AuditDesk } from '../../../client/audit/desk';
import { type KeptHistory, readHistoryFile, withKept } from '../../../client/audit/kept-histories';
import { UnreachableError, UsageError } from '../../../plan/errors';
import { type WorkspaceLayout, workspaceLayout } from '../../../store/layout';
import { planView } from './views';
import { FakeClient, FakePrompter, type World, type WorldOptions, world } from './world';

jest.setTimeout(120_000);

const RECORDED = join(__dirname, '..', '..', 'histories', '0.1.0', 'rolled-back-and-deleted.json');
const PLAN = JSON.parse(readFileSync(RECORDED, 'utf8')).events[0].workflowExecutionStartedEventAttributes.workflowId;
const LOG = logName('default', PLAN);
const read = payloadReader(defaultDataConverter);

let entries: ProjectedEntry[];
let kept: KeptHistory[];
beforeAll(async () => {
  kept = await readHistoryFile(RECORDED, PLAN);
  const source = exportedHistory(kept.map(({ history }) => history));
  const runs = kept.map(({ run }) => run);
  entries = [];
  for await (const entry of allEntries(source, read, { runs, missing: null })) entries.push(entry);
});

let root: string;
const temp = (): string => root;
let layout: WorkspaceLayout;
let state: string;
let lines: string[];
let client: FakeClient;
const file = (): string => join(layout.audit, PLAN, '000001.jsonl');
const put = (changed: readonly string[]): void => writeFileSync(file(), changed.map((line) => `${line}\n`).join(''));

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'planwright-history-'));
  mkdirSync(join(temp(), 'ws', '.planwright'), { recursive: true });
  writeFileSync(join(temp(), 'ws', '.planwright', 'config.yaml'), 'version: 1\n');
  layout = workspaceLayout(join(temp(), 'ws'));
  state = join(temp(), 'state');
  const head = await appendEntries(layout, { plan: PLAN, log: LOG }, entries, { state, sign: true });
  lines = readFileSync(file(), 'utf8').trimEnd().split('\n');
  client = new FakeClient({ ...planView(), id: PLAN, audit: { size: head.size, hash: head.hash } });
  client.temporalPast = {
    source: exportedHistory(kept.map(({ history }) => history)),
    read,
    run: kept[0]?.run ?? null,
    isOpen: false,
  };
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Long after the recorded history, and each command a minute after the one before. */
let clock = Date.parse('2030-01-01T00:00:00.000Z');

function at(options: WorldOptions = {}): World {
  const place = world({
    client,
    cwd: layout.root,
    ...options,
    rooms: { audit: async () => new AuditDesk({ layout, state, namespace: 'default' }), ...options.rooms },
  });
  clock += 60_000;
  const now = clock;
  place.io.now = () => now;
  return place;
}

interface Verified {
  code: number;
  states: string[];
  /** Entry and byte of each level's first finding. */
  seqs: (number | null | undefined)[];
  offset: number | null | undefined;
  document: { breaks: object[]; repairs: number[] };
}

async function verify(...flags: string[]): Promise<Verified> {
  const place = at();
  const code = await place.run('history', 'verify', '--level', 'structure,head,history', '--json', ...flags);
  const document = JSON.parse(place.stdout.text);
  const { structure, head, history } = document.levels;
  const levels = [structure, head, history];
  return {
    code,
    states: levels.map(({ state: one }) => one),
    seqs: levels.map(({ findings }) => findings[0]?.seq),
    offset: structure.findings[0]?.offset,
    document,
  };
}

/** A log whose entry says something else, with every hash from there on made to fit. */
const rewritten = (index: number): string[] =>
  chain(
    EMPTY,
    LOG,
    entries.map((entry, seq) => (seq === index ? { ...entry, actor: { ...entry.actor, id: 'eve' } } : entry)),
  ).lines.map(({ bytes }) => bytes.toString('utf8'));

it('a log as it was written holds at each level', async () => {
  expect(entries.length).toBeGreaterThan(30);
  expect(await verify()).toMatchObject({ code: 0, states: ['held', 'held', 'held'] });
});

it('a byte that was changed, a line deleted, doubled or exchanged is broken in the structure, at its entry', async () => {
  for (let seq = 0; seq < lines.length - 1; seq += 5) {
    const line = lines[seq] ?? '';
    const flipped = Buffer.from(line);
    const place = (seq * 131) % flipped.length;
    flipped[place] = (flipped[place] ?? 0) ^ 1;
    const changes: [number, string[]][] = [
      [seq, lines.toSpliced(seq, 1)],
      [seq + 1, lines.toSpliced(seq, 0, line)],
      [seq, lines.toSpliced(seq, 2, lines[seq + 1] ?? '', line)],
      [seq, lines.toSpliced(seq, 1, line.replace('"seq":', '"seq": '))],
      [seq, lines.toSpliced(seq, 1, line.replace('"typ"', '"\\u0074yp"'))],
      [seq, lines.toSpliced(seq, 1, flipped.toString('latin1'))],
    ];
    for (const [expected, changed] of changes) {
      put(changed);
      const found = await verify();
      expect([seq, found.code, ...found.states]).toEqual([seq, 3, 'broken', 'broken', 'broken']);
      expect([seq, found.seqs[0]]).toEqual([seq, expected]);
      const start = Buffer.byteLength(
        changed
          .slice(0, expected)
          .map((one) => `${one}\n`)
          .join(''),
      );
      expect(found.offset).toBeGreaterThanOrEqual(start);
      expect(found.offset).toBeLessThanOrEqual(start + Buffer.byteLength(changed[expected] ?? ''));
    }
  }
});

it('a cut at any line and within any line is broken at the head and in the history, with the first entry that is missing', async () => {
  for (let seq = 0; seq < lines.length; seq += 3) {
    put(lines.slice(0, seq));
    expect([seq, await verify()]).toMatchObject([seq, { code: 3, seqs: [undefined, seq, seq] }]);
    const part = (lines[seq] ?? '').slice(0, 40);
    writeFileSync(
      file(),
      `${lines
        .slice(0, seq)
        .map((line) => `${line}\n`)
        .join('')}${part}`,
    );
    expect([seq, await verify()]).toMatchObject([seq, { code: 3, seqs: [undefined, seq, seq] }]);
  }
});

it('an entry of another plan, with every hash made to fit, is broken in the structure', async () => {
  const body = (lines[9] ?? '').slice('{"body":'.length, -75).replaceAll(PLAN, 'plan-ffffffff');
  put(lines.toSpliced(9, 1, `{"body":${body},"hash":"${leafHashOf(body)}"}`));
  expect(await verify()).toMatchObject({ code: 3, states: ['broken', 'broken', 'broken'], seqs: [9, 9, 9] });
});

it('a chain rewritten without the key is broken at the head; with the key, in the history', async () => {
  put(rewritten(12));
  const without = await verify();
  expect(without).toMatchObject({ code: 3, states: ['held', 'broken', 'broken'] });
  expect(without.seqs[2]).toBe(12);

  // Whoever has the key and the user's state directory signs what is there, and the workflow's memory is not asked.
  rmSync(join(state, 'witness'), { recursive: true });
  rmSync(logPaths(layout, PLAN).checkpoint);
  const { head } = chain(EMPTY, LOG, []);
  const last = JSON.parse(rewritten(12).at(-1) ?? '');
  await signHead(logPaths(layout, PLAN), LOG, { ...head, size: entries.length, hash: last.hash }, { state });
  client.view = { ...client.view, audit: undefined };
  expect(await verify()).toMatchObject({
    code: 3,
    states: ['held', 'held', 'broken'],
    seqs: [undefined, undefined, 12],
  });
});

it('an older backup of the log, and a log whose folder is gone, are broken by what the witness and Temporal know', async () => {
  const folder = join(layout.audit, PLAN);
  rmSync(folder, { recursive: true });
  await appendEntries(layout, { plan: PLAN, log: LOG }, entries.slice(0, 20), {
    state: join(temp(), 'other'),
    sign: true,
  });
  // The checkpoint of then is signed as well, and by the same key it would hold; only the witness knows better.
  rmSync(logPaths(layout, PLAN).checkpoint);
  expect(await verify()).toMatchObject({ code: 3, states: ['held', 'broken', 'broken'], seqs: [undefined, 20, 20] });
  rmSync(folder, { recursive: true });
  expect(await verify()).toMatchObject({
    code: 3,
    states: ['not to be had', 'broken', 'broken'],
    seqs: [undefined, 0, 0],
  });
  // Each alone is enough.
  client.temporalPast = null;
  client.view = { ...client.view, audit: undefined };
  expect(await at().run('history', 'verify')).toBe(3);
  rmSync(join(state, 'witness'), { recursive: true });
  client.view = { ...client.view, audit: { size: 3, hash: 'a'.repeat(64) } };
  expect(await at().run('history', 'verify')).toBe(3);
});

describe('what cannot be had', () => {
  it('exits 4 where it was asked for, and 0 where it was not', async () => {
    client.temporalPast = null;
    expect(await at().run('history', 'verify', '--level', 'history')).toBe(4);
    expect(await at().run('history', 'verify', '--level', 'structure,head')).toBe(0);
    const place = at();
    await place.run('history', 'verify', '--level', 'structure,history');
    expect(place.stdout.text).toContain('history    not to be had');
  });

  it('is made good by an exported history where the server has forgotten the plan', async () => {
    client.temporalPast = { source: exportedHistory([]), read, run: null, isOpen: false };
    expect((await verify('--history', RECORDED)).states).toEqual(['held', 'held', 'held']);
    // And by one that the workspace keeps.
    mkdirSync(join(layout.histories, PLAN), { recursive: true });
    cpSync(RECORDED, join(layout.histories, PLAN, `${kept[0]?.run}.json`));
    expect((await verify()).states).toEqual(['held', 'held', 'held']);
    put(rewritten(12));
    expect((await verify()).seqs[2]).toBe(12);
  });

  it('is a history that was exported before the log ended: what it does not tell of is not compared', async () => {
    const history = JSON.parse(readFileSync(RECORDED, 'utf8'));
    const short = join(temp(), 'short.json');
    writeFileSync(short, JSON.stringify({ ...history, events: history.events.slice(0, 60) }));
    client.temporalPast = null;
    const found = await verify('--history', short);
    expect([found.code, found.states[2]]).toEqual([4, 'not to be had']);
    put(rewritten(3));
    expect((await verify('--history', short)).states[2]).toBe('broken');
  });
});

describe('history repair', () => {
  it('makes a cut log whole, byte for byte, and tells a changed one from the history', async () => {
    put(lines.slice(0, 12));
    expect(await at().run('history', 'repair', '--yes')).toBe(0);
    expect(readFileSync(file(), 'utf8')).toBe(lines.map((line) => `${line}\n`).join(''));
    put(lines.toSpliced(7, 1));
    const place = at();
    expect(await place.run('history', 'repair', '--yes', '--json')).toBe(0);
    expect(JSON.parse(place.stdout.text)).toMatchObject({ outcome: 'repaired', fault: { seq: 7 } });
    expect(await verify()).toMatchObject({ code: 0, document: { repairs: [lines.length] } });
    expect(readdirSync(join(layout.audit, PLAN, 'quarantine'))).toHaveLength(2);
  });

  it('without a history declares a break, which stays: exit 0 with a line, 3 with --strict', async () => {
    client.temporalPast = { source: exportedHistory([]), read, run: null, isOpen: false };
    client.view = { ...client.view, audit: undefined };
    put(lines.toSpliced(7, 1));
    expect(await at().run('history', 'repair', '--yes')).toBe(0);
    const place = at();
    expect(await place.run('history', 'verify')).toBe(0);
    expect(place.stdout.text).toContain('Declared break at entry 7');
    expect(await at().run('history', 'verify', '--strict')).toBe(3);
  });

  it('asks on a terminal, and refuses where nobody can be asked', async () => {
    put(lines.slice(0, 12));
    expect(await at().run('history', 'repair')).toBe(5);
    expect(await at({ tty: true, prompter: new FakePrompter(['n']) }).run('history', 'repair')).toBe(5);
    expect(readFileSync(file(), 'utf8').split('\n')).toHaveLength(13);
    expect(await at({ tty: true, prompter: new FakePrompter(['y']) }).run('history', 'repair')).toBe(0);
    expect((await verify()).code).toBe(0);
  });
});

describe('history audit and export', () => {
  it('filters by task, event, actor and time', async () => {
    const asked = async (...flags: string[]): Promise<{ seq: number; event: string }[]> => {
      const place = at();
      expect(await place.run('history', 'audit', '--json', ...flags)).toBe(0);
      return JSON.parse(place.stdout.text).entries.map(({ body }: { body: object }) => body);
    };
    expect(await asked()).toHaveLength(lines.length);
    const files = await asked('--event', 'file.,task.completed');
    expect(files.length).toBeGreaterThan(1);
    expect(files.every(({ event }) => event.startsWith('file.') || event === 'task.completed')).toBe(true);
    expect(await asked('--actor', 'nobody')).toEqual([]);
    const [, second] = entries;
    expect((await asked('--since', second?.at ?? ''))[0]?.seq).toBe(
      entries.findIndex(({ at: time }) => time >= (second?.at ?? '')),
    );
    expect(await at().run('history', 'audit', '--event', 'file')).toBe(2);
    expect(await at().run('history', 'audit', '--since', 'yesterday')).toBe(2);
  });

  it('shows nothing of a log that does not hold, and says where it stops', async () => {
    put(lines.toSpliced(7, 1));
    const place = at();
    expect(await place.run('history', 'audit')).toBe(3);
    expect(place.stdout.text.trimEnd().split('\n')).toHaveLength(7);
    expect(place.stderr.text).toContain('from entry 7 on');
  });

  it('shows what a hostile name holds as escapes, and no formula in a table', async () => {
    const hostile = entries.map((entry) => ({
      ...entry,
      actor: { kind: 'user', id: '=cmd|\u001b[2J\u202e', auth: 'claimed' } as const,
    }));
    rmSync(join(layout.audit, PLAN), { recursive: true });
    await appendEntries(layout, { plan: PLAN, log: LOG }, hostile);
    const place = at();
    await place.run('history', 'audit');
    expect(place.stdout.text).toContain('\\x1b[2J\\u202e');
    expect(place.stdout.text).not.toContain('\u001b');
    const table = at();
    await table.run('history', 'export', '--format', 'csv');
    expect(table.stdout.text.split('\r\n')).toHaveLength(lines.length + 2);
    expect(table.stdout.text).toContain(",'=cmd|");
  });

  it('exports the very bytes of the log', async () => {
    const place = at();
    expect(await place.run('history', 'export')).toBe(0);
    expect(place.stdout.text).toBe(readFileSync(file(), 'utf8'));
    expect(await at().run('history', 'export', '-o', 'log.jsonl')).toBe(0);
    expect(await at().run('history', 'export', '-o', 'log.jsonl')).toBe(2);
  });
});

it('a proof is checked without anything else, and a changed one shows nothing', async () => {
  expect(await at().run('history', 'prove', '5', '-o', 'proof.json')).toBe(0);
  const proof = JSON.parse(readFileSync(join(layout.root, 'proof.json'), 'utf8'));
  rmSync(layout.audit, { recursive: true });
  const elsewhere = at({ rooms: { connect: async () => Promise.reject(new UsageError('no server')) } });
  expect(await elsewhere.run('history', 'prove', '--check', 'proof.json', '--key', proof.key)).toBe(0);
  writeFileSync(join(layout.root, 'proof.json'), JSON.stringify({ ...proof, line: lines[6] }));
  expect(await at().run('history', 'prove', '--check', 'proof.json')).toBe(3);
  expect(await at().run('history', 'prove', '--check', 'proof.json', '--key', 'other+00000000+AAAA')).toBe(3);
  expect(await at().run('history', 'prove', '9999')).toBe(4);
  expect(await at().run('history', 'prove', 'x')).toBe(2);
});

describe('a check of a plan that Temporal has forgotten', () => {
  const replay = async (_plan: string, executions: readonly KeptHistory[]) =>
    executions.map(({ run, history }) => ({ run, events: history.events?.length ?? 0, fault: null }));
  const forgotten = async () => {
    throw new UnreachableError('Temporal has no event history of it.');
  };
  const check = (place: World, ...flags: string[]): Promise<number> =>
    place.run('history', 'check', PLAN, '--json', ...flags);

  it('reads what the workspace keeps, or the file that is given', async () => {
    client.histories = forgotten;
    expect(await check(at({ rooms: { replay } }))).toBe(4);
    const given = at({ rooms: { replay } });
    expect(await check(given, '--history', RECORDED)).toBe(0);
    const [{ run, history } = { run: '', history: {} }] = kept;
    const expected = { deterministic: true, missing: null, executions: [{ run, events: history.events?.length }] };
    expect(JSON.parse(given.stdout.text)).toMatchObject(expected);
    expect(given.stderr.text).toContain('The history that was kept is checked.');
    mkdirSync(join(layout.histories, PLAN), { recursive: true });
    cpSync(RECORDED, join(layout.histories, PLAN, `${run}.json`));
    const own = at({ rooms: { replay } });
    expect(await check(own)).toBe(0);
    expect(JSON.parse(own.stdout.text)).toMatchObject(expected);
  });

  it('puts what was kept before what Temporal still has, as far as one leads to the other', () => {
    const execution = (run: string, before: string): KeptHistory => ({
      run,
      history: historyFromJSON({
        events: [{ eventId: '1', workflowExecutionStartedEventAttributes: { continuedExecutionRunId: before } }],
      }),
    });
    const temporal = { executions: [execution('d', 'c')], missing: 'c' };
    const runs = (...own: KeptHistory[]) => {
      const { executions, missing } = withKept(temporal, own);
      return [executions.map(({ run }) => run), missing];
    };
    expect(runs(execution('b', ''), execution('c', 'b'))).toEqual([['b', 'c', 'd'], null]);
    expect(runs(execution('c', 'b'))).toEqual([['c', 'd'], 'b']);
    expect(runs(execution('b', ''))).toEqual([['d'], 'c']);
    expect(runs(execution('b', 'c'), execution('c', 'b'))).toEqual([['b', 'c', 'd'], null]);
    expect(withKept(null, [])).toEqual({ executions: [], missing: null });
  });
});
