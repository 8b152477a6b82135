/**
 * What the worker's log tells of plans: their states, runs, tasks and gates, each by its id. Never a goal, a path's content or
 * an answer: a log goes to places that the workspace's files do not.
 */
import type { PlanView } from '../plan/view';

export interface LogLine {
  level: 'info' | 'warn';
  fields: { [name: string]: string | number | null };
  message: string;
}

/** What was told of a plan. */
interface Told {
  status: string;
  runs: Map<number, string>;
  tasks: Map<string, string>;
  gates: Map<string, { kind: string; task: string | null; path: string | null }>;
}

const told = (view: PlanView): Told => ({
  status: view.status,
  runs: new Map(view.runs.map(({ number, status }) => [number, status])),
  tasks: new Map(Object.entries(view.tasks).map(([id, { status }]) => [id, status])),
  gates: new Map(view.gates.map(({ gate, kind, task, path }) => [gate, { kind, task, path }])),
});

/** Of a task only its ends are told: what it does in between stands in the lines of its activities. */
const ENDS: { [status: string]: LogLine['level'] } = {
  completed: 'info',
  failed: 'warn',
  skipped: 'info',
  declined: 'info',
  cancelled: 'info',
};

export class PlanLog {
  private readonly plans = new Map<string, Told>();

  /** @returns what is new since the last view of this plan; of the first, only what still goes on */
  look(view: PlanView): LogLine[] {
    const before = this.plans.get(view.id);
    const after = told(view);
    if (view.status === 'archived') this.plans.delete(view.id);
    else this.plans.set(view.id, after);
    const lines: LogLine[] = [];
    const tell = (message: string, fields: LogLine['fields'], level: LogLine['level'] = 'info'): void => {
      lines.push({ level, fields: { plan: view.id, ...fields }, message });
    };
    if (before?.status !== view.status)
      tell('plan', { status: view.status }, view.status === 'failed' ? 'warn' : 'info');
    for (const [run, status] of after.runs) {
      if (before ? before.runs.get(run) !== status : status === 'running') tell('run', { run, status });
    }
    const run = view.runs.at(-1)?.number ?? null;
    for (const [task, status] of before ? after.tasks : []) {
      const level = ENDS[status];
      if (!level || before?.tasks.get(task) === status) continue;
      tell('task', { run, task, status, error: view.tasks[task]?.error?.type ?? null }, level);
    }
    for (const [gate, about] of after.gates) {
      if (!before?.gates.has(gate)) tell('gate waits', { run, gate, ...about });
    }
    for (const [gate, about] of before?.gates ?? []) {
      if (!after.gates.has(gate)) tell('gate closed', { run, gate, ...about });
    }
    return lines;
  }
}
