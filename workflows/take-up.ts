/**
 * A plan that Temporal lost, taken up from its plan file. The file is only a claim: the graph is checked and its risk
 * computed as for a new plan, and a task stays completed only where its files on disk are the recorded ones and pass
 * verification now. Decisions are not carried: nobody can vouch for them any more.
 */
import { settledStatus } from '../plan/admission';
import { claimedBy } from '../plan/facts';
import type { LostPlan, LostTask } from '../plan/lost';
import { taskErrorOf } from './calls';
import type { PlanContext } from './context';
import { noteWritten } from './ledger';
import { makePlan } from './planning';

/** Verified at a time; a plan may have thousands of tasks. */
const AT_ONCE = 50;

/** Leaves the plan settled, for `apply --resume` to go on with, or `failed` where its graph breaks a rule. */
export async function takeUp(context: PlanContext, lost: LostPlan): Promise<void> {
  await makePlan(context, lost.graph);
  const { view } = context.state;
  if (view.failure) return;
  view.status = 'planning';
  Object.assign(view, { createdAt: lost.createdAt, usage: lost.usage, raw: lost.raw });
  view.runs = lost.runs.map((run) =>
    run.status === 'running'
      ? { ...run, status: 'cancelled', finishedAt: context.at(), reason: 'Temporal lost it' }
      : run,
  );
  const claims = view.graph.nodes.flatMap(({ id }) => {
    const claim = Object.hasOwn(lost.tasks, id) ? lost.tasks[id] : undefined;
    return claim ? [{ id, claim }] : [];
  });
  for (let at = 0; at < claims.length; at += AT_ONCE) {
    await Promise.all(claims.slice(at, at + AT_ONCE).map(({ id, claim }) => carry(context, id, claim)));
  }
  view.status = settledStatus(view);
  view.reason = 'taken up from its plan file, because Temporal did not know it any more';
  const completed = Object.values(view.tasks).filter(({ status }) => status === 'completed').length;
  const runs = view.runs.length;
  context.record('plan.taken_up', claimedBy(context.state.plan.by), { status: view.status, completed, runs });
  context.changed();
}

async function carry(context: PlanContext, id: string, claim: LostTask): Promise<void> {
  const task = context.task(id);
  const own = context.internals(id);
  // The same generation asks the same question, so an answer that is on record is not asked for again.
  own.generation = claim.attempts;
  own.counted = claim.attempts;
  for (const file of claim.files) if (file.state === 'written') own.backups[file.path] = file.backup;
  task.attempts = claim.attempts;
  task.usage = claim.usage;
  const { status, reason, error, startedAt, completedAt, run } = claim;
  if (status === 'failed' || status === 'skipped' || status === 'cancelled') {
    Object.assign(task, { status, reason, error, startedAt, completedAt, run });
  } else if (status === 'completed') {
    const doubt = await doubtOf(context, id, claim);
    if (doubt !== null) {
      task.reason = doubt;
      return;
    }
    const { files, output, modelReturned, raw } = claim;
    own.backups = {};
    noteWritten(context.state, id, { files: files.filter(({ state }) => state === 'written'), conflicts: [] });
    Object.assign(task, { status, startedAt, completedAt, run, files, output, modelReturned, raw });
  }
}

/** Why a task that was completed has to run again; null where its files are there and good. */
async function doubtOf(context: PlanContext, id: string, claim: LostTask): Promise<string | null> {
  const { state } = context;
  const node = state.view.graph.nodes.find((candidate) => candidate.id === id);
  const written = claim.files.filter((file) => file.state === 'written');
  if (written.length === 0) return 'its plan file names nothing that it wrote';
  // With its own content as its base, a file is stale exactly where the disk holds anything else.
  const files = written.map(({ path, sha256, bytes, mode }) => ({ path, sha256, bytes, mode, preSha256: sha256 }));
  try {
    const step = { id: `verify-lost-${id}`, summary: `look at what task ${state.view.tasks[id]?.number} had written` };
    const { stale, verdict } = await context.call('verify', step, {
      plan: state.view.id,
      task: id,
      tool: node?.tool ?? '',
      files,
      allowAllPaths: false,
      workspace: state.snapshot?.digest ?? '',
      overlay: {},
    });
    if (stale.length > 0) return `${stale.join(', ')} changed since it was written`;
    return verdict === 'failed' ? 'its files do not pass verification' : null;
  } catch (error) {
    return taskErrorOf(error).message;
  }
}
