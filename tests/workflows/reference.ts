/**
 * The state table of the contract as a small model of its own, written from docs/contract.md and not from the code: what a
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
  /** What the last answer was, what stood there when it was asked for, and when that was; with the seed it was asked with. */
  artifact: { content: string; base: string | null; at: number; seed: number } | null;
  /** The artifact is of a dry run and not written. */
  kept: boolean;
  refused: boolean;
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
  dryRun?: boolean;
  refresh?: boolean;
  replay?: boolean;
  recorded?: boolean;
  only?: string[];
  exclude?: string[];
  instruct?: string;
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
        ...{ artifact: null, kept: false, refused: false },
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
    const { task, dryRun, replay } = flags;
    if (this.run) return { result: task === undefined && !dryRun && !replay ? 'attached' : 'refused' };
    if (dryRun && task !== undefined && this.lets(task)) return { result: 'refused' };
    const could = replay ? this.replayable() : this.members(flags);
    if (could === 'refused' || could === 'nothing') return { result: could };
    const members = this.selected(could, flags);
    if (members === 'refused') return { result: members };
    if (members.length === 0) return { result: 'nothing' };
    const kind = flags.resume ? (flags.retry ? 'retry' : 'resume') : task !== undefined ? 'task' : 'apply';
    this.runs.push({ kind: dryRun ? 'dry-run' : replay ? 'replay' : kind, status: 'running' });
    const stale = replay ? members.filter((id) => !this.onRecord(id)) : this.stale(members, flags);
    if (stale.length > 0 && !(flags.refresh && !replay)) {
      this.ended('refused');
      return { result: 'started' };
    }
    for (const id of stale) this.askAnew(this.task(id));
    if (replay) this.replay(members, flags.recorded === true);
    else if (dryRun) this.preview(members);
    else {
      for (const id of members) this.prepare(this.task(id), flags.instruct !== undefined);
      this.run = { kind, yes: flags.yes, members: new Set(members) };
      this.settle();
    }
    return { result: 'started' };
  }

  /** --only takes what is named with what that needs, as far as it has not completed; --exclude drops with what needs it. */
  private selected(could: string[], { only, exclude = [] }: ApplyFlags): string[] | 'refused' {
    const wanted = (only ?? could).filter((id) => !only || !this.lets(id));
    const taken = new Set(wanted);
    for (const id of taken) if (only) for (const dep of this.task(id).node.deps) if (!this.lets(dep)) taken.add(dep);
    // What is behind a settled task may itself not be settled, and is then needed too.
    for (const id of only ? wanted.flatMap((one) => this.behind(one)) : []) if (!this.lets(id)) taken.add(id);
    if ([...taken].some((id) => !could.includes(id))) return 'refused';
    const dropped = (id: string): boolean => exclude.includes(id) || this.task(id).node.deps.some(dropped);
    return could.filter((id) => taken.has(id) && !dropped(id));
  }

  /** Everything that a task needs, directly or not. */
  private behind(id: string): string[] {
    return [...new Set(this.task(id).node.deps.flatMap((dep) => [dep, ...this.behind(dep)]))];
  }

  private askAnew(task: Task): void {
    task.generation += 1;
    task.kept = false;
  }

  private found(id: string): string | null {
    return this.disk.get(`${id}.txt`) ?? null;
  }

  /** Tasks of a run whose kept artifact was made for another file than the one that stands there. */
  private stale(members: string[], { instruct }: ApplyFlags): string[] {
    if (instruct !== undefined) return [];
    return members.filter((id) => {
      const { kept, artifact, refused } = this.task(id);
      return kept && !refused && artifact && ![artifact.base, artifact.content].includes(this.found(id));
    });
  }

  private onRecord(id: string): boolean {
    const { artifact } = this.task(id);
    return artifact !== null && [artifact.base, artifact.content].includes(this.found(id));
  }

  private usable(id: string): boolean {
    const { kept, artifact } = this.task(id);
    return (
      kept && artifact !== null && this.behind(id).every((one) => (this.task(one).artifact?.at ?? 0) <= artifact.at)
    );
  }

  private replayable(): string[] | 'refused' {
    const recorded = (id: string): boolean => {
      const { artifact, refused, status, node } = this.task(id);
      const again = status === 'pending' && ['rolled_back', 'cleaned'].includes(this.status);
      if (!artifact || refused || !(status === 'completed' || again)) return false;
      return node.deps.every((dep) => this.lets(dep) || recorded(dep));
    };
    const members = [...this.tasks.keys()].filter(recorded);
    return members.length > 0 ? members : 'refused';
  }

  /** Everything as an apply would, but for the files; then every task is what it was, with what was made for it. */
  private preview(members: string[]): void {
    const results = new Map<string, 'generated' | 'failed' | 'skipped'>();
    const before = new Map(members.map((id) => [id, { ...this.task(id) }]));
    for (const id of members) this.prepare(this.task(id), false);
    for (const id of this.ordered(members)) {
      const lost = (dep: string): boolean => (results.get(dep) ?? 'generated') !== 'generated';
      if (this.task(id).node.deps.some((dep) => lost(dep) || !(results.has(dep) || this.lets(dep)))) {
        results.set(id, 'skipped');
        continue;
      }
      const made = this.usable(id) || this.ask(id) === 'ok';
      this.task(id).kept = made;
      this.task(id).shown = this.task(id).generation;
      results.set(id, made ? 'generated' : 'failed');
    }
    for (const [id, { status, badAnswer }] of before) {
      const task = this.task(id);
      task.status = status;
      if (results.get(id) !== 'failed') task.badAnswer = badAnswer;
    }
    this.ended(outcome([...results.values()]));
  }

  /** What is on record is asked with its seed or, recorded, taken as it is; what does not come to its end is what it was. */
  private replay(members: string[], recorded: boolean): void {
    const results = new Map<string, 'generated' | 'failed' | 'skipped'>();
    const statusBefore = this.status;
    for (const id of this.ordered(members)) {
      const task = this.task(id);
      const before = { ...task };
      if (task.node.deps.some((dep) => (results.get(dep) ?? 'generated') !== 'generated')) {
        results.set(id, 'skipped');
        continue;
      }
      const { seed = 0, base = null } = task.artifact ?? {};
      if (!recorded) this.askAnew(task);
      if (!recorded && this.ask(id, seed) !== 'ok') {
        results.set(id, 'failed');
        Object.assign(task, before, { generation: task.generation, calls: task.calls });
        continue;
      }
      this.write(id);
      if (task.artifact) task.artifact.base = base;
      results.set(id, 'generated');
    }
    this.ended(outcome([...results.values()]));
    const wrote = members.some((id) => this.task(id).status === 'completed');
    this.status = wrote ? this.settled() : statusBefore;
  }

  /** In an order in which nothing comes before what it needs. */
  private ordered(members: string[]): string[] {
    const order: string[] = [];
    const add = (id: string): void => {
      for (const dep of this.task(id).node.deps) if (members.includes(dep)) add(dep);
      if (!order.includes(id)) order.push(id);
    };
    for (const id of members) add(id);
    return order;
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

  private prepare(task: Task, instructed: boolean): void {
    const wrong = task.badAnswer && !task.kept;
    if (['completed', 'declined'].includes(task.status) || wrong) this.askAnew(task);
    if (instructed && task.kept) this.askAnew(task);
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
    const does = this.usable(id) ? 'ok' : this.ask(id);
    task.shown = task.generation;
    if (does !== 'ok') task.status = 'failed';
    else if (yes || this.found(id) === task.artifact?.content) this.write(id);
    else task.status = 'awaiting_approval';
  }

  /** Asks the model, again where it was only busy. A seed is that of a replay. */
  private ask(id: string, seed?: number): Behaviour {
    const task = this.task(id);
    if (task.kept) this.askAnew(task);
    task.generation = Math.max(1, task.generation);
    task.shown = task.generation;
    let does: Behaviour;
    do {
      does = task.behaviour[task.calls] ?? 'ok';
      task.calls += 1;
      this.generated.push(`${id} ${task.generation}`);
    } while (does === 'flaky');
    task.badAnswer = does === 'bad-answer';
    if (does !== 'ok') return does;
    this.clock += 1;
    const asked = seed ?? task.generation;
    const content = `content of ${id}, seed ${asked}`;
    task.artifact = { content, base: this.found(id), at: this.clock, seed: asked };
    task.refused = false;
    return does;
  }

  private clock = 0;

  private write(id: string): void {
    const task = this.task(id);
    const content = task.artifact?.content ?? '';
    const before = this.found(id);
    if (before !== content) this.steps.set(id, [{ content, before }, ...(this.steps.get(id) ?? [])]);
    this.disk.set(`${id}.txt`, content);
    this.written.push(id);
    Object.assign(task, { status: 'completed', kept: false, badAnswer: false });
  }

  private finish({ members }: Run): void {
    const of = (ids: Iterable<string>): TaskStatus[] => [...ids].map((id) => this.task(id).status);
    this.ended(verdict(of(members)));
    this.status = this.settled();
  }

  private settled(): PlanStatus {
    const all = [...this.tasks.values()].map(({ status }) => status);
    return all.includes('pending') && verdict(all) === 'completed' ? 'ready' : verdict(all);
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
      else if (decision === 'reject') Object.assign(task, { status: 'declined', refused: true });
      else this.askAnew(task);
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
      if (task.badAnswer && !task.kept) this.askAnew(task);
      Object.assign(task, { status: 'pending', badAnswer: false, ...(complete ? { refused: false } : {}) });
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

/** Of a run that only looks, or only repeats. */
function outcome(results: readonly ('generated' | 'failed' | 'skipped')[]): string {
  if (results.every((one) => one === 'generated')) return 'completed';
  return results.includes('generated') ? 'partial' : 'failed';
}
