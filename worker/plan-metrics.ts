/**
 * What is measured of plans, from their plan files: all workers of a workspace therefore report the same numbers, whichever
 * of them carries a plan out. Pure.
 */
import type { PlanView } from '../plan/view';
import { type Family, histogram, type Sample } from './exposition';

/** Every state has a number, so that 0 is told and not missing. */
const STATES = [
  ...(['planning', 'ready', 'running', 'waiting', 'paused', 'completed'] as const),
  ...(['partial', 'failed', 'cancelled', 'rolled_back', 'cleaned'] as const),
];

/** Upper bounds in seconds of what a task takes, waits for people included. */
const TASK_SECONDS = [0.5, 1, 2, 5, 10, 30, 60, 300, 1_800, 7_200, 86_400];

/** What metrics need of a plan, so that no more of it is kept in memory. */
export interface PlanFigures {
  status: PlanView['status'];
  /** Open gates. */
  gates: { kind: string; since: number }[];
  promptTokens: number;
  completionTokens: number;
  calls: number;
  /** Seconds of each completed task. */
  taskSeconds: number[];
  verdicts: { verifier: string; verdict: string }[];
  /** Milliseconds since the epoch from which on writes wait for the audit log; null: none does. */
  blockedSince: number | null;
}

export function figuresOf(view: PlanView): PlanFigures {
  const tasks = Object.values(view.tasks);
  return {
    status: view.status,
    gates: view.gates.map(({ kind, since }) => ({ kind, since: Date.parse(since) })),
    ...{ promptTokens: view.usage.promptTokens, completionTokens: view.usage.completionTokens },
    calls: view.usage.calls,
    taskSeconds: tasks.flatMap(({ status, startedAt, completedAt }) =>
      status === 'completed' && startedAt && completedAt
        ? [Math.max(0, (Date.parse(completedAt) - Date.parse(startedAt)) / 1_000)]
        : [],
    ),
    verdicts: tasks.flatMap(({ verification }) => verification.map(({ verifier, verdict }) => ({ verifier, verdict }))),
    blockedSince: view.blocked ? Date.parse(view.blocked.since) : null,
  };
}

/**
 * @param workspace its id
 * @param now milliseconds since the epoch
 */
export function planFamilies(workspace: string, plans: readonly PlanFigures[], now: number): Family[] {
  const own = { workspace };
  const gates = plans.flatMap((plan) => plan.gates);
  const kinds = counted(gates.map(({ kind }) => kind));
  const age = (since: number[]): number => (since.length === 0 ? 0 : Math.max(0, now - Math.min(...since)) / 1_000);
  const sum = (of: (plan: PlanFigures) => number): number => plans.reduce((total, plan) => total + of(plan), 0);
  const verdicts = counted(plans.flatMap((plan) => plan.verdicts.map((one) => `${one.verifier}\0${one.verdict}`)));
  const gauge = (name: string, help: string, samples: Sample[]): Family => ({ name, help, type: 'gauge', samples });
  return [
    gauge(
      'planwright_plans',
      'Plans by state.',
      STATES.map((state) => ({
        labels: { ...own, state },
        value: plans.filter(({ status }) => status === state).length,
      })),
    ),
    gauge(
      'planwright_gates_waiting',
      'Gates that wait for a decision.',
      [...(kinds.size > 0 ? kinds : new Map([['file', 0]]))].map(([kind, value]) => ({
        labels: { ...own, kind },
        value,
      })),
    ),
    gauge('planwright_gate_oldest_seconds', 'How long the oldest open gate has waited; 0 where none waits.', [
      { labels: own, value: age(gates.map(({ since }) => since)) },
    ]),
    gauge('planwright_blocked_seconds', 'How long the oldest write has waited for the audit log; 0 where none waits.', [
      { labels: own, value: age(plans.flatMap(({ blockedSince }) => blockedSince ?? [])) },
    ]),
    gauge('planwright_tokens', 'Tokens that the plans at hand have used.', [
      { labels: { ...own, direction: 'prompt' }, value: sum(({ promptTokens }) => promptTokens) },
      { labels: { ...own, direction: 'completion' }, value: sum(({ completionTokens }) => completionTokens) },
    ]),
    gauge('planwright_model_calls', 'Calls of a model that the plans at hand have made.', [
      { labels: own, value: sum(({ calls }) => calls) },
    ]),
    gauge(
      'planwright_verdicts',
      'Verdicts on the current artifacts.',
      [...verdicts].map(([key, value]) => {
        const [verifier = '', verdict = ''] = key.split('\0');
        return { labels: { ...own, verifier, verdict }, value };
      }),
    ),
    {
      name: 'planwright_task_seconds',
      help: 'Completed tasks by the time from their start to their end, waits for people included.',
      type: 'histogram',
      samples: histogram(
        plans.flatMap((plan) => plan.taskSeconds),
        TASK_SECONDS,
        own,
      ),
    },
  ];
}

function counted(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of [...words].sort()) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
