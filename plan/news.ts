/**
 * Which notifications a change of the plan calls for. Pure: the workflow asks after each change, with what it told
 * before, so that nothing is told twice and nothing that happens between two looks is lost.
 */
import { DECISIONS } from './gates';
import type { RunKind } from './types';
import type { GateKind, GateView, PlanView, RunView } from './view';

/** What a sink may ask for. A thing that happens has one name for each sink: the first of its names that the sink asks for. */
export const NOTIFY_EVENTS = [
  'gate.opened',
  'gate.reminded',
  'gate.escalated',
  'gate.decided',
  'gate.expired',
  'gate.withdrawn',
  'plan.failed',
  'plan.stuck',
  'run.finished',
] as const;
export type NotifyEvent = (typeof NOTIFY_EVENTS)[number];

/** What a sink gets that asks for nothing in particular: all but a question that no longer stands. */
export const DEFAULT_EVENTS: readonly NotifyEvent[] = NOTIFY_EVENTS.filter((event) => event !== 'gate.withdrawn');

/** What the workflow has to know of a sink; its address and secret stay with the activity. */
export interface SinkRule {
  sink: string;
  events: readonly NotifyEvent[];
  /** Milliseconds for one attempt. */
  timeoutMs: number;
  /** Milliseconds after which a notification that could not be delivered counts as failed. */
  giveUpMs: number;
}

/** The gate that a notification is about: no content, digests only. */
export interface GateNews {
  gate: string;
  kind: GateKind;
  /** Number of the task; null where it is about the whole plan. */
  task: number | null;
  path: string | null;
  digest: string | null;
  risk: string;
  since: string;
  until: string | null;
  /** Who may decide; null: anyone. */
  by: string[] | null;
  diffStat: { added: number; removed: number };
}

/** One thing that happened, told to each sink that asks for it. */
export interface News {
  /** From the most special name to the most general. */
  names: readonly NotifyEvent[];
  /** Counts the news of one plan from 1; two deliveries of one thing have the same. */
  seq: number;
  /** ISO time. */
  at: string;
  plan: { id: string; name: string; goal: string; status: string; risk: string };
  run: { number: number; kind: RunKind; status: string } | null;
  gate: GateNews | null;
  decision: { decision: string; by: string; reason: string | null; at: string } | null;
  /** Why the plan or the run failed. */
  reason: string | null;
  /** Tasks by status, at the end of a run. */
  tasks: { [status: string]: number } | null;
  /** The line to type next. */
  command: string;
}

/** What was told of a plan. */
export interface Told {
  seq: number;
  /** Gates that were open at the last look, with what had become of them. */
  gates: { [gate: string]: { reminded: boolean; escalated: boolean } };
  /** Runs that were over. */
  runs: number;
  planningFailed: boolean;
}

export const NOTHING_TOLD: Told = { seq: 0, gates: {}, runs: 0, planningFailed: false };

type Happening = Omit<News, 'seq' | 'at' | 'plan'>;

/**
 * @param decided gates that were decided, newest last
 * @param at ISO time
 */
export function newsSince(
  told: Told,
  view: PlanView,
  decided: readonly GateView[],
  at: string,
): { told: Told; news: News[] } {
  const happenings = [...gateHappenings(told, view, decided), ...runHappenings(told, view)];
  const { id, name, goal, status, risk } = view;
  const news = happenings.map(
    (happening, index): News => ({
      ...happening,
      seq: told.seq + index + 1,
      at,
      plan: { id, name, goal, status, risk },
    }),
  );
  return {
    told: {
      seq: told.seq + news.length,
      gates: Object.fromEntries(view.gates.map((gate) => [gate.gate, stageOf(gate)])),
      runs: over(view).length,
      planningFailed: planningFailed(view),
    },
    news,
  };
}

/** @returns the name by which a sink is told of a thing; null where it did not ask for it */
export function nameFor(rule: Pick<SinkRule, 'events'>, names: readonly NotifyEvent[]): NotifyEvent | null {
  return names.find((name) => rule.events.includes(name)) ?? null;
}

