/** One generation of a task: what it is asked with, what it cost, and what came of it. */

import { addSpent, addUsage } from '../plan/spending';
import type { VerifyAndWriteResult } from '../plan/steps';
import type { ArtifactFile, CallTrace, GenerateRequest, GenerateResult, Usage } from '../plan/types';
import type { FileView } from '../plan/view';
import { hasBudget } from './budget';
import { asksAgain, callsIn, leftBy, taskErrorOf } from './calls';
import { overlayOf, referencesOf, usableArtifact } from './inputs';
import { inOneStep, make } from './making';
import { askAnew, shelve } from './prepare';
import { againAsRecorded, compareWithRecord, onRecordedBases } from './replay';
import type { Made, TaskInternals } from './state';
import type { TaskWork } from './task-work';

/** True where the task's next step asks a model: it is its generation, and no artifact is there to be taken. */
export function asksNext({ context, run, node, task }: TaskWork): boolean {
  const { recorded, replay } = run.request;
  if (recorded || (task.status !== 'pending' && task.status !== 'generating')) return false;
  return replay === true || !usableArtifact(context, run, node.id);
}

/** @returns what came of verification and write, where they were part of the same step; otherwise null */
export async function generate(work: TaskWork): Promise<VerifyAndWriteResult | null> {
  const { own, node, run, context } = work;
  const { recorded, replay } = run.request;
  const startedAt = work.task.startedAt ?? context.at();
  if (recorded) {
    onRecordedBases(context, run, node.id);
    context.update(node.id, { status: 'verifying', startedAt });
    return null;
  }
  if (!replay && usableArtifact(context, run, node.id)) {
    context.update(node.id, { status: 'verifying', startedAt, attempts: own.generation });
    return null;
  }
  // A replay asks anew, once: not where the budget was looked at between two answers of the same generation.
  if (own.kept || (replay && own.asked?.generation !== own.generation)) askAnew(own);
  if (own.generation === 0) own.generation = 1;
  context.update(node.id, { status: 'generating', startedAt, attempts: own.generation, error: null, reason: null });
  context.callsInFlight += 1;
  try {
    const made: Made = {
      at: context.at(),
      generation: own.generation,
      seed: own.generation,
      workspace: context.state.snapshot?.digest ?? '',
      overlay: overlayOf(context, node.id, work.runView.kind === 'dry-run'),
      feedback: own.feedback,
      instruction: own.instruction,
      settings: run.settings,
    };
    const { at: _asked, generation, seed, ...question } = replay ? againAsRecorded(own, made) : made;
    const asked: GenerateRequest = {
      plan: context.state.view.id,
      task: node,
      refs: referencesOf(context, node),
      generation,
      timeoutMs: run.timeoutMs,
      ...question,
      ...(replay ? { seed } : {}),
      ...(own.toldUntil ? { toldUntil: own.toldUntil } : {}),
      ...(hasBudget(work) ? { oneCall: true } : {}),
    };
    const { generated: result, done } = inOneStep(work) ? await make(work, asked) : await askAlone(work, asked);
    heard(own, result.calls);
    // An answer found on record was paid for too, by an attempt that died before it could say so.
    if (!result.fromRecord || own.counted !== own.generation)
      count(work, uncounted(own, result.usage), result.provider ?? asked.settings.provider);
    own.counted = own.generation;
    own.asked = undefined;
    if (replay) compareWithRecord(context, work.runView, node.id, result);
    shelve(context, node.id);
    own.made = { ...(replay && own.made ? own.made : made), at: context.at(), generation };
    const { skill, modelReturned, output, raw } = result;
    const files = result.files.map(proposed);
    context.update(node.id, { status: 'verifying', skill, modelReturned, output, raw, files });
    if (replay) onRecordedBases(context, run, node.id);
    return done;
  } catch (error) {
    heard(own, callsIn(error));
    const again = asksAgain(error);
    if (again) {
      // It stays `generating`: whether there is one more call is looked at before the next step.
      count(work, uncounted(own, again.usage), run.settings.provider);
      const times = own.asked?.generation === own.generation ? own.asked.times + 1 : 1;
      own.asked = { generation: own.generation, times, usage: again.usage };
      return null;
    }
    const left = leftBy(error);
    if (left) {
      count(work, uncounted(own, left.usage), run.settings.provider);
      own.asked = undefined;
      work.task.raw = left.raw;
    }
    work.fail(taskErrorOf(error));
    return null;
  } finally {
    context.callsInFlight -= 1;
  }
}

/** The history has them now: the next generation tells of later ones only. */
function heard(own: TaskInternals, calls: readonly CallTrace[] = []): void {
  for (const { startedAt } of calls) if (startedAt && startedAt > (own.toldUntil ?? '')) own.toldUntil = startedAt;
}

async function askAlone(work: TaskWork, request: GenerateRequest): Promise<{ generated: GenerateResult; done: null }> {
  const step = { ...work.step('generate'), timeoutMs: request.timeoutMs, taskQueue: work.context.state.plan.llmQueue };
  return { generated: await work.context.call('generate', step, request), done: null };
}

/** Of what a generation used, what was not counted when its earlier answers could not be used. */
function uncounted({ asked, generation }: TaskInternals, usage: Usage): Usage {
  if (asked?.generation !== generation) return usage;
  return {
    ...usage,
    promptTokens: usage.promptTokens - asked.usage.promptTokens,
    completionTokens: usage.completionTokens - asked.usage.completionTokens,
    calls: usage.calls - asked.usage.calls,
    ...(usage.estimated ? { estimated: true } : {}),
  };
}

function count(work: TaskWork, usage: Usage, provider: string): void {
  addUsage(work.task.usage, usage);
  addSpent(work.context.state.view, provider, usage);
}

/** A file of an artifact before it was verified. */
export function proposed(file: ArtifactFile): FileView {
  return {
    ...file,
    action: file.preSha256 === null ? 'create' : file.preSha256 === file.sha256 ? 'unchanged' : 'modify',
    backup: null,
    state: 'proposed',
    digest: '',
    diffStat: { added: 0, removed: 0 },
    risk: 'LOW',
  };
}
