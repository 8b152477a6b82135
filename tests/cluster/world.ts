/** A cluster for a test file, its installations and its workers. */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectPlanClient } from '../../client/connect';
import type { PlanClient } from '../../client/types';
import { isSettledPlan } from '../../plan/states';
import type { PlanView } from '../../plan/view';
import { type WorkspaceLayout, workspaceLayout } from '../../store/layout';
import { Installation, type Running } from '../e2e/installation';
import { Cluster } from './cluster';
import { type ClusterTools, findClusterTools } from './tools';

const found = findClusterTools(process.env);

/** `describe` where the programs of a cluster are on this machine; elsewhere skipped, by the name of what is missing. */
export const onCluster: typeof describe.skip = 'tools' in found ? describe : describe.skip;
export const missing = 'missing' in found ? ` (${found.missing})` : '';

export interface World {
  cluster: Cluster;
  tools: ClusterTools;
  installation: Installation;
  /** Starts `planwright worker` and waits until it polls. */
  startWorker(args?: string[], env?: NodeJS.ProcessEnv): Promise<Running>;
  /** Ends a worker as a rolling restart does, and waits until it is gone. */
  stopWorker(worker: Running): Promise<{ code: number | null; stdout: string }>;
  /** Temporal's command line against the cluster. */
  temporal(args: string[]): Promise<string>;
}

export function useCluster(): () => World {
  let cluster: Cluster;
  let world: World;
  let workers: Running[] = [];

  beforeAll(async () => {
    if ('tools' in found) cluster = await Cluster.start(found.tools);
  }, 180_000);

  beforeEach(() => {
    if (!('tools' in found)) return;
    const { tools } = found;
    const installation = new Installation({ ...cluster.environment, PLANWRIGHT_TEMPORAL_BIN: '/nonexistent' });
    world = {
      cluster,
      tools,
      installation,
      async startWorker(args = [], env = {}) {
        const worker = installation.start(['worker', ...args], { env });
        workers.push(worker);
        await worker.says(/worker listens/);
        return worker;
      },
      async stopWorker(worker) {
        workers = workers.filter((one) => one !== worker);
        worker.child.kill('SIGTERM');
        return worker.done;
      },
      temporal: (args) =>
        output(tools.temporal, args, { ...cluster.environment, PATH: process.env.PATH, HOME: cluster.folder }),
    };
  });

  afterEach(async () => {
    for (const { child, done } of workers) {
      child.kill('SIGTERM');
      await done;
    }
    workers = [];
    expect(await world?.installation.close()).toEqual([]);
  }, 120_000);

  afterAll(async () => {
    await cluster?.close();
  }, 60_000);

  return () => world;
}

function output(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => {
      stdout += data;
    });
    child.stderr.on('data', (data: Buffer) => {
      stderr += data;
    });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(stdout) : reject(new Error(`temporal ${args.join(' ')} ended with ${code}: ${stderr}`)),
    );
  });
}

/** Again until it holds: what a cluster does of itself takes its time. */
export async function expectSoon(check: () => Promise<void>, withinMs = 60_000): Promise<void> {
  for (const end = Date.now() + withinMs; ; ) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}

const NOTE_SKILL = `---
name: note
description: Writes one note.
metadata:
  version: "1.0.0"
  risk: MEDIUM
  input: { type: object, additionalProperties: false, properties: { file: { type: string, pattern: "^[a-z0-9-]+$" } } }
  primary: file
  output: { type: object, properties: { file: { type: string } } }
  outputs: { file: "{{ files[0] }}" }
  paths: ["deploy/{{ input.file }}.txt"]
  scope: ["deploy/*.txt"]
  verifiers: []
  triggers: ["note"]
  templates:
    - { file: note.txt.liquid, path: "deploy/{{ input.file }}.txt", existing: keep }
---
Write one note.
`;

/** Makes a workspace in which each task of the skill `note` writes a file of its own: many plans at once do not meet. */
export async function prepareNotes({ installation }: Pick<World, 'installation'>): Promise<WorkspaceLayout> {
  await installation.ok(['init']);
  const folder = join(installation.workspace, '.planwright', 'skills', 'note');
  await mkdir(join(folder, 'templates'), { recursive: true });
  await writeFile(join(folder, 'SKILL.md'), NOTE_SKILL);
  await writeFile(join(folder, 'templates', 'note.txt.liquid'), 'A note for {{ input.file }}.\n');
  return workspaceLayout(installation.workspace);
}

/** The product's client against the cluster, without a process for each command. */
export async function clientOf({ cluster }: World, layout: WorkspaceLayout): Promise<PlanClient> {
  const env = { ...cluster.environment };
  return connectPlanClient({ layout, env, flags: {}, note: () => undefined, settingsDigest: '' });
}

/** A plan of notes, in a chain unless told; its files are named by it. */
export async function planNotes(client: PlanClient, name: string, tasks = 2, chained = true): Promise<string> {
  const nodes = Array.from({ length: tasks }, (_, at) => ({
    id: `t${at}`,
    tool: 'note',
    description: `a note, the ${at}th of ${name}`,
    input: { file: `${name}-${at}` },
    deps: at === 0 || !chained ? [] : [`t${at - 1}`],
  }));
  const settings = { provider: 'template', model: 'template', temperature: 0 };
  const id = await client.create({
    name,
    goal: `notes ${name}`,
    by: 'test',
    settings,
    graph: { nodes },
    timeoutMs: 60_000,
  });
  const view = await until(client, id, ({ status }) => status !== 'planning');
  if (view.status !== 'ready') throw new Error(`${id} is ${view.status}: ${view.failure?.message}`);
  return id;
}

/** Follows a plan until something holds of it. */
export async function until(client: PlanClient, id: string, holds: (view: PlanView) => boolean): Promise<PlanView> {
  const stop = new AbortController();
  try {
    for await (const view of client.follow(id, stop.signal)) if (holds(view)) return view;
  } finally {
    stop.abort();
  }
  throw new Error(`${id} came to no such state`);
}

/** Approves each gate of a plan once, as it opens, until the plan is over. @returns the gates, in order */
export async function approveAll(client: PlanClient, id: string): Promise<string[]> {
  const asked: string[] = [];
  for (;;) {
    const view = await until(client, id, ({ gates, status }) => gates.length > 0 || isSettledPlan(status));
    if (isSettledPlan(view.status)) return asked;
    for (const { gate, digest } of view.gates) {
      asked.push(gate);
      await client.decide(id, { gate, decision: 'approve', by: 'test', ...(digest ? { digest } : {}) });
    }
  }
}
