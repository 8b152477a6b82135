/**
 * A world in which the plan workflow runs on the real server with activities that only remember: a model that answers
 * what the test says, files in a map. What activities really do is tested in their own room.
 */
import { randomBytes } from 'node:crypto';
import { heartbeat } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { type AuditMirror, auditFirst } from '../../activities/audit-first';
import type { PlanActivities } from '../../activities/types';
import { digestOf, fileDigest, sha256 } from '../../plan/digest';
import { AUDIT_UNWRITABLE } from '../../plan/facts';
import type { PlanQuestion } from '../../plan/pages';
import type {
  BegunFile,
  LogHead,
  NotifyRequest,
  UndoFile,
  UndoKind,
  UndoneFile,
  VerifyResult,
  WriteResult,
} from '../../plan/steps';
import type {
  ArtifactFile,
  CallTrace,
  DecomposeResult,
  Environment,
  GenerateRequest,
  PolicySnapshot,
  Risk,
  TaskGraph,
  TaskNode,
  Usage,
  Verdict,
} from '../../plan/types';
import { decideUndo } from '../../plan/undo';
import type {
  ApplyAnswer,
  ApplyRequest,
  Decide,
  DecideAnswer,
  PlanView,
  UndoAnswer,
  UndoMessage,
} from '../../plan/view';

import type { PlanInput } from '../../workflows/state';
import { startServer, workflowBundle } from '../support/temporal';

export const node = (id: string, deps: string[] = [], extra: Partial<TaskNode> = {}): TaskNode => ({
  id,
  tool: 'dockerfile',
  description: `make ${id}`,
  input: {},
  deps,
  ...extra,
});

/** A call of the fake model, as the audit log is told of it. */
const called = (prompt: string): CallTrace => ({
  prompt,
  startedAt: new Date().toISOString(),
  outcome: 'answered',
  failure: null,
  seed: 1,
  temperature: 0.2,
  modelReturned: 'fake-1',
  output: sha256('raw'),
  finishReason: 'stop',
  responseId: null,
  promptTokens: 10,
  completionTokens: 5,
  fromRecord: false,
});

/** How the world answers; a test sets what it needs. */
export interface Script {
  graph: TaskGraph;
  risk: Risk;
  policy: PolicySnapshot;
  /** Called for each generation; throw to fail it. Gives the content of `<task>.txt`. */
  generate: (request: GenerateRequest) => string | Promise<string>;
  /** What that generation cost, over all its calls. */
  usage: () => Usage;
  verdict: (task: string, content: string) => Verdict;
  fileRisk: (path: string) => Risk;
  /** Further files of a task, beside `<task>.txt`, as a generation gives them: path → content. */
  also: (request: GenerateRequest) => { [path: string]: string };
  planFaults: string[][];
  /** What a run finds in force when it begins. */
  environment: Environment;
  /** Uncommitted paths. */
  dirty: string[];
  /** Called before a task's files are written, once the audit log tells of what allowed it. */
  beforeWrite: (task: string) => void | Promise<void>;
  /** Called after a task's files are written; throw to lose the answer. */
  afterWrite: () => void;
  /** Called for each attempt to deliver a notification; throw to fail it. */
  notify: (request: NotifyRequest) => void | Promise<void>;
  /** Called before anything is taken back; throw to fail it. */
  beforeUndo: () => void | Promise<void>;
  /** Keeps the history of the execution before. */
  exportHistory: PlanActivities['exportHistory'];
}

export class FakeWorld {
  readonly disk = new Map<string, string>();
  readonly objects = new Map<string, string>();
  readonly calls: string[] = [];
  /** What a write's journal would hold, by the write's name; set by a test that lets a step end without an answer. */
  readonly begun = new Map<string, BegunFile[]>();
  private readonly stopped = new Set<number>();

  /** As the worker is told: what has not begun to write in this run must not any more. */
  stop(run: number): void {
    this.stopped.add(run);
  }

