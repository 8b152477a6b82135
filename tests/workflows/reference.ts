/**
 * The state table of the contract as a small model of its own, written from contract.md and not from the code: what a
 * plan, its files and the calls of its model must look like whenever nothing moves.
 */
import type { PlanStatus, TaskNode, TaskStatus } from '../../plan/types';

/** What a call of the model does: answer, fail for good, answer what nobody can use, or fail and work the next time. */
export type Behaviour = 'ok' | 'timeout' | 'bad-answer' | 'flaky';

export interface Answer {
  result: 'started' | 'attached' | 'nothing' | 'refused';
}

interface Task {
  node: TaskNode;
  status: TaskStatus;
  generation: number;
  /** `attempts` as people see it: the generation that was last asked for. */
  shown: number;
  /** Calls of the model so far, and what each does; `ok` beyond the end. */
  calls: number;
  behaviour: readonly Behaviour[];
  /** The last failure was in the answer itself, so asking the same again makes no sense. */
  badAnswer: boolean;
}

interface Run {
  kind: string;
  yes: boolean;
  members: Set<string>;
}

export interface ApplyFlags {
  yes: boolean;
  resume?: boolean;
  retry?: boolean;
  task?: string;
}

export class Reference {
  readonly tasks = new Map<string, Task>();
  readonly disk = new Map<string, string>();
  readonly generated: string[] = [];
  readonly written: string[] = [];
  /** What each task wrote and has not taken back, newest first: content and what stood there before. */
  private readonly steps = new Map<string, { content: string; before: string | null }[]>();
  readonly runs: { kind: string; status: string }[] = [];
  status: PlanStatus = 'ready';
  workerRuns = true;
  private run: Run | null = null;

  constructor(nodes: readonly TaskNode[], behaviour: { [id: string]: readonly Behaviour[] }) {
    for (const node of nodes) {
      this.tasks.set(node.id, {
        ...{ node, status: 'pending', generation: 0, shown: 0, calls: 0, badAnswer: false },
        behaviour: behaviour[node.id] ?? [],
      });
    }
  }

  task(id: string): Task {
    const task = this.tasks.get(id);
    if (!task) throw new Error(`no task ${id}`);
    return task;
  }

  /** Tasks that wait for a decision, in the order of the plan. */
  waiting(): string[] {
    return this.ids(({ status }) => status === 'awaiting_approval');
  }

  private ids(which: (task: Task) => boolean): string[] {
    return [...this.tasks].filter(([, task]) => which(task)).map(([id]) => id);
  }

  private lets(id: string): boolean {
    return ['completed', 'declined'].includes(this.task(id).status);
  }

  apply(flags: ApplyFlags): Answer {
    if (this.run) return { result: flags.task === undefined ? 'attached' : 'refused' };
    const members = this.members(flags);
    if (members === 'refused' || members === 'nothing') return { result: members };
    const kind = flags.task !== undefined ? 'task' : flags.retry ? 'retry' : flags.resume ? 'resume' : 'apply';
    for (const id of members) this.prepare(this.task(id));
    this.run = { kind, yes: flags.yes, members: new Set(members) };
    this.runs.push({ kind, status: 'running' });
    this.settle();
    return { result: 'started' };
  }

  private members({ task, resume, retry }: ApplyFlags): string[] | 'refused' | 'nothing' {
    if (task !== undefined) return this.task(task).node.deps.every((dep) => this.lets(dep)) ? [task] : 'refused';
    if (!resume) {
      if (this.status === 'completed') return 'nothing';
      return ['ready', 'rolled_back', 'cleaned'].includes(this.status)
        ? this.ids(({ status }) => status === 'pending')
        : 'refused';
    }
    const wanted: TaskStatus[] = ['pending', 'cancelled', ...(retry ? (['failed', 'skipped'] as const) : [])];
    const runnable = (id: string): boolean =>
      wanted.includes(this.task(id).status) && this.task(id).node.deps.every((dep) => this.lets(dep) || runnable(dep));
    const members = [...this.tasks.keys()].filter(runnable);
    return members.length > 0 ? members : 'nothing';
  }

  private prepare(task: Task): void {
    if (['completed', 'declined'].includes(task.status) || task.badAnswer) task.generation += 1;
    Object.assign(task, { status: 'pending', badAnswer: false });
  }

  /** Lets everything move that can: what has no unsettled dependency is generated, and what nobody has to see is written. */
  private settle(): void {
    const { run } = this;
    if (!run || !this.workerRuns) return;
    const open = (): string[] => [...run.members].filter((id) => this.task(id).status === 'pending');
    for (let moved = true; moved; ) {
      moved = false;
      for (const id of open()) {
        const { deps } = this.task(id).node;
        const settled = deps.every((dep) => !['pending', 'awaiting_approval'].includes(this.task(dep).status));
        const blocked = deps.some((dep) => ['failed', 'skipped', 'cancelled'].includes(this.task(dep).status));
        if (blocked) this.task(id).status = 'skipped';
        else if (settled) this.generate(id, run.yes);
        moved ||= blocked || settled;
      }
    }
    if (open().length === 0 && this.waiting().length === 0) this.finish(run);
    else this.status = 'waiting';
  }

