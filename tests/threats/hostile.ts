/**
 * The activities of a real workspace, asked by nobody but a hostile model: what it answers goes the whole way that an answer
 * goes, from the wire to the disk. One temp directory and one model server for a test file.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { type ActivitySet, createActivities } from '../../activities';
import type { PlanActivities } from '../../activities/types';
import type { VerifyAndWriteResult } from '../../plan/steps';
import type { ArtifactFile, DecomposeResult, GenerateResult, Risk, WorkspaceRead } from '../../plan/types';
import { initWorkspace } from '../../store/init';
import { type WorkspaceLayout, workspaceLayout } from '../../store/layout';
import { type ModelReply, type ModelServer, startModelServer } from '../support/model-server';

export const KEY = 'sk-hostile-CANARY0123456789abcdef';
const settings = { provider: 'openai', model: 'm', temperature: 0.2 };

export interface Files {
  [path: string]: string;
}

export class HostileWorld {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'planwright-threat-')));
  readonly outside = realpathSync(mkdtempSync(join(tmpdir(), 'planwright-outside-')));
  readonly layout: WorkspaceLayout = workspaceLayout(this.root);
  readonly warnings: unknown[] = [];
  model!: ModelServer;
  private activities!: ActivitySet;
  private runs = 0;

  async open(): Promise<void> {
    this.model = await startModelServer({ apiKey: KEY });
    await initWorkspace(this.layout);
    this.activities = createActivities({
      layout: this.layout,
      env: { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: this.model.url },
      log: { warn: (...given: unknown[]) => void this.warnings.push(given) },
      // No Temporal here, so no history that a log could be made of.
      audit: null,
    });
  }

  async close(): Promise<void> {
    await this.activities.close();
    await this.model.close();
    rmSync(this.root, { recursive: true });
    rmSync(this.outside, { recursive: true });
  }

  /** Calls one activity as a worker would. */
  call<Name extends keyof PlanActivities>(
    name: Name,
    request: Parameters<PlanActivities[Name]>[0],
    activityId = `${name}-${this.runs}`,
  ): Promise<Awaited<ReturnType<PlanActivities[Name]>>> {
    const environment = new MockActivityEnvironment({ activityId });
    const activity = this.activities.functions[name] as (
      request: Parameters<PlanActivities[Name]>[0],
    ) => Promise<Awaited<ReturnType<PlanActivities[Name]>>>;
    return environment.run(activity, request);
  }

  /** Tells the worker that a run was cancelled. */
  stop(plan: string, run: number): void {
    this.activities.stop(plan, run);
  }

  put(path: string, content: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), content);
  }

  read(): Promise<WorkspaceRead> {
    return this.call('readWorkspace', { plan: 'plan-00000000', extraPaths: [] });
  }

  /** Plans a goal with what the model answers. */
  async decompose(reply: ModelReply, goal = 'Add a Dockerfile'): Promise<DecomposeResult> {
    this.runs += 1;
    this.model.reply = () => reply;
    const { digest } = await this.read();
    return this.call('decompose', {
      plan: `plan-${String(this.runs).padStart(8, '0')}`,
      goal,
      attempt: 1,
      faults: [],
      workspace: digest,
      settings,
      timeoutMs: 10_000,
      maxTasks: 200,
    });
  }

  /** Generates one task of `tool` with what the model answers. */
  async generate(
    tool: string,
    reply: ModelReply,
  ): Promise<{ result: GenerateResult; workspace: string; plan: string }> {
    this.runs += 1;
    this.model.reply = () => reply;
    const { digest: workspace } = await this.read();
    const plan = `plan-${String(this.runs).padStart(8, '0')}`;
    const result = await this.call('generate', {
      plan,
      task: { id: '1', tool, description: 'Write it', input: {}, deps: [] },
      refs: {},
      generation: 1,
      settings,
      timeoutMs: 10_000,
      workspace,
      overlay: {},
      feedback: [],
      instruction: null,
    });
    return { result, workspace, plan };
  }

  /** From the answer to the disk: under `--yes` with every path allowed, the widest that a person can ask for. */
  async carryOut(
    tool: string,
    files: Files,
    options: { between?: () => void; riskPassed?: Risk } = {},
  ): Promise<VerifyAndWriteResult> {
    const { result, workspace, plan } = await this.generate(tool, answerOf(files));
    options.between?.();
    return this.write(plan, tool, workspace, result.files, options.riskPassed);
  }

  write(
    plan: string,
    tool: string,
    workspace: string,
    files: ArtifactFile[],
    riskPassed: Risk = 'MEDIUM',
  ): Promise<VerifyAndWriteResult> {
    return this.call('verifyAndWrite', {
      plan,
      task: '1',
      tool,
      files,
      allowAllPaths: true,
      workspace,
      overlay: {},
      keepBackup: {},
      riskPassed,
    });
  }

  /** Contents by path of the workspace proper, links not followed. */
  disk(folder = this.root): Files {
    const found: Files = {};
    for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
      const path = relative(folder, join(entry.parentPath, entry.name));
      if (entry.isFile() && !path.startsWith('.planwright')) found[path] = readFileSync(join(folder, path), 'utf8');
    }
    return found;
  }

  /** Everything that was kept under `.planwright/`, as one text. */
  kept(): string {
    const all = readdirSync(this.layout.dir, { withFileTypes: true, recursive: true });
    return all
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
      .join('\n');
  }

  /** All that went over the wire, as one text. */
  sent(): string {
    return JSON.stringify(this.model.calls.map(({ body }) => body));
  }
}

export function answerOf(files: Files): ModelReply {
  const list = Object.entries(files).map(([path, content]) => ({ path, content }));
  return { content: { files: list, summary: 'done' } };
}

export function useHostileWorld(): () => HostileWorld {
  let world: HostileWorld;
  beforeAll(async () => {
    world = new HostileWorld();
    await world.open();
  });
  afterAll(() => world.close());
  return () => world;
}
