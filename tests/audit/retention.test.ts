/** What is left of a plan's history when the server has forgotten it: real server, real log, real objects. */
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type History, historyToJSON } from '@temporalio/common/lib/proto-utils';
import { createExportHistory } from '../../activities/export-history';
import { executionsUpTo, temporalHistory } from '../../audit/history';
import { unpackHistory } from '../../audit/history-object';
import type { Entry } from '../../audit/types';
import { AuditDesk } from '../../client/audit/desk';
import { allKept } from '../../client/audit/history-objects';
import { withKept } from '../../client/audit/kept-histories';
import { planHistories, planPast } from '../../client/histories';
import type { PlanClient } from '../../client/types';
import { canonicalJson } from '../../plan/canonical';
import { sha256 } from '../../plan/digest';
import { collectGarbage } from '../../store/gc';
import { type WorkspaceLayout, workspaceLayout } from '../../store/layout';
import { ObjectStore } from '../../store/objects';
import { AuditMirror } from '../../worker/audit-mirror';
import { planView } from '../client/cli/views';
import { FakeClient } from '../client/cli/world';
import { type Driver, terminal, usePlans } from '../workflows/fake-world';

jest.setTimeout(120_000);

/** An execution is removed once its shard has noted that it is over, every half minute unless told. */
const start = usePlans(['history.transferProcessorUpdateAckInterval="1s"']);
const folders: string[] = [];
const mirrors: AuditMirror[] = [];

afterEach(async () => {
  await Promise.all(mirrors.splice(0).map((mirror) => mirror.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface Kept {
  plan: Driver;
  layout: WorkspaceLayout;
  mirror: AuditMirror;
  state: string;
}

async function audited(): Promise<Kept> {
  const plan = await start();
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'planwright-retention-')));
  folders.push(root);
  const layout = workspaceLayout(root);
  const state = join(root, 'state');
  const mirror = new AuditMirror(layout, () => plan.client, { warn: () => undefined }, { state });
  mirrors.push(mirror);
  plan.world.mirror = mirror;
  plan.world.script.exportHistory = createExportHistory(layout, (id, execution) =>
    plan.client.workflow.getHandle(id, execution).fetchHistory(),
  );
  return { plan, layout, mirror, state };
}

/** Decisions on a gate that nobody opened, until the plan goes on in a new execution. */
async function intoNextExecution(plan: Driver): Promise<void> {
  const runId = async (): Promise<string> => (await plan.handle.describe()).runId;
  const first = await runId();
  const noise = () =>
    plan.handle.signal('decide', { gate: 'gate-none', decision: 'approve', by: 'noise', reason: 'x' });
  for (let sent = 0; sent < 2_400 && (await runId()) === first; sent += 100) {
    await Promise.all(Array.from({ length: 100 }, noise));
    await plan.view();
  }
  expect(await runId()).not.toBe(first);
}

async function mirrored({ plan, mirror }: Kept): Promise<void> {
  mirror.changed(plan.id);
  await mirror.flush(30_000);
}

/** Without the order of the keys in Temporal's maps, which differs from one reading to the next. */
const digestOf = (history: History): string => sha256(canonicalJson(JSON.parse(historyToJSON(history))));

const logged = ({ plan, layout }: Kept): Entry['body'][] =>
  readFileSync(join(layout.audit, plan.id, '000001.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as Entry).body);

/** Waits for an entry: what the workflow does beside its plan is nobody's answer. */
async function entry(kept: Kept, event: string): Promise<Entry['body']> {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    await mirrored(kept);
    const found = logged(kept).find((one) => one.event === event);
    if (found) return found;
  }
  throw new Error(`the log has no ${event}`);
}

const executions = async ({ plan }: Kept): Promise<string[]> =>
  (await executionsUpTo(temporalHistory(plan.client, plan.id), (await plan.handle.describe()).runId)).runs;

/** As the server does when the retention is over. */
async function forget({ plan }: Kept, runs: readonly string[]): Promise<void> {
  const source = temporalHistory(plan.client, plan.id);
  const { namespace } = plan.client.options;
  for (const runId of runs) {
    const workflowExecution = { workflowId: plan.id, runId };
    await plan.client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution });
    const end = Date.now() + 30_000;
    while ((await source.first(runId)) !== null) if (Date.now() > end) throw new Error(`${runId} is still there`);
  }
}

