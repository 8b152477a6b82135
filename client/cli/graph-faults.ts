import { checkGraph } from '../../plan/graph';
import type { TaskNode, WorkspaceSnapshot } from '../../plan/types';
import type { PlanView } from '../../plan/view';
import { checkInput } from '../../skills/input';
import { loadSkills } from '../../skills/load';
import { outputPaths } from '../../skills/render';
import type { WorkspaceLayout } from '../../store/layout';
import { ObjectStore } from '../../store/objects';
import { loadPolicy } from '../../store/policy';

/**
 * Checks a plan's graph again, by the skills and the policy of today and the workspace as the plan saw it.
 * Heavy to load (skills, zod): only `validate` imports it.
 *
 * @returns faults as sentences; empty for a sound graph
 * @throws UsageError for a broken policy or skill, IntegrityError where the workspace's object is damaged
 */
export async function graphFaults(view: PlanView, layout: WorkspaceLayout): Promise<string[]> {
  const [skills, policy] = await Promise.all([loadSkills(), loadPolicy(layout)]);
  const objects = new ObjectStore(layout.objects);
  const { workspace } = view.context;
  const snapshot = workspace === '' ? null : await objects.json<WorkspaceSnapshot>(workspace);
  const paths = (node: TaskNode): string[] => {
    const skill = skills.get(node.tool);
    if (!skill || !snapshot) return [];
    try {
      // What a reference decides is known only when the task runs.
      const all = outputPaths(skill, { input: node.input, ws: snapshot.facts, existing: {} });
      return all.filter((path) => !path.includes('$ref:'));
    } catch {
      // An input that leads to no paths has been named by its schema, or still has to be resolved.
      return [];
    }
  };
  return checkGraph(view.graph, {
    maxTasks: policy.maxTasks,
    tools: [...skills.keys()],
    inputFaults(node) {
      const skill = skills.get(node.tool);
      return skill ? checkInput(skill, node.input, { references: 'in-place' }) : [];
    },
    paths,
  });
}
