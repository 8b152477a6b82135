/** Policies for the plans of tests, the ways in which a decision can come, and what the history says of it. */
import { tmpdir } from 'node:os';
import { checkData } from '../../audit/events';
import { TemporalPlanClient } from '../../client/plan-client';
import { FACTS_MEMO, type Fact } from '../../plan/facts';
import { NO_DEADLINES, NO_RULES, type PolicyRules, type Rule } from '../../plan/rules/types';
import type { Decide, PlanView } from '../../plan/view';
import { workspaceLayout } from '../../store/layout';
import type { Driver } from './fake-world';

export const ruled = (name: string, change: Partial<Rule> = {}): Rule => ({
  name,
  gates: ['file'],
  tools: null,
  paths: null,
  risk: null,
  approvals: 1,
  by: null,
  excludeRequester: false,
  deadlines: null,
  ...change,
});

/** Sets the world's policy for the runs that begin from now on. */
export function setRules(plan: Driver, rules: Partial<PolicyRules>): void {
  const { policy } = plan.world.script;
  plan.world.script.policy = { ...policy, rules: { ...NO_RULES, ...rules } };
}

export const within = (change: Partial<Rule['deadlines']>): Rule['deadlines'] => ({ ...NO_DEADLINES, ...change });

/** The product's own client. */
export function productClient({ client, world }: Driver): TemporalPlanClient {
  const link = { client, address: 'test', revive: async () => undefined, close: async () => undefined };
  // The queue tells which workspace a plan belongs to.
  const layout = { ...workspaceLayout(tmpdir()), id: world.taskQueue.replace(/^planwright-/, '') };
  return new TemporalPlanClient(layout, link, '');
}

export const WAYS = ['update', 'signal', 'client'] as const;
export type Way = (typeof WAYS)[number];

/** Sends a decision. @returns the type of its failure; null where it was taken, or where nobody says */
export async function send(plan: Driver, way: Way, decision: Decide): Promise<string | null> {
  try {
    if (way === 'signal') await plan.handle.signal('decide', decision);
    else if (way === 'client') await productClient(plan).decide(plan.id, decision);
    else await plan.decide(decision);
    // Its answer comes only when the signal before it was dealt with.
    await plan.view();
    return null;
  } catch (error) {
    const { cause } = error as { cause?: { type?: string } };
    return cause?.type ?? 'refused';
  }
}

/** All facts of the plan, over all its executions; each has the shape of its event. */
export async function facts(plan: Driver): Promise<Fact[]> {
  const converter = plan.client.options.loadedDataConverter.payloadConverter;
  const found: Fact[] = [];
  for (const runId of await executions(plan)) {
    const { events } = await plan.client.workflow.getHandle(plan.id, runId).fetchHistory();
    for (const event of events ?? []) {
      const payload = event.workflowPropertiesModifiedEventAttributes?.upsertedMemo?.fields?.[FACTS_MEMO];
      if (payload) found.push(...converter.fromPayload<Fact[]>(payload));
    }
  }
  for (const { event, data } of found) expect(checkData(event, data)).toBeNull();
  return found;
}

async function executions(plan: Driver): Promise<string[]> {
  const ids: string[] = [];
  let next: string | undefined = (await plan.handle.describe()).runId;
  while (next) {
    ids.unshift(next);
    const { events } = await plan.client.workflow.getHandle(plan.id, next).fetchHistory();
    next = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
  }
  return ids;
}

export const named = (all: readonly Fact[], event: string): Fact[] => all.filter((fact) => fact.event === event);

export const gateOf = (view: PlanView, path: string): PlanView['gates'][number] => {
  const gate = view.gates.find((open) => open.path === path);
  if (!gate) throw new Error(`no gate for ${path}`);
  return gate;
};

/** Another worker takes the plan over, with nothing cached: it replays the whole history. */
export async function anotherWorker(plan: Driver): Promise<void> {
  await plan.stopWorker();
  await plan.startWorker();
}

/** Fills the history until the plan, which waits, continues as new. */
export async function intoNextExecution(plan: Driver): Promise<void> {
  const { runId } = await plan.handle.describe();
  for (let sent = 0; (await plan.handle.describe()).runId === runId; sent += 100) {
    if (sent > 5_000) throw new Error('the plan did not continue as new');
    const noise = { gate: 'gate-none', decision: 'approve', by: 'noise' };
    await Promise.all(Array.from({ length: 100 }, () => plan.handle.signal('decide', noise)));
    await plan.view();
  }
}

/** Timers of the plan's latest execution whose summary has these words: when each is to fire, and whether it has. */
export async function timersOf(plan: Driver, words: string): Promise<{ at: string; fired: boolean }[]> {
  const { payloadConverter } = plan.client.options.loadedDataConverter;
  const { events } = await plan.handle.fetchHistory();
  const all = events ?? [];
  const byId = (id: unknown) => all.find(({ eventId }) => String(eventId) === String(id));
  const fired = new Set(all.map(({ timerFiredEventAttributes }) => timerFiredEventAttributes?.timerId));
  return all.flatMap(({ timerStartedEventAttributes: timer, userMetadata }) => {
    if (!timer || !userMetadata?.summary) return [];
    if (!payloadConverter.fromPayload<string>(userMetadata.summary).includes(words)) return [];
    // The workflow's own clock stood at the start of the task that set the timer.
    const task = byId(timer.workflowTaskCompletedEventId)?.workflowTaskCompletedEventAttributes?.startedEventId;
    const at = msOf(byId(task)?.eventTime) + msOf(timer.startToFireTimeout);
    return [{ at: new Date(at).toISOString(), fired: fired.has(timer.timerId) }];
  });
}

const msOf = (time: { seconds?: unknown; nanos?: number | null } | null | undefined): number =>
  Number(time?.seconds ?? 0) * 1_000 + Math.floor((time?.nanos ?? 0) / 1_000_000);

/** Waits until the server has fired such a timer: no worker is needed for it. */
export async function timerFired(plan: Driver, words: string): Promise<void> {
  while (!(await timersOf(plan, words)).some(({ fired }) => fired)) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
