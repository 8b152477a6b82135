import { PassThrough } from 'node:stream';
import type { Io } from '../../../client/cli/io';
import { run } from '../../../client/cli/program';
import type { Answer, Prompter } from '../../../client/cli/prompter';
import type { Rooms } from '../../../client/cli/rooms';
import { realRooms } from '../../../client/cli/rooms';
import type { PlanHistories } from '../../../client/histories';
import type { CreatePlan, OpenGate, PlanClient, PlanListing, PlanPast, Shown, TakenUp } from '../../../client/types';
import { UsageError } from '../../../plan/errors';
import type { CarriedFacts, CarriedPlan } from '../../../plan/export';
import type { UndoKind } from '../../../plan/steps';
import type {
  ApplyAnswer,
  ApplyRequest,
  Decide,
  DecideAnswer,
  PauseAnswer,
  PauseRequest,
  PlanView,
  UndoAnswer,
  UndoMessage,
} from '../../../plan/view';
import { findWorkspace } from '../../../store/layout';

/** A stream that remembers. */
export class Recorder extends PassThrough {
  text = '';
  constructor(
    readonly isTTY: boolean,
    readonly columns = 100,
  ) {
    super();
    this.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('utf8');
    });
  }
}

/**
 * An in-memory `PlanClient`. `script` gives the views that `follow` yields, one by one; a decision or a call can move
 * the plan on with `push`.
 */
export class FakeClient implements PlanClient {
  created: CreatePlan[] = [];
  applied: ApplyRequest[] = [];
  decisions: Decide[] = [];
  cancelled: { id: string; by: string; reason: string | null }[] = [];
  undos: (UndoMessage & { id: string; kind: UndoKind })[] = [];
  deleted: string[] = [];
  used: string[] = [];
  closed = false;
  objects = new Map<string, Buffer>();
  listings: PlanListing[] = [];
  applyAnswer: ApplyAnswer = { result: 'started', run: 1, message: null };
  onDecide: (decision: Decide) => DecideAnswer | Promise<DecideAnswer> = (decision) => ({
    gate: decision.gate,
    decision: decision.decision,
    by: decision.by,
    at: '2026-01-01T00:00:00.000Z',
  });
  note: string | null = null;
  private readonly queue: PlanView[] = [];
  private wake: () => void = () => undefined;

  constructor(public view: PlanView) {}

  /** Queues what `follow` will show next. */
  push(...views: PlanView[]): this {
    this.queue.push(...views);
    this.wake();
    return this;
  }

  executions: PlanHistories = { executions: [], missing: null };

  async histories(): Promise<PlanHistories> {
    return this.executions;
  }

  takenUp: string[] = [];
  lost = false;
  broken: TakenUp['broken'] = [];

  async takeUp(id: string): Promise<TakenUp> {
    this.takenUp.push(id);
    this.lost = false;
    return { kept: `plans/${id}.lost.json`, broken: this.broken };
  }

  facts: CarriedFacts = {};
  imported: CarriedPlan[] = [];
  referenced = new Set<string>();

  async carried(): Promise<CarriedFacts> {
    return this.facts;
  }

  async import(carried: CarriedPlan): Promise<string> {
    this.imported.push(carried);
    return this.view.id;
  }

  async references(): Promise<Set<string>> {
    return this.referenced;
  }

  async create(plan: CreatePlan): Promise<string> {
    this.created.push(plan);
    return this.view.id;
  }

  async resolve(reference: string | undefined): Promise<string> {
    if (reference === undefined || [this.view.id, this.view.name, 'latest'].includes(reference)) return this.view.id;
    throw new UsageError(`There is no plan "${reference}".`, 'See `planwright plan list`.');
  }

  async use(id: string): Promise<void> {
    this.used.push(id);
  }

  async show(): Promise<Shown> {
    return { view: this.view, source: 'workflow', note: this.note, open: true };
  }

  async list(): Promise<PlanListing[]> {
    return this.listings;
  }