async function verify({ plan, layout, state }: Kept) {
  const desk = new AuditDesk({ layout, state, namespace: plan.client.options.namespace });
  const client: PlanClient = new FakeClient({ ...planView(), id: plan.id });
  client.past = (id) => planPast(plan.client, id);
  // Long after all of it: nothing is excused for being young.
  const now = (): number => Date.parse('2100-01-01T00:00:00Z');
  return desk.verify(plan.id, client, { files: [], levels: ['structure', 'history'], now });
}

it('each execution keeps the history of the one before it, which then holds without Temporal', async () => {
  const kept = await audited();
  const { plan, layout } = kept;
  await plan.plan();
  await plan.run({ yes: true });
  await intoNextExecution(plan);
  const { data, actor } = await entry(kept, 'history.exported');
  const [first] = await executions(kept);
  const before = await plan.client.workflow.getHandle(plan.id, first).fetchHistory();
  expect(actor.kind).toBe('worker');
  expect(data).toMatchObject({ execution: first, events: before.events?.length });
  const object = String(data.object);
  const unpacked = await unpackHistory(await new ObjectStore(layout.objects).get(object));
  expect(digestOf(unpacked)).toBe(digestOf(before));

  await forget(kept, [first ?? '']);
  // Nothing but the log and the note refers to it.
  await collectGarbage(layout, { references: new Set(), graceMs: 0, dryRun: false });
  const held = await verify(kept);
  expect(held.levels.history).toMatchObject({ state: 'held', findings: [] });
  expect(held.levels.history.notes.join()).toContain(`${logged(kept).length} entries are those of the event history`);

  const { executions: all, missing } = withKept(
    await planHistories(plan.client, plan.id),
    (await allKept(layout, plan.id)).histories,
  );
  expect(missing).toBeNull();
  expect(all.map(({ run }) => run)[0]).toBe(first);
  expect(all).toHaveLength(2);

  const path = join(layout.objects, object.slice(0, 2), object.slice(2));
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  chmodSync(path, 0o600);
  writeFileSync(path, bytes);
  const broken = await verify(kept);
  expect(broken.broken).toContain('history');
  expect(broken.levels.history.findings[0]).toMatchObject({ expected: expect.stringContaining(object) });

  rmSync(path);
  expect((await verify(kept)).levels.history.state).toBe('not to be had');
});

it('a history that cannot be kept holds nothing up: it is on record, and the plan goes on', async () => {
  const kept = await audited();
  const { plan } = kept;
  plan.world.script.exportHistory = async () => {
    throw terminal('DiskFull', 'no room is left');
  };
  await plan.plan();
  await intoNextExecution(plan);
  expect((await plan.run({ yes: true })).status).toBe('completed');
  const [first] = await executions(kept);
  expect((await entry(kept, 'history.unexported')).data).toEqual({ execution: first, reason: 'no room is left' });
});

it('a plan that was deleted is verified against what was kept of it when Temporal knows nothing any more', async () => {
  const kept = await audited();
  const { plan } = kept;
  await plan.plan();
  await plan.run({ yes: true });
  await intoNextExecution(plan);
  await entry(kept, 'history.exported');
  await plan.handle.executeUpdate('delete', { args: [{ by: 'tester' }] });
  await plan.handle.result();
  await entry(kept, 'plan.deleted');
  await mirrored(kept);
  await forget(kept, await executions(kept));
  const { history } = (await verify(kept)).levels;
  expect(history).toMatchObject({ state: 'held', findings: [] });
  expect(history.notes.join()).toContain('from the exported history');
});