  isStopped(run: number): boolean {
    return this.stopped.has(run);
  }
  readonly script: Script = {
    graph: { nodes: [node('1'), node('2'), node('3', ['2'])] },
    risk: 'MEDIUM',
    policy: {
      digest: sha256('policy'),
      maxTasks: 200,
      onDecline: 'run',
      flags: ['yes', 'allow-all-paths', 'force', 'allow-dirty', 'skip-verify'],
    },
    generate: (request) => `content of ${request.task.id}, generation ${request.generation}`,
    usage: () => ({ promptTokens: 10, completionTokens: 5, calls: 1 }),
    verdict: () => 'passed',
    fileRisk: () => 'LOW',
    also: () => ({}),
    planFaults: [],
    environment: {
      provider: 'openai',
      model: 'fake',
      temperature: 0.2,
      policy: sha256('policy'),
      planwright: '0',
      skills: { dockerfile: { toolHash: 'h', systemPromptHash: 'p' } },
      verifiers: { fake: '1' },
    },
    dirty: [],
    beforeWrite: () => undefined,
    afterWrite: () => undefined,
    notify: () => undefined,
    beforeUndo: () => undefined,
    exportHistory: async ({ execution }) => ({ execution, object: sha256(execution), bytes: 1, events: 1 }),
  };
  /** The real mirror of the audit log, where a test is about it. */
  mirror: AuditMirror | null = null;
  readonly taskQueue = `planwright-test-${randomBytes(4).toString('hex')}`;
  /** Requests as they came, by activity. */
  readonly requests: { generate: GenerateRequest[]; undo: UndoFile[][]; notify: NotifyRequest[] } = {
    generate: [],
    undo: [],
    notify: [],
  };

  private stored(content: string): string {
    const digest = sha256(content);
    this.objects.set(digest, content);
    return digest;
  }

  private base(path: string): string | null {
    const content = this.disk.get(path);
    return content === undefined ? null : this.stored(content);
  }

  readonly activities: PlanActivities = {
    readWorkspace: async ({ start }) => {
      this.calls.push('read');
      const { policy, environment, dirty } = this.script;
      const read = { digest: this.stored('snapshot'), policy, gitHead: null };
      if (!start) return read;
      const bases = Object.fromEntries(start.bases.map((path) => [path, this.base(path)]));
      return { ...read, start: { environment, dirty: start.checkGit ? dirty : [], gitFault: null, bases } };
    },
    decompose: async ({ attempt, faults, graph }) => {
      if (graph) return this.decomposed(graph, this.script.planFaults[0] ?? [], 0);
      this.calls.push(`decompose ${attempt}${faults.length > 0 ? ` (${faults.join('; ')})` : ''}`);
      const given = this.script.planFaults[attempt - 1] ?? [];
      return this.decomposed(this.script.graph, given, 1);
    },
    generate: async (request) => {
      const { task, generation } = request;
      this.calls.push(`generate ${task.id} ${generation}`);
      // What was told of earlier calls is no part of the question.
      const { toldUntil: _told, ...question } = request;
      this.requests.generate.push(question);
      const beat = setInterval(heartbeat, 1_000);
      const content = await Promise.resolve(this.script.generate(request)).finally(() => clearInterval(beat));
      const path = `${task.id}.txt`;
      const files = Object.entries({ [path]: content, ...this.script.also(request) }).map(
        ([name, text]): ArtifactFile => ({
          path: name,
          sha256: this.stored(text),
          bytes: text.length,
          preSha256: request.overlay[name] ?? this.base(name),
          mode: '0644',
        }),
      );
      return {
        files,
        summary: `made ${path}`,
        output: { summary: `made ${path}`, files: files.map((file) => file.path), port: 3000 },
        skill: {
          toolType: 'built-in',
          toolVersion: '1.0.0',
          toolHash: 'h',
          toolSource: 'built-in',
          systemPromptHash: 'p',
        },
        modelReturned: 'fake-1',
        temperatureSent: 0.2,
        promptDigest: sha256(JSON.stringify(request)),
        responseId: null,
        finishReason: 'stop',
        usage: this.script.usage(),
        raw: this.stored('raw'),
        fromRecord: false,
        calls: [called(sha256(JSON.stringify(request)))],
      };
    },
    verify: async (request) => this.verified(request.task, request.files),
    verifyAndWrite: async (request) => {
      const verified = this.verified(request.task, request.files);
      const tooRisky = verified.files.some((file) => file.risk === 'HIGH' && request.riskPassed !== 'HIGH');
      if (verified.verdict === 'failed' || tooRisky) return { verified, written: null };
      // As the real one: whether a changed base is our own write is for the write to say.
      const written = await this.logged(() => this.write(request.task, request.files));
      return { verified: { ...verified, stale: [] }, written };
    },
    make: async ({ generate, write: _name, run, ...rules }) => {
      const generated = await this.activities.generate(generate);
      const { plan, task, workspace, overlay } = generate;
      const request = { ...rules, plan, task: task.id, tool: task.tool, files: generated.files, workspace, overlay };
      if (this.stopped.has(run)) return { generated, done: null, begun: false };
      try {
        return { generated, done: await this.activities.verifyAndWrite(request), begun: true };
      } catch (error) {
        const unlogged = error instanceof ApplicationFailure && error.type === AUDIT_UNWRITABLE;
        return { generated, done: null, begun: !unlogged };
      }
    },
    begunWrite: async ({ write }) => this.begun.get(write) ?? [],
    writeFiles: async (request) => this.logged(() => this.write(request.task, request.files)),
    notify: async (request) => {
      this.requests.notify.push(request);
      await this.script.notify(request);
      return { status: 200 };
    },
    exportHistory: (request) => this.script.exportHistory(request),
    undo: async ({ kind, files, overwriteChanged }) => {
      this.calls.push(`${kind} ${files.map(({ path }) => path).join(' ')}`);
      this.requests.undo.push(files);
      await this.script.beforeUndo();
      return this.logged(() => ({
        files: files.map((file) => this.undone(kind, file, overwriteChanged)),
        directories: [],
        directoriesLeft: [],
      }));
    },
  };