  async *follow(_id: string, signal: AbortSignal): AsyncIterable<PlanView> {
    while (!signal.aborted) {
      const view = this.queue.shift();
      if (view) {
        this.view = view;
        yield view;
        continue;
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  async apply(_id: string, request: ApplyRequest): Promise<ApplyAnswer> {
    this.applied.push(request);
    return this.applyAnswer;
  }

  async decide(_id: string, decision: Decide): Promise<DecideAnswer> {
    this.decisions.push(decision);
    return this.onDecide(decision);
  }

  async gates(): Promise<OpenGate[]> {
    const { id: plan, name, tasks } = this.view;
    return this.view.gates.map((gate) => ({
      ...gate,
      plan,
      name,
      taskNumber: gate.task === null ? null : (tasks[gate.task]?.number ?? null),
    }));
  }

  temporalPast: PlanPast | null = null;

  async past(): Promise<PlanPast | null> {
    return this.temporalPast;
  }

  async cancel(id: string, by: string, reason: string | null): Promise<void> {
    this.cancelled.push({ id, by, reason });
  }

  readonly paused: string[] = [];

  async pause(id: string, { by }: PauseRequest): Promise<PauseAnswer> {
    this.paused.push(`pause ${id} ${by}`);
    return { by, at: '2026-01-01T00:05:00.000Z', reason: null, status: 'paused', changed: true, finishing: [2] };
  }

  async unpause(id: string, { by }: PauseRequest): Promise<PauseAnswer> {
    this.paused.push(`unpause ${id} ${by}`);
    return { by, at: '2026-01-01T00:05:00.000Z', reason: null, status: 'running', changed: true, finishing: [] };
  }

  async undo(id: string, kind: UndoKind, message: UndoMessage): Promise<UndoAnswer> {
    this.undos.push({ id, kind, ...message });
    return { result: 'started', number: 1 };
  }

  async delete(id: string): Promise<void> {
    this.deleted.push(id);
  }

  async object(sha256: string): Promise<Buffer> {
    const content = this.objects.get(sha256);
    if (!content) throw new Error(`the test has no object ${sha256}`);
    return content;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** Answers questions from a list, then as told. Keeps the questions. */
export class FakePrompter implements Prompter {
  questions: string[] = [];
  constructor(
    private readonly answers: string[],
    private readonly then: Answer['kind'] | 'wait' = 'end',
  ) {}

  ask(question: string, withdraw: AbortSignal): Promise<Answer> {
    this.questions.push(question);
    const line = this.answers.shift();
    if (line !== undefined) return Promise.resolve({ kind: 'line', line });
    if (this.then !== 'wait' && this.then !== 'line') return Promise.resolve({ kind: this.then });
    return new Promise((resolve) => {
      withdraw.addEventListener('abort', () => resolve({ kind: 'withdrawn' }), { once: true });
    });
  }
}

export interface World {
  io: Io;
  stdin: PassThrough & { isTTY?: boolean };
  stdout: Recorder;
  stderr: Recorder;
  client: FakeClient;
  /** Sends a signal to the command that runs. */
  signal(name: 'SIGINT' | 'SIGTERM'): void;
  /** Timers that wait, in milliseconds; `fire` calls the first. */
  timers: { ms: number; call: () => void }[];
  /** Runs a command line. */
  run(...argv: string[]): Promise<number>;
}

export interface WorldOptions {
  client?: FakeClient;
  tty?: boolean;
  prompter?: Prompter;
  stdin?: string;
  rooms?: Partial<Rooms>;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

/** A world in which nothing is real but temporary directories. */
export function world(options: WorldOptions = {}): World {
  const { tty = false, env = {} } = options;
  const client = options.client ?? new FakeClient(undefined as never);
  const stdin: World['stdin'] = Object.assign(new PassThrough(), { isTTY: tty });
  if (!tty) stdin.end(options.stdin ?? '');
  const stdout = new Recorder(tty);
  const stderr = new Recorder(tty);
  const listeners = new Set<(signal: 'SIGINT' | 'SIGTERM') => void>();
  const timers: World['timers'] = [];
  const rooms: Rooms = {
    ...realRooms,
    findWorkspace: () => findWorkspace(options.cwd ?? __dirname),
    connect: async () => client,
    initialise: async () => [],
    settings: async ({ flags }) => ({
      model: { provider: flags.provider ?? 'template', model: flags.model ?? 'template', temperature: 0.2 },
      choice: `provider: ${flags.provider ?? 'template'} (no OPENAI_API_KEY set)`,
    }),
    ...options.rooms,
  };
  const io: Io = {
    stdin,
    stdout,
    stderr,
    env,
    cwd: options.cwd ?? __dirname,
    now: () => Date.parse('2026-01-01T00:10:00.000Z'),
    user: () => 'ada',
    onSignal(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    after(ms, call) {
      const timer = { ms, call };
      timers.push(timer);
      return () => timers.splice(timers.indexOf(timer), 1);
    },
    every: () => () => undefined,
    prompter: options.prompter ?? new FakePrompter([]),
    rooms,
  };
  const signal: World['signal'] = (name) => {
    for (const listener of listeners) listener(name);
  };
  return { io, stdin, stdout, stderr, client, signal, timers, run: (...argv) => run(argv, io) };
}

/** Lets everything happen that is due. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};
