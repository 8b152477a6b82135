/** The activities of one workspace, ready to be registered: what each room offers, with Temporal's context put in. */
import { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import { type Mask, maskTexts } from '../plan/mask';
import type { LogHead } from '../plan/steps';
import type { ModelProgress } from '../plan/types';
import { skillSet } from '../skills/skill-set';
import { envMask } from '../store/env-secrets';
import type { WorkspaceLayout } from '../store/layout';
import { ObjectStore } from '../store/objects';
import { checkPolicyTools, policyReader, policySnapshot } from '../store/policy';
import type { ReachableProvider } from '../store/provider-keys';
import { externalSettings } from '../store/verifier-tools';
import {
  type ArtifactDeps,
  begunWrite,
  makeArtifact,
  undoPlan,
  verifyAndWriteArtifact,
  verifyArtifact,
  writeArtifact,
} from './artifact';
import { type AuditMirror, auditFirst } from './audit-first';
import { createExportHistory, type ReadHistory } from './export-history';
import { asFailure } from './failures';
import { handBack } from './hand-back';
import type { LlmDeps } from './llm/context';
import { createDecompose } from './llm/decompose';
import { createGenerate } from './llm/generate';
import { providersFrom } from './llm/providers';
import { createNotify } from './notify';
import { runStartFacts } from './run-start';
import { StoppedRuns } from './stopped-runs';
import type { PlanActivities } from './types';
import { closeVerifiers, warmVerifiers } from './verify';
import { readGitHead } from './workspace/git';
import { readWorkspaceSnapshot } from './workspace/snapshot';

export interface ActivityOptions {
  layout: WorkspaceLayout;
  /** The worker's environment: keys and base URLs of providers. */
  env: NodeJS.ProcessEnv;
  log: Pick<Logger, 'warn'>;
  /** Providers by name, besides the one of the environment. */
  providers?: readonly ReachableProvider[];
  /** Null only where nothing has to be accounted for: in tests of something else. */
  audit: AuditMirror | null;
  /** None: histories of executions that are over are not kept, in tests of something else. */
  history?: ReadHistory;
  /** Aborted when the worker stops: calls of a model are handed back, everything else comes to its end. */
  stopping?: AbortSignal;
}

export interface ActivitySet {
  functions: PlanActivities;
  /** A run was cancelled: a task of it that has not begun to write writes nothing any more. */
  stop(plan: string, run: number): void;
  /** Ends what verifiers keep running. */
  close(): Promise<void>;
}

/** With the time-out of 5 s a stop of 4 s is survived; what is done sooner than this sends none, which spares the server a write. */
const HEARTBEAT_MS = 500;
const NEVER = new AbortController().signal;

/** How far the model's answer is in an activity that runs. */
const progressOf = new WeakMap<Context, ModelProgress>();

export function createActivities(options: ActivityOptions): ActivitySet {
  const { layout, env, log, audit, providers = [], stopping = NEVER } = options;
  const objects = new ObjectStore(layout.objects);
  const mask = envMask(env);
  const watch = <Request, Result>(activity: (request: Request) => Promise<Result>) => watched(mask, activity);
  const policyNow = policyReader(layout);
  // Read anew each time: a custom skill may be edited while the worker runs, and what was used is recorded by digest.
  const allSkills = async () => skillSet(layout, env, (await policyNow()).write.allow);
  const skills = async () => (await allSkills()).skills;
  const llm: LlmDeps = {
    objects,
    layout,
    skills,
    skillFaults: async () => (await allSkills()).faults,
    mask,
    fileBytes: async () => (await policyNow()).limits.fileBytes,
    providers: (name) => providersFrom(env, () => Context.current().info.attempt, providers)(name),
    context: () => ({
      heartbeat: (progress) => {
        const context = Context.current();
        if (progress) progressOf.set(context, progress);
        context.heartbeat(progress);
      },
      signal: AbortSignal.any([Context.current().cancellationSignal, stopping]),
      attempt: Context.current().info.attempt,
    }),
    report: (event) => log.warn({ event }, 'call of the model'),
  };
  const handingBack =
    <Request, Result>(activity: (request: Request) => Promise<Result>) =>
    (request: Request): Promise<Result> =>
      handBack(Context.current().cancellationSignal, stopping, () => activity(request));
  const generate = handingBack(createGenerate(llm));
  const generateWarming: PlanActivities['generate'] = async (request) => {
    const skill = (await skills()).get(request.task.tool);
    // Its linter starts while the model thinks; the result is the same without.
    if (skill) warmVerifiers(skill.verifiers);
    return generate(request);
  };
  const stopped = new StoppedRuns();
  const external = externalSettings(env, layout.root);
  const artifact: ArtifactDeps = { layout, objects, skills, policy: policyNow, stopped, external };
  const first = async (): Promise<LogHead | null> => (audit ? auditFirst(audit) : null);
  const readWorkspace: PlanActivities['readWorkspace'] = async ({ extraPaths, start }) => {
    const policy = await policyNow();
    const known = await skills();
    checkPolicyTools(policy, known.keys());
    const scopes = [...known.values()].flatMap((skill) => skill.scope);
    const patterns = [...new Set([...policy.write.allow, ...scopes])];
    const snapshot = await readWorkspaceSnapshot({ root: layout.root, objects, patterns, extraPaths });
    return {
      digest: await objects.putJson(snapshot),
      policy: policySnapshot(policy),
      gitHead: await readGitHead(layout.root),
      ...(start ? { start: await runStartFacts({ layout, env, policy, skills: known }, start) } : {}),
    };
  };
  const signal = (): AbortSignal => Context.current().cancellationSignal;
  const notify = createNotify({ root: layout.root, env, policy: policyNow, signal });
  return {
    functions: {
      readWorkspace: watch(readWorkspace),
      decompose: watch(handingBack(createDecompose(llm))),
      generate: watch(generateWarming),
      verify: watch((request) => verifyArtifact(artifact, request)),
      verifyAndWrite: watch((request) => verifyAndWriteArtifact(artifact, request, { logged: begun(first()) })),
      make: watch((request) => makeArtifact(artifact, generateWarming, request, begun(first()))),
      begunWrite: watch(({ write }) => begunWrite(artifact, write)),
      writeFiles: watch(async (request) => withHead(await first(), await writeArtifact(artifact, request))),
      undo: watch(async (request) => withHead(await first(), await undoPlan(artifact, request))),
      notify,
      exportHistory: watch(createExportHistory(layout, options.history ?? null)),
    },
    stop: (plan, run) => stopped.add(plan, run),
    close: closeVerifiers,
  };
}

/** Something that goes on beside other work: what it throws is thrown where it is awaited, and never before. */
function begun<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

const withHead = <Result extends object>(audit: LogHead | null, result: Result): Result & { audit?: LogHead } =>
  audit ? { ...result, audit } : result;

/** Beats while the activity runs, so that a dead worker is noticed; turns what it throws into Temporal's failures. No secret leaves in either. */
function watched<Request, Result>(
  mask: Mask,
  activity: (request: Request) => Promise<Result>,
): (request: Request) => Promise<Result> {
  return async (request) => {
    const context = Context.current();
    // A beat without details would wipe out what the last one told.
    const beat = setInterval(() => context.heartbeat(progressOf.get(context)), HEARTBEAT_MS);
    try {
      return maskTexts(await activity(request), mask);
    } catch (error) {
      throw asFailure(error, mask);
    } finally {
      clearInterval(beat);
    }
  };
}