/** The line that decides a gate. */
export function commandFor(plan: string, { gate, kind, signed }: Pick<GateView, 'gate' | 'kind' | 'signed'>): string {
  const key = signed ? ' --key FILE' : '';
  if (DECISIONS[kind].includes('approve')) return `planwright approve ${plan} --gate ${gate}${key}`;
  return `planwright decide ${plan} --gate ${gate} ${DECISIONS[kind][0]}${kind === 'budget' ? ' --value LIMIT' : ''}${key}`;
}

const over = (view: PlanView): RunView[] => view.runs.filter(({ status }) => status !== 'running');
const planningFailed = (view: PlanView): boolean => view.failure !== null && view.runs.length === 0;
const runNews = (run: RunView | undefined): Happening['run'] =>
  run ? { number: run.number, kind: run.kind, status: run.status } : null;

/** What deadlines of the policy did to an open gate. */
const stageOf = ({ remindedAt, escalatedAt }: GateView): Told['gates'][string] => ({
  reminded: remindedAt !== undefined,
  escalated: escalatedAt !== undefined,
});

function gateHappenings(told: Told, view: PlanView, decided: readonly GateView[]): Happening[] {
  const open = new Set(view.gates.map(({ gate }) => gate));
  const closed = Object.keys(told.gates).filter((gate) => !open.has(gate));
  return [
    ...closed.flatMap((gate) =>
      closedHappening(
        view,
        decided.findLast((one) => one.gate === gate),
      ),
    ),
    ...view.gates.flatMap((gate) => openHappenings(view, gate, told.gates[gate.gate])),
  ];
}

function openHappenings(view: PlanView, gate: GateView, before: Told['gates'][string] | undefined): Happening[] {
  const now = stageOf(gate);
  const names: NotifyEvent[][] = [];
  if (!before) names.push(gate.kind === 'stuck' ? ['plan.stuck', 'gate.opened'] : ['gate.opened']);
  if (now.reminded && !before?.reminded) names.push(['gate.reminded']);
  if (now.escalated && !before?.escalated) names.push(['gate.escalated']);
  return names.map((one) => ({
    ...NO_DETAILS,
    names: one,
    run: runNews(view.runs.at(-1)),
    gate: gateNews(view, gate),
    command: commandFor(view.id, gate),
  }));
}

function closedHappening(view: PlanView, gate: GateView | undefined): Happening[] {
  if (!gate?.outcome) return [];
  const { decision, by, reason, at } = gate.outcome;
  return [
    {
      ...NO_DETAILS,
      names: namesOf(decision),
      run: runNews(view.runs.at(-1)),
      gate: gateNews(view, gate),
      decision: { decision, by, reason, at },
      command: `planwright watch ${view.id}`,
    },
  ];
}

function namesOf(decision: string): NotifyEvent[] {
  if (decision === 'void') return ['gate.withdrawn'];
  return decision === 'expire' ? ['gate.expired', 'gate.decided'] : ['gate.decided'];
}

function runHappenings(told: Told, view: PlanView): Happening[] {
  const finished = over(view).slice(told.runs);
  const happenings = finished.map((run): Happening => {
    const failed = run.status === 'failed' || run.status === 'partial';
    return {
      ...NO_DETAILS,
      names: failed ? ['plan.failed', 'run.finished'] : ['run.finished'],
      run: runNews(run),
      reason: run.reason,
      tasks: countTasks(view),
      command: failed ? `planwright apply ${view.id} --resume --retry` : `planwright plan show ${view.id}`,
    };
  });
  if (!planningFailed(view) || told.planningFailed) return happenings;
  const reason = view.failure?.message ?? null;
  return [...happenings, { ...NO_DETAILS, names: ['plan.failed'], reason, command: `planwright plan show ${view.id}` }];
}

const NO_DETAILS = { run: null, gate: null, decision: null, reason: null, tasks: null } as const;

function gateNews(view: PlanView, gate: GateView): GateNews {
  const { kind, path, digest, risk, since, until, diffStat, may: by = null } = gate;
  const task = gate.task === null ? null : (view.tasks[gate.task]?.number ?? null);
  return { gate: gate.gate, kind, task, path, digest, risk, since, until, by, diffStat };
}

function countTasks(view: PlanView): { [status: string]: number } {
  const counts: { [status: string]: number } = {};
  for (const { status } of Object.values(view.tasks)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
