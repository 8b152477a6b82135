import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SinkTest } from '../../notify/test-sinks';
import { UsageError } from '../../plan/errors';
import type { Base, CarriedPlan } from '../../plan/export';
import type { DecisionSignature, SignedDecision } from '../../plan/signing';
import type { ModelSettings, TaskGraph } from '../../plan/types';
import type { PlanView } from '../../plan/view';
import type { SkillSet } from '../../skills/skill-set';
import type { Skill } from '../../skills/types';
import type { NewProvider } from '../../store/add-provider';
import type { ConfigTarget } from '../../store/config-file';
import type { GcOptions, GcResult } from '../../store/gc';
import type { WorkspaceLayout } from '../../store/layout';
import { findWorkspace, userFolders, workspaceLayout } from '../../store/layout';
import type { KeyFound } from '../../store/provider-keys';
import type { KnownProvider, Settings as SettingsInForce } from '../../store/settings';
import type { Release } from '../../worker/connection';
import type { Check, Embedded, EmbeddedStatus, Stopped } from '../../worker/embedded';
import type { Replayed } from '../../worker/embedded/replay';
import type { AuditDesk } from '../audit/desk';
import type { ConnectOptions } from '../connect';
import type { PlanHistories } from '../histories';
import type { Prepared } from '../import-plan';
import type { PlanClient } from '../types';
import type { PolicyReport } from './policy-check';

/** What flags say of the model. */
export interface ModelFlags {
  provider?: string;
  model?: string;
  temperature?: number;
  /** A provider's name, or "none". */
  fallback?: string;
}

/** Model settings in force, and the line that says which were chosen and why. */
export interface Settings {
  model: ModelSettings;
  choice: string;
}

/** A private key that was read: what it signs, and its public half as the policy names it. */
export interface SigningKey {
  publicKey: string;
  /** @param now milliseconds since the epoch */
  sign(decision: Omit<SignedDecision, 'nonce' | 'expires'>, now: number): DecisionSignature;
}

export type ConnectionFlags = ConnectOptions['flags'];

interface Place {
  layout: WorkspaceLayout;
  env: NodeJS.ProcessEnv;
}

export interface WorkerOptions {
  layouts: readonly WorkspaceLayout[];
  env: NodeJS.ProcessEnv;
  flags: ConnectionFlags;
  release?: Release;
  note(line: string): void;
}

