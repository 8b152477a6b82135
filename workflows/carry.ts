/** What a workflow tells for a plan that is carried elsewhere and for objects that are tidied, and how a carried plan begins. */
import type { CarriedFacts, CarriedPlan, CarriedTask } from '../plan/export';
import type { PlanContext } from './context';
import { proposed } from './generation';
import { overlayOf } from './inputs';
import { makePlan } from './planning';
import type { PlanState } from './state';

const ARTIFACT_STANDS = ['pending', 'completed', 'cancelled'];

/** Answer of the Query `carried`: the tasks whose artifact is the one of their current generation. */
export function carriedFacts({ view, internals }: PlanState): CarriedFacts {
  const facts: CarriedFacts = {};
  for (const [id, { made, generation }] of Object.entries(internals)) {
    const task = view.tasks[id];
    if (!task || !made || made.generation !== generation || task.files.length === 0) continue;
    if (!ARTIFACT_STANDS.includes(task.status)) continue;
    const { seed, feedback, settings } = made;
    facts[id] = { generation, seed, feedback, settings };
  }
  return facts;
}

/** Answer of the Query `references`: every digest that the plan knows of, wherever it stands. */
export function references(state: PlanState): string[] {
  return [...new Set(JSON.stringify(state).match(/\b[0-9a-f]{64}\b/g) ?? [])];
}

/**
 * A plan that was made elsewhere. Its graph is checked and its risk computed as for any other; its artifacts are kept ones, so
 * that a run takes them as they are, after the same verification, gates and comparison with their bases.
 */
export async function beginCarried(context: PlanContext, carried: CarriedPlan): Promise<void> {
  await makePlan(context, carried.graph);
  const { view } = context.state;
  if (view.failure) return;
  const level = { LOW: 0, MEDIUM: 1, HIGH: 2 };
  // What a model had raised stays raised.
  if (level[carried.risk] > level[view.risk]) {
    Object.assign(view, { risk: carried.risk, riskReasons: carried.riskReasons });
  }
  const { planwrightVersion, policySnapshot } = carried.madeWith;
  Object.assign(view.context, { planwrightVersion, policySnapshot });
  view.notes = [...(view.notes ?? []), `Imported: it was ${carried.id} in another workspace.`];
  for (const task of carried.tasks) lay(context, task);
  // Once all of them lie there: what an artifact was made from includes those of its ancestors.
  for (const { id } of carried.tasks) {
    const { made } = context.internals(id);
    if (made) made.overlay = overlayOf(context, id, true);
  }
  context.changed();
}

function lay(context: PlanContext, { id, artifact, revisions }: CarriedTask): void {
  const task = context.task(id);
  const own = context.internals(id);
  if (revisions.length > 0) {
    task.revisions = revisions;
    own.instruction = revisions.map(({ instruction }) => instruction).join('\n');
    context.state.view.revision += revisions.length;
  }
  if (!artifact) return;
  const { files, output, skill, modelReturned, generation, seed, feedback, settings } = artifact;
  Object.assign(task, { files: files.map(proposed), output, skill: skill ?? task.skill, modelReturned });
  task.attempts = generation;
  own.generation = generation;
  own.counted = generation;
  own.kept = true;
  own.made = {
    at: context.at(),
    generation,
    seed,
    workspace: context.state.snapshot?.digest ?? '',
    overlay: {},
    feedback,
    instruction: own.instruction,
    settings,
  };
}
