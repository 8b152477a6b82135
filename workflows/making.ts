/**
 * A task in one step: under `--yes` nobody decides anything between generation and write, so one activity does both, and
 * the server, the worker and the history have half as much to do.
 */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import { mayDemandOf } from '../plan/rules/match';
import type { MakeResult } from '../plan/steps';
import type { GenerateRequest } from '../plan/types';
import { rulesOf } from './gatekeeping';
import { noteAttempt } from './ledger';
import type { TaskWork } from './task-work';

/**
 * Not where another queue's workers call the model, who do not have the workspace; nor in a replay, which compares first;
 * nor where policy may hold the write back: for a person, or for the end of a freeze window.
 */
export function inOneStep({ run, context, node }: TaskWork): boolean {
  const { yes, dryRun, replay } = run.request;
  const rules = rulesOf(context);
  if (rules.freeze.length > 0 || mayDemandOf(rules, node.tool)) return false;
  return yes === true && !dryRun && !replay && context.state.plan.llmQueue === null;
}

export async function make(work: TaskWork, question: GenerateRequest): Promise<MakeResult> {
  const { own, run } = work;
  const { id: write } = work.step('write');
  try {
    const made = await work.context.call(
      'make',
      { ...work.step('make'), timeoutMs: question.timeoutMs },
      {
        generate: question,
        write,
        run: run.number,
        allowAllPaths: run.request.allowAllPaths === true,
        keepBackup: own.backups,
        riskPassed: run.passed,
        ...(run.request.skipVerify ? { skipExternal: true } : {}),
      },
    );
    work.begun = made.done === null && made.begun;
    return made;
  } catch (error) {
    await noteBegun(work, write);
    throw error;
  }
}

/**
 * It came to no end: cancelled between two attempts, out of time, or failed in an attempt after one that was killed. Only the
 * journal knows whether a write had begun; a rollback then looks at the disk.
 */
async function noteBegun(work: TaskWork, write: string): Promise<void> {
  const step = { id: `begun-${write}`, summary: `what task ${work.task.number} had begun to write` };
  const files = await CancellationScope.nonCancellable(() => work.context.call('begunWrite', step, { write }));
  noteAttempt(work.context.state, work.node.id, `${workflowInfo().runId}/${write}`, files);
}