  /** As the real activities: nothing changes before the log tells of what allowed it. */
  private async logged<Result extends object>(
    change: () => Result | Promise<Result>,
  ): Promise<Result & { audit?: LogHead }> {
    if (!this.mirror) return change();
    const audit = await auditFirst(this.mirror);
    return { ...(await change()), audit };
  }

  private undone(kind: UndoKind, { path, steps }: UndoFile, overwrite: boolean): UndoneFile {
    const decision = decideUndo(kind, steps, this.base(path), overwrite);
    const { target } = decision;
    if (target === null) this.disk.delete(path);
    else this.disk.set(path, this.objects.get(target) ?? '');
    const outcomes = { delete: 'deleted', restore: 'restored', gone: 'gone', original: 'original', changed: 'changed' };
    const outcome = decision.blocked ? 'changed' : (outcomes[decision.kind] as UndoneFile['outcome']);
    const reason = outcome === 'changed' ? 'changed since' : null;
    return { path, outcome, undone: decision.undone, reason, advice: null, error: null, backup: null, kept: null };
  }

  private decomposed(graph: TaskGraph, faults: string[], calls: number): DecomposeResult {
    const skill = {
      toolType: 'built-in',
      toolVersion: '1.0.0',
      toolHash: 'h',
      toolSource: 'built-in',
      systemPromptHash: 'p',
    } as const;
    return {
      graph,
      faults,
      risk: this.script.risk,
      riskReasons: [],
      skills: { dockerfile: skill },
      modelReturned: 'fake-1',
      usage: { promptTokens: 1, completionTokens: 1, calls },
      raw: null,
      graphDigest: digestOf(graph),
      calls: calls === 0 ? [] : [called(digestOf(graph))],
    };
  }

  private verified(task: string, files: ArtifactFile[]): VerifyResult {
    this.calls.push(`verify ${task}`);
    const contents = files.map((file) => this.objects.get(file.sha256) ?? '');
    const verdict: Verdict =
      contents.map((content) => this.script.verdict(task, content)).find((one) => one === 'failed') ?? 'passed';
    return {
      verdict,
      verification: files.map((file) => ({
        verifier: 'fake',
        version: '1',
        path: file.path,
        verdict,
        findings: verdict === 'failed' ? [{ rule: 'fake', severity: 'error' as const, message: 'it is wrong' }] : [],
      })),
      files: files.map((file) => ({
        path: file.path,
        action:
          file.preSha256 === null
            ? ('create' as const)
            : file.preSha256 === file.sha256
              ? ('unchanged' as const)
              : ('modify' as const),
        digest: fileDigest(file),
        risk: this.script.fileRisk(file.path),
        riskReasons: [],
        diffStat: { added: 1, removed: 0 },
      })),
      stale: files.filter((file) => this.base(file.path) !== file.preSha256).map((file) => file.path),
    };
  }

  private async write(task: string, files: ArtifactFile[]): Promise<WriteResult> {
    this.calls.push(`write ${task}`);
    await this.script.beforeWrite(task);
    const standing = (file: ArtifactFile): boolean => [file.preSha256, file.sha256].includes(this.base(file.path));
    const conflicts = files.filter((file) => !standing(file)).map((file) => file.path);
    if (conflicts.length > 0) return { files: [], conflicts };
    for (const file of files) this.disk.set(file.path, this.objects.get(file.sha256) ?? '');
    this.script.afterWrite();
    return {
      files: files.map((file) => ({
        ...file,
        action:
          file.preSha256 === null
            ? ('create' as const)
            : file.preSha256 === file.sha256
              ? ('unchanged' as const)
              : ('modify' as const),
        backup: null,
      })),
      conflicts: [],
    };
  }
}

/** A failure of the kind that a provider's activity gives. */
export const terminal = (type: string, message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, type);