/** The doors to the other rooms. Each loads what lies behind it when it is opened: `--help` opens none. */
export interface Rooms {
  /** The workspace that a directory belongs to. @throws UsageError where it does not exist */
  findWorkspace(dir: string, cwd: string): WorkspaceLayout;
  /** The directory itself as a workspace. @throws UsageError where it does not exist */
  workspaceAt(dir: string, cwd: string): WorkspaceLayout;
  connect(options: Omit<ConnectOptions, 'settingsDigest'>): Promise<PlanClient>;
  /** @throws UsageError as `resolveSettings` does */
  settings(place: Place & { flags: ModelFlags }): Promise<Settings>;
  /** What is in force, to be looked at: a key that is missing is told and no error. */
  settingsInForce(
    place: Place,
  ): Promise<SettingsInForce & { key: KeyFound; providers: { [name: string]: KnownProvider } }>;
  /**
   * Sets one key of a config file. @returns the file's path
   * @throws UsageError for an unknown key or a value that the file may not have
   */
  setConfig(target: ConfigTarget, key: string, value: string, env: NodeJS.ProcessEnv): Promise<string>;
  /** Records in the user's config which file holds the key. @throws UsageError where the file is not fit for one */
  addKeyFile(place: Place & { file: string }): Promise<string>;
  /** Describes a provider in the user's config. @returns the file's path @throws UsageError where it would not be valid */
  addProvider(place: Place & { provider: NewProvider }): Promise<string>;
  /** Asks the provider one tiny question; null: it asks nobody. Errors as `testProvider` of worker/provider-test.ts. */
  testProvider(place: Place & { flags: ModelFlags }): Promise<ProviderTest>;
  /** @throws UsageError listing the providers that there are */
  knownProvider(name: string, env: NodeJS.ProcessEnv): Promise<string>;
  /**
   * Makes what a workspace needs.
   * @returns what was made, relative to the workspace
   * @throws UsageError where its policy is not valid: no plan could be made by it
   */
  initialise(layout: WorkspaceLayout): Promise<string[]>;
  /** @throws UsageError where the file is not fit for a private key, or holds none */
  signingKey(file: string, layout: WorkspaceLayout): SigningKey;
  /** Makes a private key in a new file. @returns its public half. @throws UsageError where it cannot be written there */
  newSigningKey(file: string, layout: WorkspaceLayout): Promise<string>;
  /** The name that the workspace's policy has for a public key; null: none. @throws UsageError for a wrong policy */
  approverOf(publicKey: string, layout: WorkspaceLayout): Promise<string | null>;
  /** Sends each sink of the workspace's policy, or the named one, a test. @throws UsageError where there is none */
  testSinks(place: Place & { sink?: string; now: number }): Promise<SinkTest[]>;
  /** @throws Error in words for a person */
  parseTaskGraph(text: string): TaskGraph;
  /** A plan as one file. Errors as `exportPlan` of client/export-plan.ts. */
  exportPlan(client: PlanClient, view: PlanView): Promise<{ carried: CarriedPlan; packed: Buffer; bases: Base[] }>;
  /** Reads an exported plan and compares it with the workspace. Errors as `unpackExport` and `prepareImport`. */
  prepareImport(layout: WorkspaceLayout, packed: Buffer, refresh: boolean): Promise<Prepared>;
  /** Removes objects that nothing refers to. Errors as `collectGarbage` of store/gc.ts. */
  collectGarbage(layout: WorkspaceLayout, options: GcOptions): Promise<GcResult>;
  /** What is wrong with a plan's graph by today's skills and policy; empty where nothing is. */
  /** The policy of today, and what it asks of a plan. @throws UsageError where it is not valid. @param at ISO time */
  policyReport(view: PlanView | null, place: Place, at: string): Promise<PolicyReport>;
  graphFaults(view: PlanView, place: Place): Promise<string[]>;
  /** The skills of a workspace and those that are not used. @throws UsageError for a broken policy */
  skills(place: Place): Promise<SkillSet>;
  /** What is wrong with a skill's templates, tried on made-up facts; empty where nothing is. */
  trySkill(skill: Skill): string[];
  /** Makes a skill's folder. @returns the files' paths @throws UsageError where the name is taken or not fit */
  newSkill(place: Place & { name: string; user: boolean }): Promise<string[]>;
  up(place: Place & { note(line: string): void }): Promise<Embedded>;
  down(options: { env: NodeJS.ProcessEnv; purge: boolean; note(line: string): void }): Promise<Stopped[]>;
  /** Of the embedded server; where a server elsewhere is configured, only where that one is. */
  status(env: NodeJS.ProcessEnv, flags: ConnectionFlags): Promise<StatusReport>;
  doctor(options: Place & { note(line: string): void }): Promise<Check[]>;
  /** What can be done with audit logs; of the server that the flags mean, which need not answer. */
  audit(options: Place & { flags: ConnectionFlags }): Promise<AuditDesk>;
  /** Replays event histories on this installation's workflow code. */
  replay(plan: string, executions: PlanHistories['executions']): Promise<Replayed[]>;
  /** Runs until a signal. @returns the exit code */
  worker(options: WorkerOptions): Promise<number>;
}

export type ProviderTest = Awaited<ReturnType<typeof import('../../worker/provider-test')['testProvider']>>;

export type StatusReport =
  | ({ kind: 'embedded' } & EmbeddedStatus)
  | { kind: 'configured'; address: string; namespace: string };

