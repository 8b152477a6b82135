/** A task that failed for good, in a run that nobody watches: it waits for a person instead of taking its dependents with it. */
import type { TaskError } from '../plan/view';
import { digestOfQuestion } from './bound';
import { ask, requirementOf } from './gatekeeping';
import { askAnew, CONTENT_ERRORS } from './prepare';
import { outcomeOf } from './rulings';
import { recordTasks } from './run-facts';
import type { TaskWork } from './task-work';

/** Failures that a person chose, at a gate that asked already. */
const CHOSEN = ['BudgetReached'];
/** @returns false where this run stops at a failure */
export function waitStuck(work: TaskWork, error: TaskError): boolean {
  const { context, node, run, task, own } = work;
  if (run.request.onFailure !== 'wait' || run.request.dryRun || CHOSEN.includes(error.type)) return false;
  const risk = context.state.view.risk;
  const requirement = requirementOf(context, { gate: 'stuck', tools: [node.tool], path: null, risk });
  const about = `${error.type}: ${error.message.split('\n')[0]}`.slice(0, 500);
  const { type, message } = error;
  const { generation, retries = 0 } = own;
  const what = { task: node, generation, retries, error: { type, message }, files: work.artifact() };
  const digest = digestOfQuestion(context, run, 'stuck', what);
  const gate = ask(context, run, { kind: 'stuck', task: node.id, risk, about, digest }, requirement);
  own.stuck = { gate: gate.gate, error };
  context.update(node.id, { status: 'awaiting_approval', error, reason: `stuck: ${error.message}`, held: null });
  if (task.completedAt !== null) task.completedAt = null;
  return true;
}

/** Carries out what was decided at the gate; it is closed by now. */
export async function afterStuck(work: TaskWork): Promise<void> {
  const { context, node, own, task } = work;
  const { stuck } = own;
  if (!stuck) return;
  const outcome = outcomeOf(context.state, stuck.gate);
  own.stuck = undefined;
  if (outcome?.decision === 'skip') {
    const why = `skipped by ${outcome.by}${outcome.reason ? `: ${outcome.reason}` : ''}`;
    context.update(node.id, { status: 'skipped', reason: why, completedAt: context.at() });
    recordTasks(context, 'task.skipped', [node.id], why);
    return;
  }
  if (outcome?.decision !== 'retry') {
    work.settleFailed(stuck.error);
    return;
  }
  recordTasks(
    context,
    'task.retried',
    [node.id],
    `${outcome.by} said so${outcome.reason ? `: ${outcome.reason}` : ''}`,
  );
  own.retries = (own.retries ?? 0) + 1;
  own.repairs = 0;
  const { type } = stuck.error;
  const made = task.files.length > 0 && own.made?.generation === own.generation;
  const again = CONTENT_ERRORS.has(type) || type === 'Conflict';
  // What was generated stands where a step after it failed.
  const keeps = made && !again;
  if (!keeps) {
    const paths = task.files.map(({ path }) => path);
    // What is generated again is generated on what stands there now.
    await context.readWorkspace(paths, `retry-${node.id}-r${work.run.number}`);
    if (again) askAnew(own, own.feedback);
  }
  context.update(node.id, { status: keeps ? 'verifying' : 'generating', error: null, reason: null });
}