/** A plan in a world, driven as the CLI drives it. */
export class Driver {
  readonly id = `plan-${randomBytes(4).toString('hex')}`;
  private worker: Worker | null = null;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly environment: TestWorkflowEnvironment,
    private readonly bundle: WorkflowBundleOption,
    readonly world: FakeWorld,
  ) {}

  get client(): Client {
    return this.environment.client;
  }

  get handle() {
    return this.client.workflow.getHandle(this.id);
  }

  async startWorker(): Promise<void> {
    this.worker = await Worker.create({
      connection: this.environment.nativeConnection,
      taskQueue: this.world.taskQueue,
      workflowBundle: this.bundle,
      activities: this.world.activities,
      sinks: {
        projection: { changed: { fn: () => undefined, callDuringReplay: false } },
        runs: { stopped: { fn: (_info, _plan: string, run: number) => this.world.stop(run), callDuringReplay: false } },
      },
    });
    this.running = this.worker.run();
  }

  async stopWorker(): Promise<void> {
    if (this.worker?.getState() === 'RUNNING') this.worker.shutdown();
    await this.running;
    this.worker = null;
  }

  /** Starts the plan and waits until it is planned. */
  async plan(given: TaskGraph | null = null, from: Pick<PlanInput, 'imported'> = {}): Promise<PlanView> {
    const input: PlanInput = {
      plan: {
        id: this.id,
        name: 'a plan',
        goal: 'a goal',
        workspace: 'ws-test',
        by: 'tester',
        settings: { provider: 'openai', model: 'fake', temperature: 0.2 },
        timeoutMs: 60_000,
        planwrightVersion: '0',
        graph: given,
        searchAttributes: true,
        llmQueue: null,
      },
      ...from,
    };
    await this.client.workflow.start('planWorkflow', {
      workflowId: this.id,
      taskQueue: this.world.taskQueue,
      args: [input],
    });
    return this.until((view) => view.status !== 'planning');
  }

  async view(): Promise<PlanView> {
    return this.handle.query<PlanView, [PlanQuestion]>('plan', { whole: true });
  }

  async until(condition: (view: PlanView) => boolean, timeoutMs = 50_000): Promise<PlanView> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const view = await this.view();
      if (condition(view)) return view;
      if (Date.now() > end) throw new Error(`not reached; the plan is ${view.status}: ${JSON.stringify(view.tasks)}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  apply(request: Partial<ApplyRequest> = {}): Promise<ApplyAnswer> {
    return this.handle.executeUpdate<ApplyAnswer, [ApplyRequest]>('apply', { args: [{ by: 'tester', ...request }] });
  }

  /** Applies and waits until nothing runs. */
  async run(request: Partial<ApplyRequest> = {}): Promise<PlanView> {
    await this.apply(request);
    return this.settled();
  }

  settled(): Promise<PlanView> {
    return this.until((view) => !['planning', 'running', 'waiting'].includes(view.status));
  }

  /** Takes back, and waits until that is over. */
  async undo(kind: UndoKind, message: Partial<UndoMessage> = {}): Promise<PlanView> {
    const { number } = await this.handle.executeUpdate<UndoAnswer, [UndoMessage]>(kind, {
      args: [{ by: 'tester', ...message }],
    });
    return this.until(({ undo }) => undo?.number === number && undo.status !== 'running');
  }

  decide(decision: Omit<Decide, 'by'> & { by?: string }): Promise<DecideAnswer> {
    return this.handle.executeUpdate<DecideAnswer, [Decide]>('decide', { args: [{ by: 'tester', ...decision }] });
  }
}

/** Status of each task, for assertions that read like the contract's table. */
export function statuses(view: PlanView): { [id: string]: string } {
  return Object.fromEntries(Object.entries(view.tasks).map(([id, task]) => [id, task.status]));
}

/** Sets up the server for a test file, and gives a function that makes a driver with its worker running. */
export function usePlans(settings: readonly string[] = []): () => Promise<Driver> {
  let environment: TestWorkflowEnvironment;
  let bundle: WorkflowBundleOption;
  const drivers: Driver[] = [];
  beforeAll(async () => {
    [environment, bundle] = await Promise.all([startServer(settings), workflowBundle()]);
  }, 120_000);
  afterEach(async () => {
    await Promise.all(drivers.splice(0).map((driver) => driver.stopWorker()));
  });
  afterAll(async () => {
    await environment?.teardown();
  });
  return async () => {
    const driver = new Driver(environment, bundle, new FakeWorld());
    drivers.push(driver);
    await driver.startWorker();
    return driver;
  };
}
