import { readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils';
import { chain, EMPTY } from '../../audit/chain';
import { allEntries, executionsUpTo, exportedHistory, type HistorySource, temporalHistory } from '../../audit/history';
import { payloadReader } from '../../audit/history-events';
import { logName } from '../../audit/mirror';
import type { Entry } from '../../audit/types';
import { type WorkspaceLayout, workspaceLayout } from '../../store/layout';
import { AuditMirror } from '../../worker/audit-mirror';
import { type Driver, node, usePlans } from '../workflows/fake-world';

const start = usePlans();
const folders: string[] = [];
const mirrors: AuditMirror[] = [];

afterEach(async () => {
  await Promise.all(mirrors.splice(0).map((mirror) => mirror.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface Audited {
  plan: Driver;
  layout: WorkspaceLayout;
  mirror: AuditMirror;
  warnings: string[];
}

async function audited(): Promise<Audited> {
  const plan = await start();
  const root = realpathSync(await mkdtemp(join(tmpdir(), 'planwright-mirror-')));
  folders.push(root);
  const layout = workspaceLayout(root);
  const made = await workspaceMirror(plan, layout);
  plan.world.mirror = made.mirror;
  return { plan, layout, ...made };
}

async function workspaceMirror(plan: Driver, layout: WorkspaceLayout) {
  rmSync(layout.dir, { recursive: true, force: true });
  return newMirror(plan, layout);
}

function newMirror(plan: Driver, layout: WorkspaceLayout): { mirror: AuditMirror; warnings: string[] } {
  const warnings: string[] = [];
  const log = { warn: (fields: object) => warnings.push(JSON.stringify(fields)) };
  const mirror = new AuditMirror(layout, () => plan.client, log);
  mirrors.push(mirror);
  return { mirror, warnings };
}

const logFile = ({ plan, layout }: Audited): string => join(layout.audit, plan.id, '000001.jsonl');
const bytes = (audit: Audited): string => readFileSync(logFile(audit), 'utf8');
const entriesOnDisk = (audit: Audited): Entry['body'][] =>
  bytes(audit)
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as Entry).body);

/** The log as it is made anew from the history alone. */
async function rebuilt(
  { plan }: Audited,
  source: HistorySource = temporalHistory(plan.client, plan.id),
): Promise<string> {
  const { runId } = await plan.handle.describe();
  const read = payloadReader(plan.client.options.loadedDataConverter);
  const entries = [];
  for await (const entry of allEntries(source, read, await executionsUpTo(source, runId))) entries.push(entry);
  const { lines } = chain(EMPTY, logName(plan.client.options.namespace, plan.id), entries);
  return lines.map((line) => `${line.bytes.toString('utf8')}\n`).join('');
}

/** Everything that the history holds by now is in the log when this returns. */
async function caughtUp(audit: Audited): Promise<void> {
  audit.mirror.changed(audit.plan.id);
  await audit.mirror.flush(30_000);
}

describe('the audit log of a plan', () => {
  it('is what the history gives, byte for byte, and no entry is missing or twice', async () => {
    const audit = await audited();
    const { plan } = audit;
    plan.world.script.graph = { nodes: [node('1'), node('2'), node('3', ['2']), node('4', ['1'])] };
    await plan.plan();
    await plan.run({ yes: true });
    await plan.undo('rollback');
    await caughtUp(audit);
    expect(bytes(audit)).toBe(await rebuilt(audit));
    const events = entriesOnDisk(audit).map(({ event }) => event);
    const count = (name: string): number => events.filter((event) => event === name).length;
    expect(events[0]).toBe('plan.created');
    expect(events.at(-1)).toBe('undo.finished');
    expect(['llm.called', 'verification.done', 'file.written', 'task.completed', 'file.removed'].map(count)).toEqual([
      5, 4, 4, 4, 4,
    ]);
    expect(audit.warnings).toEqual([]);
  });

  it('holds the decision on a file before that file changes', async () => {
    const audit = await audited();
    const { plan } = audit;
    plan.world.script.graph = { nodes: [node('1'), node('2')] };
    const seen: { [task: string]: Entry['body'][] } = {};
    plan.world.script.beforeWrite = (task) => {
      seen[task] = entriesOnDisk(audit);
    };
    await plan.plan();
    await plan.apply();
    const { gates } = await plan.until((view) => view.gates.length === 2);
    for (const { gate } of gates) await plan.decide({ gate, decision: 'approve', by: 'ana', reason: 'as agreed' });
    const view = await plan.settled();
    for (const { gate, task } of gates) {
      const decided = seen[task ?? '']?.find(({ event, data }) => event === 'gate.decided' && data.gate === gate);
      expect(decided).toMatchObject({
        actor: { kind: 'user', id: 'ana', auth: 'claimed' },
        data: { decision: 'approve' },
      });
    }
    // What the workflow was told of the log stands in its own state, for whoever cuts the log later.
    const { size = 0, hash } = view.audit ?? {};
    const line = JSON.parse(bytes(audit).split('\n')[size - 1] ?? '{}') as Entry;
    expect(line.hash).toBe(hash);
  });

  it('is written by many writers at once as by one, with fewer readings than writes', async () => {
    const audit = await audited();
    const { plan } = audit;
    const ids = Array.from({ length: 30 }, (_, index) => `t${index}`);
    plan.world.script.graph = { nodes: ids.map((id) => node(id)) };
    const service = jest.spyOn(plan.client.workflowService, 'getWorkflowExecutionHistoryReverse');
    await plan.plan();
    await plan.run({ yes: true });
    const readings = service.mock.calls.length;
    service.mockRestore();
    await caughtUp(audit);
    expect(bytes(audit)).toBe(await rebuilt(audit));
    expect(readings).toBeLessThan(ids.length);
  });

  it('goes on in a new execution of the plan', async () => {
    const audit = await audited();
    const { plan } = audit;
    await plan.plan();
    await plan.run({ yes: true, task: '1' });
    const { runId: first } = await plan.handle.describe();
    for (let sent = 0; sent < 4_500_000; sent += 1_000_000) {
      const noise = { gate: 'gate-none', decision: 'approve', by: 'noise', reason: 'x'.repeat(100_000) };
      await Promise.all(Array.from({ length: 10 }, () => plan.handle.signal('decide', noise)));
      await plan.view();
    }
    const until = Date.now() + 30_000;
    // That the history is long enough is seen at the next event.
    while ((await plan.handle.describe()).runId === first) {
      if (Date.now() > until) throw new Error('the plan did not continue as new');
      await plan.handle.signal('decide', { gate: 'gate-none', decision: 'approve', by: 'noise' });
      await plan.view();
    }
    await plan.run({ yes: true, resume: true });
    await caughtUp(audit);
    expect(bytes(audit)).toBe(await rebuilt(audit));
    const entries = entriesOnDisk(audit);
    expect(entries.filter(({ event }) => event === 'plan.continued')).toMatchObject([
      { eventId: 1, data: { previous: first } },
    ]);
    expect(entries.filter(({ event }) => event === 'decision.refused').length).toBeGreaterThanOrEqual(40);
    expect(entries.filter(({ event }) => event === 'file.written')).toHaveLength(3);
  }, 90_000);

  it('is made again with the same bytes when it was deleted, and goes on where another process left it', async () => {
    const audit = await audited();
    const { plan, layout } = audit;
    await plan.plan();
    await plan.run({ yes: true, task: '1' });
    await caughtUp(audit);
    const before = bytes(audit);
    rmSync(layout.audit, { recursive: true });
    // Another process, which remembers nothing.
    const other = { ...audit, ...newMirror(plan, layout) };
    await caughtUp(other);
    expect(bytes(audit)).toBe(before);
    await plan.run({ yes: true, resume: true });
    await Promise.all([caughtUp(audit), caughtUp(other)]);
    expect(bytes(audit)).toBe(await rebuilt(audit));
    expect(bytes(audit).startsWith(before)).toBe(true);
  });

  it('is the same from an exported history', async () => {
    const audit = await audited();
    const { plan } = audit;
    await plan.plan();
    await plan.run({ yes: true });
    await caughtUp(audit);
    const json = historyToJSON(await plan.handle.fetchHistory());
    expect(await rebuilt(audit, exportedHistory([historyFromJSON(JSON.parse(json))]))).toBe(bytes(audit));
  });
});

describe('while the audit log cannot be written', () => {
  /** A file where the folder of the logs should be: as root, permissions would stop nobody. */
  async function blocked(audit: Audited): Promise<void> {
    await caughtUp(audit);
    rmSync(audit.layout.audit, { recursive: true });
    writeFileSync(audit.layout.audit, '');
  }

  it('no file changes, the plan waits and says why, and it goes on when the log can be written', async () => {
    const audit = await audited();
    const { plan, layout } = audit;
    plan.world.script.graph = { nodes: [node('1'), node('2')] };
    await plan.plan();
    await blocked(audit);
    await plan.apply({ yes: true });
    const waiting = await plan.until((view) => view.blocked?.tasks.length === 2);
    expect(waiting.status).toBe('waiting');
    expect(waiting.blocked?.reason).toContain('audit log');
    expect(waiting.tasks['1']?.reason).toContain('waits until the audit log can be written');
    expect([...plan.world.disk.keys()]).toEqual([]);
    expect(plan.world.calls.filter((call) => call.startsWith('write'))).toEqual([]);
    rmSync(layout.audit);
    const view = await plan.settled();
    expect(view).toMatchObject({ status: 'completed', tasks: { 1: { reason: null }, 2: { reason: null } } });
    expect(view.blocked).toBeUndefined();
    expect([...plan.world.disk.keys()].sort()).toEqual(['1.txt', '2.txt']);
    await caughtUp(audit);
    expect(bytes(audit)).toBe(await rebuilt(audit));
    expect(entriesOnDisk(audit).filter(({ event }) => event === 'audit.unwritable')).toHaveLength(1);
  });

  it('a run can be cancelled, and nothing was written', async () => {
    const audit = await audited();
    const { plan, layout } = audit;
    plan.world.script.graph = { nodes: [node('1')] };
    await plan.plan();
    await blocked(audit);
    await plan.apply({ yes: true });
    await plan.until((view) => view.blocked !== undefined);
    await plan.handle.executeUpdate('cancel', { args: [{ by: 'ana', reason: 'enough' }] });
    const view = await plan.view();
    expect(view).toMatchObject({ status: 'cancelled', tasks: { 1: { status: 'cancelled' } } });
    expect(view.blocked).toBeUndefined();
    expect([...plan.world.disk]).toEqual([]);
    rmSync(layout.audit);
    // Nothing was written, so that there is nothing to take back.
    await expect(plan.undo('rollback')).rejects.toMatchObject({ cause: { type: 'NotReady' } });
  });

  it('a rollback takes nothing back and says why', async () => {
    const audit = await audited();
    const { plan, layout } = audit;
    await plan.plan();
    await plan.run({ yes: true });
    await blocked(audit);
    const view = await plan.undo('rollback');
    expect(view.undo).toMatchObject({ status: 'failed', error: { type: 'AuditUnwritable' } });
    expect(plan.world.disk.size).toBe(3);
    rmSync(layout.audit);
    expect((await plan.undo('rollback')).status).toBe('rolled_back');
    await caughtUp(audit);
    expect(bytes(audit)).toBe(await rebuilt(audit));
  });
});
