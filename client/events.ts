import type { RunKind, TaskStatus } from '../plan/types';
import type {
  ComparisonLine,
  DecisionView,
  Difference,
  FileView,
  PlanView,
  RunView,
  TaskError,
  TaskView,
} from '../plan/view';

/** Version of the NDJSON stream of running commands (docs/contract.md, "Output"). */
const STREAM_VERSION = 1;

interface Common {
  /** ISO 8601; the recorded time where the plan keeps one, otherwise the time of the view that showed it first. */
  at: string;
  plan: string;
  run?: number;
  /** Task id. */
  task?: string;
}

type FileBrief = Pick<FileView, 'path' | 'action' | 'sha256'>;

export type StreamEvent = Common &
  (
    | { type: 'plan_created'; name: string; goal: string; provider: string; model: string }
    | { type: 'plan_ready'; risk: string; tasks: { id: string; tool: string; description: string; deps: string[] }[] }
    | { type: 'plan_failed'; reason: string | null; error: TaskError | null }
    | { type: 'run_started'; kind: RunKind; by: string; tasks: string[] }
    | { type: 'task_started'; tool: string; description: string }
    | { type: 'artifact'; files: FileBrief[] }
    | {
        type: 'verification';
        verdict: string;
        checks: { verifier: string; path: string; verdict: string; findings: number }[];
      }
    | { type: 'comparison'; lines: ComparisonLine[] }
    | { type: 'gate_opened'; gate: string; kind: DecisionView['kind']; path: string | null; digest: string | null }
    | { type: 'gate_decided'; gate: string; decision: string | null; by: string | null; reason: string | null }
    | ({ type: 'file_written' } & FileBrief)
    | { type: 'task_completed'; tokens: number; attempts: number }
    | { type: 'task_failed'; error: TaskError | null }
    | { type: 'task_skipped' | 'task_declined' | 'task_cancelled'; reason: string | null }
    | ({
        type: 'run_finished';
        status: RunView['status'];
        counts: Counts;
        files: FileBrief[];
        tokens: number;
      } & RunExtras)
  );

/** Why a run was refused or stopped, and where a replay is not the record. */
interface RunExtras {
  reason?: string;
  differences?: Difference[];
}

/** How many tasks of a run ended in which status; statuses that none has are left out. */
export type Counts = Partial<Record<TaskStatus, number>>;

/** The first line of every stream. */
export function versionEvent(planwright: string): { type: 'version'; planwright: string; stream: number } {
  return { type: 'version', planwright, stream: STREAM_VERSION };
}

/** An event and the key by which two views agree that it is the same one. */
interface Keyed {
  key: string;
  event: StreamEvent;
}

/**
 * The events that lead from one view of a plan to a later one, in the order in which they happened: what a view
 * implies less what the earlier one implied. A snapshot that was missed costs no event, with one exception: an
 * artifact that was replaced before anybody looked.
 *
 * @param before null: nothing was seen yet; the result then tells the plan's making and its latest run
 */
export function eventsBetween(before: PlanView | null, after: PlanView): StreamEvent[] {
  const known = new Set(before ? facts(before).map(({ key }) => key) : []);
  const latest = after.runs.at(-1)?.number;
  return facts(after)
    .filter(({ key }) => !known.has(key))
    .map(({ event }) => event)
    .filter((event) => before !== null || event.run === undefined || event.run === latest);
}

/** Everything that a view says has happened, oldest first. */
function facts(view: PlanView): Keyed[] {
  const runs = [...view.runs].sort((a, b) => a.number - b.number);
  return [...planningFacts(view), ...runs.flatMap((run) => runFacts(view, run))];
}

function planningFacts(view: PlanView): Keyed[] {
  const { id: plan, name, goal, provider, model } = view;
  const made: Keyed = {
    key: 'created',
    event: { type: 'plan_created', at: view.createdAt, plan, name, goal, provider, model },
  };
  if (view.status === 'planning') return [made];
  if (view.graph.nodes.length === 0) {
    if (view.status !== 'failed' && view.status !== 'cancelled') return [made];
    return [
      made,
      {
        key: 'unplanned',
        event: { type: 'plan_failed', at: view.updatedAt, plan, reason: view.reason, error: view.failure },
      },
    ];
  }
  const tasks = view.graph.nodes.map(({ id, tool, description, deps }) => ({ id, tool, description, deps }));
  return [made, { key: 'ready', event: { type: 'plan_ready', at: view.updatedAt, plan, risk: view.risk, tasks } }];
}

