/** From a plan as it stands to what is carried elsewhere. */
import { RefusedError } from '../plan/errors';
import { basesOfArtifacts, type CarriedPlan, type CarriedTask } from '../plan/export';
import type { PlanView } from '../plan/view';
import { packExport } from '../store/export-file';
import type { PlanClient } from './types';

/** States in which nothing of a plan moves, so that what is read of it in two questions belongs together. */
const STILL: readonly PlanView['status'][] = [
  ...(['ready', 'completed', 'partial', 'failed', 'cancelled', 'rolled_back', 'cleaned'] as const),
];

export interface Exported {
  plan: CarriedPlan;
  packed: Buffer;
}

/**
 * @throws RefusedError while the plan runs, where it has no tasks, or where something in it looks like a secret
 * @throws UnreachableError where its workflow does not answer, IntegrityError where an object of it is missing or damaged
 */
export async function exportPlan(client: PlanClient, view: PlanView): Promise<Exported> {
  if (view.graph.nodes.length === 0) {
    throw new RefusedError(`Plan ${view.id} has no tasks to export.`, 'Make a plan: planwright plan "<goal>"');
  }
  if (!STILL.includes(view.status) || view.undo?.status === 'running') {
    throw new RefusedError(
      `Plan ${view.id} is ${view.undo?.status === 'running' ? 'being taken back' : view.status}.`,
      `Export it once nothing of it runs: planwright watch ${view.id}`,
    );
  }
  const facts = await client.carried(view.id);
  const { id, name, goal, provider, model, temperature, risk, riskReasons, context, updatedAt, graph } = view;
  const { planwrightVersion, policySnapshot, gitHead } = context;
  const tasks = graph.nodes.map((node): CarriedTask => {
    const task = view.tasks[node.id];
    const own = facts[node.id];
    const files = (task?.files ?? []).map(({ path, sha256, bytes, preSha256, mode }) => ({
      ...{ path, sha256, bytes, preSha256, mode },
    }));
    const { output = {}, skill = null, modelReturned = null, revisions = [] } = task ?? {};
    return { id: node.id, artifact: own ? { files, output, skill, modelReturned, ...own } : null, revisions };
  });
  const plan: CarriedPlan = {
    ...{ id, name, goal, settings: { provider, model, temperature }, risk, riskReasons, graph, tasks },
    madeWith: { planwrightVersion, policySnapshot, gitHead, updatedAt },
  };
  return { plan, packed: await packExport(plan, (digest) => client.object(digest)) };
}

/** Artifacts of a carried plan, with their tasks. */
export function artifactsOf({ tasks }: CarriedPlan) {
  return tasks.flatMap(({ id, artifact }) => (artifact ? [{ id, files: artifact.files }] : []));
}

export const carriedBases = (plan: CarriedPlan) => basesOfArtifacts(artifactsOf(plan));
