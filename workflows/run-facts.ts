/** The facts of runs and tasks, as the audit log tells of them. */
import { BY_WORKFLOW, claimedBy } from '../plan/facts';
import type { JsonObject, RunKind } from '../plan/types';
import type { RunView } from '../plan/view';
import type { PlanContext } from './context';
import { idText, inParts, said } from './facts';
import { RUN_FLAGS } from './requests';
import type { RunState } from './state';

/** A run was let in; `flags` are those that were set. */
export function recordRunStart(context: PlanContext, run: RunState, kind: RunKind, tasks: readonly string[]): void {
  const { request, number, settings } = run;
  const actor = claimedBy(request.by);
  context.record('run.started', actor, {
    run: number,
    kind,
    flags: RUN_FLAGS.filter((flag) => request[flag] === true),
    tasks: tasks.length,
    task: said(request.task),
    instruction: said(request.instruct),
    only: request.only?.length ?? null,
    exclude: request.exclude?.length ?? null,
    provider: said(settings.provider),
    model: said(settings.model),
    temperature: settings.temperature,
    timeoutMs: run.timeoutMs,
    concurrency: request.concurrency ?? null,
    maxTokens: request.maxTokens ?? null,
    onFailure: request.onFailure ?? null,
  });
  if (request.yes && !request.dryRun) {
    // Said once for the run: every file whose risk is not above it is written without asking.
    const passed = { gate: null, kind: 'file', task: null, run: number, how: 'yes', upTo: run.passed };
    context.record('gate.passed', actor, { ...passed, what: `files of risk ${run.passed} and less` });
  }
}

/** The end of a run, or its refusal; `counts` is by what became of its tasks. */
export function recordRunEnd(context: PlanContext, run: RunView, results: readonly string[]): void {
  const counts: { [result: string]: number } = {};
  for (const result of results) counts[result] = (counts[result] ?? 0) + 1;
  const reason = said(run.reason);
  if (run.status === 'refused') context.record('run.refused', BY_WORKFLOW, { run: run.number, kind: run.kind, reason });
  else {
    const { number, kind, status } = run;
    const files = run.tasks.flatMap((id) => context.task(id).files).filter(({ state }) => state === 'written').length;
    context.record('run.finished', BY_WORKFLOW, { run: number, kind, status, reason, counts, files });
  }
}

/** What became of one task, or how it goes on. */
export function recordTask(
  context: PlanContext,
  event: 'task.completed' | 'task.declined' | 'task.failed',
  task: string,
  more: JsonObject,
): void {
  const { number } = context.task(task);
  const { generation } = context.internals(task);
  const run = context.state.run?.number ?? null;
  context.record(event, BY_WORKFLOW, { task: idText(task), number, run, generation, ...more });
}

/** Tasks that share a fate: skipped with what they need, cancelled with their run, taken up anew. */
export function recordTasks(
  context: PlanContext,
  event: 'task.skipped' | 'task.cancelled' | 'task.retried',
  tasks: readonly string[],
  reason: string | null,
): void {
  const run = context.state.run?.number ?? null;
  for (const part of inParts(tasks)) {
    const named = part.map((id) => ({ task: idText(id), number: context.task(id).number }));
    context.record(event, BY_WORKFLOW, { tasks: named, run, reason: said(reason) });
  }
}