function runFacts(view: PlanView, run: RunView): Keyed[] {
  const base = { plan: view.id, run: run.number };
  const started: Keyed = {
    key: `run:${run.number}`,
    event: { ...base, type: 'run_started', at: run.startedAt, kind: run.kind, by: run.by, tasks: run.tasks },
  };
  const touched = Object.entries(view.tasks)
    .filter(([, task]) => task.run === run.number)
    .sort(([, a], [, b]) => order(a) - order(b) || a.number - b.number);
  const planGates = planGateFacts(view, run);
  const tasks = touched.flatMap(([id, task]) => taskFacts(view, id, asSeenBy(run, id, task), run));
  return [started, ...comparisonFacts(view, run), ...planGates, ...tasks, ...finishFacts(view, run, touched)];
}

/** A dry run leaves its tasks as they were; what came of each is in the run. */
function asSeenBy(run: RunView, id: string, task: TaskView): TaskView {
  const seen = run.previews?.[id];
  if (!seen) return task;
  return { ...task, status: seen.result === 'generated' ? 'verifying' : seen.result, reason: seen.reason };
}

function comparisonFacts(view: PlanView, run: RunView): Keyed[] {
  const lines = run.comparison ?? [];
  if (lines.length === 0) return [];
  const event: StreamEvent = { plan: view.id, run: run.number, type: 'comparison', at: run.startedAt, lines };
  return [{ key: `comparison:${run.number}`, event }];
}

const order = (task: TaskView): number =>
  Date.parse(task.startedAt ?? task.completedAt ?? '') || Number.MAX_SAFE_INTEGER;

function finishFacts(view: PlanView, run: RunView, touched: [string, TaskView][]): Keyed[] {
  if (run.status === 'running') return [];
  const state = run.kind === 'dry-run' ? 'proposed' : 'written';
  const written = touched.flatMap(([, task]) => task.files.filter((file) => file.state === state).map(brief));
  const event: StreamEvent = {
    type: 'run_finished',
    at: run.finishedAt ?? view.updatedAt,
    plan: view.id,
    run: run.number,
    status: run.status,
    counts: countStatuses(touched.map(([, task]) => task)),
    files: written,
    tokens: touched.reduce((sum, [, task]) => sum + tokensOf(task), 0),
    ...(run.reason ? { reason: run.reason } : {}),
    ...(run.differences ? { differences: run.differences } : {}),
  };
  return [{ key: `run:${run.number}:end`, event }];
}