  private generate(id: string, yes: boolean): void {
    const task = this.task(id);
    task.generation = Math.max(1, task.generation);
    task.shown = task.generation;
    let behaviour: Behaviour;
    do {
      behaviour = task.behaviour[task.calls] ?? 'ok';
      task.calls += 1;
      this.generated.push(`${id} ${task.generation}`);
    } while (behaviour === 'flaky');
    if (behaviour !== 'ok') {
      task.status = 'failed';
      task.badAnswer = behaviour === 'bad-answer';
    } else if (yes) this.write(id);
    else task.status = 'awaiting_approval';
  }

  private write(id: string): void {
    const task = this.task(id);
    const content = `content of ${id}, generation ${task.generation}`;
    const before = this.disk.get(`${id}.txt`) ?? null;
    if (before !== content) this.steps.set(id, [{ content, before }, ...(this.steps.get(id) ?? [])]);
    this.disk.set(`${id}.txt`, content);
    this.written.push(id);
    task.status = 'completed';
  }

  private finish({ members }: Run): void {
    const of = (ids: Iterable<string>): TaskStatus[] => [...ids].map((id) => this.task(id).status);
    const all = of(this.tasks.keys());
    this.ended(verdict(of(members)));
    this.status = all.includes('pending') && verdict(all) === 'completed' ? 'ready' : verdict(all);
  }

  private ended(status: string): void {
    const last = this.runs.at(-1);
    if (last) last.status = status;
    this.run = null;
  }

  decide(id: string, decision: 'approve' | 'reject' | 'request-changes'): void {
    const task = this.task(id);
    // Decided, so nobody is asked again; what follows from it waits for a worker.
    task.status = 'pending';
    this.decided.push(() => {
      if (decision === 'approve') this.write(id);
      else if (decision === 'reject') task.status = 'declined';
      else task.generation += 1;
    });
    if (this.workerRuns) this.startWorker();
  }

  private readonly decided: (() => void)[] = [];

  startWorker(): void {
    this.workerRuns = true;
    for (const effect of this.decided.splice(0)) effect();
    this.settle();
  }

  /** A person edits or (null) deletes one of the files. */
  edit(path: string, content: string | null): void {
    if (content === null) this.disk.delete(path);
    else this.disk.set(path, content);
  }

  undo(kind: 'rollback' | 'clean', overwrite: boolean): 'started' | 'refused' {
    if (this.run || this.steps.size === 0) return 'refused';
    const cleared = [...this.steps.keys()].filter((id) => this.takeBack(id, kind, overwrite));
    for (const id of cleared) this.steps.delete(id);
    const complete = this.steps.size === 0;
    for (const id of complete ? this.tasks.keys() : cleared) {
      const task = this.task(id);
      if (task.badAnswer) task.generation += 1;
      Object.assign(task, { status: 'pending', badAnswer: false });
    }
    if (complete) this.status = kind === 'rollback' ? 'rolled_back' : 'cleaned';
    else if (cleared.length > 0) this.status = 'partial';
    return 'started';
  }

  /** @returns true where nothing of the task is left */
  private takeBack(id: string, kind: 'rollback' | 'clean', overwrite: boolean): boolean {
    const steps = this.steps.get(id) ?? [];
    const found = this.disk.get(`${id}.txt`) ?? null;
    if (kind === 'clean') {
      if (found !== null && !overwrite && !steps.some(({ content }) => content === found)) return false;
      this.disk.delete(`${id}.txt`);
      return true;
    }
    let now = found;
    while (steps[0]) {
      const absent = found === null && now === null;
      if (!absent && now !== steps[0].content && now !== steps[0].before && !overwrite) break;
      now = steps[0].before;
      steps.shift();
    }
    if (now === null) this.disk.delete(`${id}.txt`);
    else this.disk.set(`${id}.txt`, now);
    return steps.length === 0;
  }

  cancel(): void {
    for (const id of this.run?.members ?? []) {
      const task = this.task(id);
      if (['pending', 'awaiting_approval'].includes(task.status)) task.status = 'cancelled';
    }
    this.ended('cancelled');
    this.status = 'cancelled';
  }
}

function verdict(statuses: readonly TaskStatus[]): 'completed' | 'partial' | 'failed' {
  if (!statuses.some((status) => ['failed', 'skipped', 'cancelled'].includes(status))) return 'completed';
  return statuses.some((status) => ['completed', 'declined'].includes(status)) ? 'partial' : 'failed';
}