// `require` and not `import()`: TypeScript leaves an `import()` in CommonJS code to the ES module loader, which is slower
// and wants file names with extensions that do not exist before the build.
export const realRooms: Rooms = {
  findWorkspace: (dir, cwd) => findWorkspace(resolve(cwd, dir)),
  workspaceAt(dir, cwd) {
    findWorkspace(resolve(cwd, dir));
    return workspaceLayout(resolve(cwd, dir));
  },
  async connect(options) {
    if (!options.readOnly) requireWorkspace(options.layout);
    const { connectPlanClient } = require('../connect') as typeof import('../connect');
    const { workerDigest } = require('../../store/worker-digest') as typeof import('../../store/worker-digest');
    return connectPlanClient({ ...options, settingsDigest: workerDigest(options.env) });
  },
  async settings({ layout, env, flags }) {
    const { resolveSettings } = require('../../store/settings') as typeof import('../../store/settings');
    const settings = await resolveSettings({ flags, env, layout });
    const { provider, model, temperature, planner, fallback, sources, apiKeyPresent } = settings;
    const why = whyProvider(provider, sources.provider, apiKeyPresent);
    const plans = planner === undefined ? '' : ` (plans: ${planner})`;
    const other = fallback ? `, falls back to ${fallback.provider} (${fallback.model})` : '';
    const what = provider === 'template' ? '' : `, model: ${model}${plans}${other}`;
    const more = { ...(planner === undefined ? {} : { planner }), ...(fallback ? { fallback } : {}) };
    return { model: { provider, model, temperature, ...more }, choice: `provider: ${provider} (${why})${what}` };
  },
  async settingsInForce({ layout, env }) {
    const { settingsInForce } = require('../../store/settings') as typeof import('../../store/settings');
    return settingsInForce({ flags: {}, env, layout });
  },
  async setConfig(target, key, value, env) {
    const { setSetting } = require('../../store/set-setting') as typeof import('../../store/set-setting');
    return setSetting(target, key, value, env);
  },
  async addKeyFile({ layout, env, file }) {
    const { addKeyFile } = require('../../store/set-setting') as typeof import('../../store/set-setting');
    return addKeyFile(env, layout, file);
  },
  async addProvider({ layout, env, provider }) {
    const { addProvider } = require('../../store/add-provider') as typeof import('../../store/add-provider');
    return addProvider(env, layout, provider);
  },
  async testProvider({ layout, env, flags }) {
    // Beyond the arrow to worker/embedded, with a reason: the question has to be the one that a worker would ask.
    const { testProvider } = require('../../worker/provider-test') as typeof import('../../worker/provider-test');
    return testProvider(layout, env, flags);
  },
  async knownProvider(name, env) {
    const { knownProvider, namedProviders } = require('../../store/settings') as typeof import('../../store/settings');
    return knownProvider({ value: name, source: 'the command line' }, await namedProviders(env));
  },
  async initialise(layout) {
    const { initWorkspace } = require('../../store/init') as typeof import('../../store/init');
    const { loadPolicy } = require('../../store/policy') as typeof import('../../store/policy');
    const made = await initWorkspace(layout);
    await loadPolicy(layout);
    return made;
  },
  signingKey(file, { root }) {
    const keys = require('../../store/signing-key') as typeof import('../../store/signing-key');
    const key = keys.readSigningKey(file, root);
    return {
      publicKey: keys.publicKeyOf(key),
      sign: (decision, now) => keys.signDecision(key, decision, now),
    };
  },
  async newSigningKey(file, { root }) {
    const { newSigningKey } = require('../../store/signing-key') as typeof import('../../store/signing-key');
    return newSigningKey(file, root);
  },
  async approverOf(publicKey, layout) {
    const { loadPolicy } = require('../../store/policy') as typeof import('../../store/policy');
    const { approvers = [] } = await loadPolicy(layout);
    return approvers.find(({ key }) => key === publicKey)?.name ?? null;
  },
  async testSinks({ layout, env, sink, now }) {
    const { testSinks } = require('../../notify/test-sinks') as typeof import('../../notify/test-sinks');
    const { loadPolicy } = require('../../store/policy') as typeof import('../../store/policy');
    const { notify = [] } = await loadPolicy(layout);
    return testSinks(notify, { env, root: layout.root, only: sink, now });
  },
  parseTaskGraph(text) {
    const { parseTaskGraph } = require('../../plan/schema') as typeof import('../../plan/schema');
    return parseTaskGraph(text, 'It');
  },
  async exportPlan(client, view) {
    const { carriedBases, exportPlan } = require('../export-plan') as typeof import('../export-plan');
    const { plan, packed } = await exportPlan(client, view);
    return { carried: plan, packed, bases: carriedBases(plan) };
  },
  async prepareImport(layout, packed, refresh) {
    const { unpackExport } = require('../../store/export-file') as typeof import('../../store/export-file');
    const { prepareImport } = require('../import-plan') as typeof import('../import-plan');
    return prepareImport(layout, unpackExport(packed), refresh);
  },
  async collectGarbage(layout, options) {
    const { collectGarbage } = require('../../store/gc') as typeof import('../../store/gc');
    return collectGarbage(layout, options);
  },
  async graphFaults(view, { layout, env }) {
    const { graphFaults } = require('./graph-faults') as typeof import('./graph-faults');
    return graphFaults(view, layout, env);
  },
  async skills({ layout, env }) {
    const { loadPolicy } = require('../../store/policy') as typeof import('../../store/policy');
    const { skillSet } = require('../../skills/skill-set') as typeof import('../../skills/skill-set');
    return skillSet(layout, env, (await loadPolicy(layout)).write.allow);
  },
  trySkill(skill) {
    const { trialFaults } = require('../../skills/trial') as typeof import('../../skills/trial');
    return trialFaults(skill);
  },
  async newSkill({ layout, env, name, user }) {
    const { newSkill } = require('../../skills/new-skill') as typeof import('../../skills/new-skill');
    const { customSkillFolders } = require('../../skills/skill-set') as typeof import('../../skills/skill-set');
    const folders = customSkillFolders(layout, env);
    if (!user) requireWorkspace(layout);
    return newSkill(user ? folders.user : folders.workspace, name);
  },
  async policyReport(view, { layout, env }, at) {
    const { policyReport } = require('./policy-check') as typeof import('./policy-check');
    return policyReport(view, layout, env, at);
  },
  async up({ layout, env, note }) {
    const { ensureEmbedded } = require('../../worker/embedded') as typeof import('../../worker/embedded');
    const { workerDigest } = require('../../store/worker-digest') as typeof import('../../store/worker-digest');
    return ensureEmbedded({ env, workspace: layout, settingsDigest: workerDigest(env), note });
  },
  async down(options) {
    const { stopEmbedded } = require('../../worker/embedded') as typeof import('../../worker/embedded');
    return stopEmbedded(options);
  },
  async status(env, flags) {
    const configured = await connection(env, flags);
    if (configured.kind === 'configured') {
      const { address, namespace } = configured.options;
      return { kind: 'configured', address, namespace };
    }
    const { embeddedStatus } = require('../../worker/embedded') as typeof import('../../worker/embedded');
    return { kind: 'embedded', ...(await embeddedStatus(env)) };
  },
  async doctor({ layout, env, note }) {
    const { doctor } = require('../../worker/embedded') as typeof import('../../worker/embedded');
    return doctor({ env, workspace: layout, note });
  },
  async audit({ layout, env, flags }) {
    const { AuditDesk } = require('../audit/desk') as typeof import('../audit/desk');
    const { EMBEDDED_NAMESPACE } = require('../../worker/embedded') as typeof import('../../worker/embedded');
    const configured = await connection(env, flags);
    const namespace = configured.kind === 'configured' ? configured.options.namespace : EMBEDDED_NAMESPACE;
    return new AuditDesk({ layout, namespace, state: userFolders(env).state });
  },
  async replay(plan, executions) {
    const { replayHistories } =
      require('../../worker/embedded/replay') as typeof import('../../worker/embedded/replay');
    return replayHistories(plan, executions);
  },
  async worker({ layouts, env, flags, release, note }) {
    const { workerDigest } = require('../../store/worker-digest') as typeof import('../../store/worker-digest');
    // Beyond the arrow to worker/embedded, with a reason: this one command is the worker.
    const { runWorker } = require('../../worker/main') as typeof import('../../worker/main');
    const { parseListen } = require('../../worker/health') as typeof import('../../worker/health');
    const health = parseListen(env.PLANWRIGHT_HEALTH);
    const configured = await connection(env, flags);
    const ready = (): void => {
      for (const { root } of layouts) note(`The worker listens for ${root}.`);
    };
    const common = { layouts, env, health, release, stopWhenIdle: false, ready };
    if (configured.kind === 'configured') {
      const { address, namespace, ...options } = configured.options;
      return runWorker({ ...common, address, namespace, connection: options });
    }
    const { ensureEmbedded } = require('../../worker/embedded') as typeof import('../../worker/embedded');
    const { address, namespace } = await ensureEmbedded({
      env,
      workspace: null,
      settingsDigest: workerDigest(env),
      note,
    });
    return runWorker({ ...common, address, namespace });
  },
};

/** Before a server and a worker are started for a directory in which no plan can be. @throws UsageError */
function requireWorkspace({ dir, root }: WorkspaceLayout): void {
  if (existsSync(dir)) return;
  throw new UsageError(
    `${root} is no workspace: neither it nor a directory above it has a .planwright/ folder.`,
    'Go to your project, name it with -C DIR, or begin here: planwright plan "<goal>"',
  );
}

async function connection(env: NodeJS.ProcessEnv, flags: ConnectionFlags) {
  // The worker and its client must agree on the server, so one function finds it for both.
  const { resolveConnection } = require('../../worker/connection') as typeof import('../../worker/connection');
  return resolveConnection({ flags, env });
}

/** Why this provider is in force, in a few words. */
export function whyProvider(provider: string, source: string, key: boolean): string {
  if (source === 'default' && provider === 'template') return 'no OPENAI_API_KEY set';
  if (source === 'OPENAI_API_KEY') return 'OPENAI_API_KEY is set';
  if (source === 'keyFile') return 'your config names a key file';
  return `${source === 'flag' ? '--provider' : source}${key || provider === 'template' ? '' : ', no key'}`;
}