/** Statuses of tasks, counted. */
export function countStatuses(tasks: readonly Pick<TaskView, 'status'>[]): Counts {
  const counts: Counts = {};
  for (const { status } of tasks) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

export const tokensOf = ({ usage }: Pick<TaskView, 'usage'>): number => usage.promptTokens + usage.completionTokens;

const brief = ({ path, action, sha256 }: FileView): FileBrief => ({ path, action, sha256 });

/** Gates of the plan itself: decided ones in the time of their run, open ones in the latest run. */
function planGateFacts(view: PlanView, run: RunView): Keyed[] {
  const during = ({ at }: { at: string }): boolean => at >= run.startedAt && (!run.finishedAt || at <= run.finishedAt);
  const decided = outcomes(view.decisions)
    .filter(during)
    .flatMap(({ gate, kind, path, decision, by, reason, at }) =>
      gateFacts(
        view,
        { gate, kind, path, digest: null, since: at, task: null, outcome: { decision, by, reason, at } },
        run.number,
      ),
    );
  if (run.number !== view.runs.at(-1)?.number) return decided;
  return [
    ...decided,
    ...view.gates.filter(({ task }) => task === null).flatMap((gate) => gateFacts(view, gate, run.number)),
  ];
}

type GateSeen = { kind: DecisionView['kind'] } & Pick<
  PlanView['gates'][number],
  'gate' | 'path' | 'digest' | 'since' | 'outcome' | 'task'
>;

function gateFacts(view: PlanView, gate: GateSeen, run: number): Keyed[] {
  const base = { plan: view.id, run, ...(gate.task === null ? {} : { task: gate.task }) };
  const { kind, path, digest, outcome } = gate;
  const opened: Keyed = {
    key: `gate:${gate.gate}`,
    event: { ...base, type: 'gate_opened', at: gate.since, gate: gate.gate, kind, path, digest },
  };
  if (!outcome) return [opened];
  const { at, decision, by, reason } = outcome;
  return [
    opened,
    {
      key: `decided:${gate.gate}`,
      event: { ...base, type: 'gate_decided', at, gate: gate.gate, decision, by, reason },
    },
  ];
}

const GENERATED: readonly TaskStatus[] = [
  'verifying',
  'awaiting_approval',
  'writing',
  'completed',
  'failed',
  'declined',
  'cancelled',
];
const WROTE: readonly TaskStatus[] = ['writing', 'completed', 'failed', 'cancelled'];

function taskFacts(view: PlanView, id: string, task: TaskView, { number: run, startedAt }: RunView): Keyed[] {
  const node = view.graph.nodes.find((candidate) => candidate.id === id);
  const base = { plan: view.id, run, task: id };
  const key = (name: string): string => `${run}:${id}:${name}`;
  const result: Keyed[] = [];
  const begun = task.status !== 'pending' && task.status !== 'skipped';
  if (begun && !(task.status === 'cancelled' && task.startedAt === null)) {
    const at = task.startedAt ?? view.updatedAt;
    const { tool, description } = node ?? { tool: '', description: '' };
    result.push({ key: key('start'), event: { ...base, type: 'task_started', at, tool, description } });
  }
  if (GENERATED.includes(task.status)) result.push(...artifactFacts(view, id, task, run));
  result.push(...taskGateFacts(view, id, task, run, startedAt));
  if (WROTE.includes(task.status)) {
    for (const file of task.files.filter(({ state }) => state === 'written')) {
      const at = task.completedAt ?? view.updatedAt;
      const event: StreamEvent = { ...base, type: 'file_written', at, ...brief(file) };
      result.push({ key: key(`written:${file.path}:${file.sha256}`), event });
    }
  }
  const end = endEvent(view, id, task, run);
  if (end) result.push({ key: key('end'), event: end });
  return result;
}

function artifactFacts(view: PlanView, id: string, task: TaskView, run: number): Keyed[] {
  if (task.files.length === 0) return [];
  const base = { plan: view.id, run, task: id, at: view.updatedAt };
  const identity = task.files.map(({ path, sha256 }) => `${path}=${sha256}`).join(',');
  const key = `${run}:${id}:artifact:${task.attempts}:${identity}`;
  const result: Keyed[] = [{ key, event: { ...base, type: 'artifact', files: task.files.map(brief) } }];
  if (task.verification.length > 0) {
    const checks = task.verification.map(({ verifier, path, verdict, findings }) => ({
      verifier,
      path,
      verdict,
      findings: findings.length,
    }));
    result.push({ key: `${key}:verified`, event: { ...base, type: 'verification', verdict: verdictOf(task), checks } });
  }
  return result;
}

/** The worst verdict of a task's checks. */
export function verdictOf(task: Pick<TaskView, 'verification'>): string {
  const verdicts = task.verification.map(({ verdict }) => verdict);
  return (['failed', 'inconclusive', 'passed'] as const).find((verdict) => verdicts.includes(verdict)) ?? 'skipped';
}

/** Of each gate the decision that settled it, which is the newest; the votes before it settled nothing. */
const outcomes = (decisions: readonly DecisionView[]): DecisionView[] => [
  ...new Map(decisions.map((decision) => [decision.gate, decision])).values(),
];

/** Gates of one task: the open ones, and those that its decisions speak of (they were open once). */
function taskGateFacts(view: PlanView, id: string, task: TaskView, run: number, since: string): Keyed[] {
  // A task that runs again keeps the decisions of the runs before.
  const decided = outcomes(task.decisions)
    .filter(({ gate, at }) => gate !== '' && at >= since)
    .map(({ gate, kind, path, decision, by, reason, at }): GateSeen => {
      const digest = task.files.find((file) => file.path === path)?.digest ?? null;
      return { gate, kind, path, digest, task: id, since: at, outcome: { decision, by, reason, at } };
    });
  const open = view.gates.filter((gate) => gate.task === id && !decided.some((other) => other.gate === gate.gate));
  return [...decided, ...open].flatMap((gate) => gateFacts(view, gate, run));
}

function endEvent(view: PlanView, id: string, task: TaskView, run: number): StreamEvent | null {
  const base = { plan: view.id, run, task: id, at: task.completedAt ?? view.updatedAt };
  switch (task.status) {
    case 'completed':
      return { ...base, type: 'task_completed', tokens: tokensOf(task), attempts: task.attempts };
    case 'failed':
      return { ...base, type: 'task_failed', error: task.error };
    case 'skipped':
    case 'declined':
    case 'cancelled':
      return { ...base, type: `task_${task.status}`, reason: task.reason };
    default:
      return null;
  }
}
