import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ActivityContext, LlmDeps } from '../../../activities/llm/context';
import { openaiProvider } from '../../../activities/llm/openai';
import type { ModelRequest } from '../../../activities/llm/provider';
import type { CallEvent } from '../../../activities/llm/records';
import { sha256 } from '../../../plan/digest';
import { TASK_GRAPH_WIRE } from '../../../plan/schema';
import type { DecomposeRequest, GenerateRequest, WorkspaceFacts, WorkspaceSnapshot } from '../../../plan/types';
import type { Skill } from '../../../skills/types';
import { ObjectStore } from '../../../store/objects';

export const KEY = 'sk-test-CANARY1234567890abcdef';

export const facts: WorkspaceFacts = {
  name: 'orders',
  language: 'node',
  otherLanguages: [],
  typescript: false,
  library: false,
  runtime: { version: '20', source: '.nvmrc' },
  testVersions: ['20'],
  engines: '>=20',
  packageManager: { name: 'npm', version: null, lockfile: 'package-lock.json' },
  install: { run: 'npm ci', source: 'package-lock.json' },
  build: null,
  test: { run: 'npm test', source: 'package.json scripts.test' },
  lint: null,
  start: { run: 'npm start', source: 'package.json scripts.start' },
  typecheck: null,
  scripts: { test: 'jest' },
  entryPoint: 'server.js',
  buildOutput: null,
  ports: [{ port: 3000, source: 'server.js' }],
  healthPath: null,
  services: [],
  envNames: [],
  nativeDependencies: [],
  defaultBranch: 'main',
  gitRemote: null,
  existing: {},
  packages: [],
  topLevel: ['package.json', 'server.js'],
};

/** A small skill of its own making, so that these tests do not change when the built-in ones do. */
export function skill(name: string, path: string, more: Partial<Skill> = {}): Skill {
  return {
    name,
    version: '1.0.0',
    description: `Writes ${path}`,
    risk: 'LOW',
    type: 'built-in',
    source: 'built-in',
    digest: sha256(name),
    inputSchema: { type: 'object', additionalProperties: false, properties: { note: { type: 'string' } } },
    primary: 'path',
    outputSchema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
    outputs: { path: '{{ files[0] }}' },
    paths: [path],
    scope: [path],
    verifiers: [],
    prompt: `You write ${path}.\n`,
    templates: [{ path, template: '# {{ ws.language }} {% if input.note %}{{ input.note }}{% endif %}\n' }],
    partials: {},
    summary: '',
    triggers: [name],
    ...more,
  };
}

export function skills(): Map<string, Skill> {
  const composeSchema = {
    type: 'object',
    additionalProperties: false,
    properties: { dockerfile: { type: 'string' }, port: { type: 'integer' }, image: { type: 'object' } },
  };
  const dockerOutput = {
    type: 'object',
    properties: { path: { type: 'string' }, port: { type: 'integer' } },
    required: ['path'],
  };
  const list = [
    skill('github-actions', '.github/workflows/ci.yml', { triggers: ['github actions', 'ci/cd', 'ci', 'workflow'] }),
    skill('dockerfile', 'Dockerfile', {
      triggers: ['dockerfile', 'docker', 'container'],
      outputSchema: dockerOutput,
      outputs: { path: '{{ files[0] }}', port: '3000' },
    }),
    skill('docker-compose', 'docker-compose.yml', {
      triggers: ['docker-compose', 'compose'],
      inputSchema: composeSchema,
    }),
    skill('makefile', 'Makefile', { triggers: ['makefile', 'make targets'] }),
  ];
  return new Map(list.map((one) => [one.name, one]));
}

export interface World {
  deps: LlmDeps;
  objects: ObjectStore;
  calls: string;
  events: CallEvent[];
  beats: () => number;
  context: ActivityContext;
  abort: AbortController;
  /** Stores a snapshot and gives its digest. */
  snapshot(files?: { [path: string]: string }): Promise<string>;
  remove(): Promise<void>;
}

/** A real directory with an object store, and a provider at `url`. */
export async function world(url: string, apiKey = KEY): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), 'planwright-llm-'));
  const objects = new ObjectStore(join(root, 'objects'));
  const calls = join(root, 'calls');
  const events: CallEvent[] = [];
  const abort = new AbortController();
  let beats = 0;
  const context = {
    heartbeat: (): void => {
      beats++;
    },
    signal: abort.signal,
    attempt: 1,
  };
  const deps: LlmDeps = {
    objects,
    layout: { calls },
    skills: async () => skills(),
    providers: (name) =>
      openaiProvider({ name, apiKey, baseURL: url, keyPlace: 'OPENAI_API_KEY', attempt: () => context.attempt }),
    context: () => context,
    report: (event) => {
      events.push(event);
    },
  };
  return {
    deps,
    objects,
    calls,
    events,
    beats: () => beats,
    context,
    abort,
    snapshot: async (files = {}) => {
      const stored: WorkspaceSnapshot['files'] = {};
      for (const [path, content] of Object.entries(files)) {
        stored[path] = { sha256: await objects.put(content), mode: '0644', bytes: Buffer.byteLength(content) };
      }
      const snapshot: WorkspaceSnapshot = { schema: 'planwright.workspace/1', facts, files: stored };
      return objects.putJson(snapshot);
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

export const settings = { provider: 'openai', model: 'test-model', temperature: 0.2 };

export function decomposeRequest(workspace: string, more: Partial<DecomposeRequest> = {}): DecomposeRequest {
  const goal = 'Set up CI/CD with GitHub Actions, a Dockerfile and docker-compose for this Node.js app';
  return {
    plan: 'plan-00000001',
    goal,
    attempt: 1,
    faults: [],
    workspace,
    settings,
    timeoutMs: 5000,
    maxTasks: 200,
    ...more,
  };
}

export function generateRequest(workspace: string, more: Partial<GenerateRequest> = {}): GenerateRequest {
  return {
    plan: 'plan-00000001',
    task: { id: '2', tool: 'dockerfile', description: 'Write a Dockerfile', input: {}, deps: [] },
    refs: {},
    generation: 1,
    settings,
    timeoutMs: 5000,
    workspace,
    overlay: {},
    feedback: [],
    instruction: null,
    ...more,
  };
}

export function modelRequest(more: Partial<ModelRequest> = {}): ModelRequest {
  return {
    schemaName: 'task_graph',
    schema: TASK_GRAPH_WIRE,
    system: 'You plan.',
    user: 'A goal.',
    model: 'test-model',
    temperature: 0.2,
    seed: 1,
    timeoutMs: 5000,
    ...more,
  };
}

/** The failure that a promise is rejected with, as the parts that decide what happens next. */
export async function failureOf(
  promise: Promise<unknown>,
): Promise<{ type: unknown; nonRetryable: unknown; delay: unknown; message: string }> {
  const error: unknown = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error(`not an error: ${String(error)}`);
  const part = (key: string): unknown =>
    Object.entries(Object.getOwnPropertyDescriptors(error)).find(([name]) => name === key)?.[1].value;
  return {
    type: part('type'),
    nonRetryable: part('nonRetryable'),
    delay: part('nextRetryDelay'),
    message: error.message,
  };
}
