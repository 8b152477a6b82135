import { checkGraph } from '../../plan/graph';
import type { PlanView } from '../../plan/view';
import { checkInput } from '../../skills/input';
import { skillSet } from '../../skills/skill-set';
import type { WorkspaceLayout } from '../../store/layout';
import { checkPolicyTools, loadPolicy } from '../../store/policy';

/**
 * Checks a plan's graph again, by the skills and the policy of today.
 * Heavy to load (skills, zod): only `validate` imports it.
 *
 * @returns faults as sentences; empty for a sound graph
 * @throws UsageError for a broken policy or skill
 */
export async function graphFaults(view: PlanView, layout: WorkspaceLayout, env: NodeJS.ProcessEnv): Promise<string[]> {
  const policy = await loadPolicy(layout);
  const { skills } = await skillSet(layout, env, policy.write.allow);
  checkPolicyTools(policy, skills.keys());
  return checkGraph(view.graph, {
    maxTasks: policy.maxTasks,
    tools: [...skills.keys()],
    inputFaults(node) {
      const skill = skills.get(node.tool);
      return skill ? checkInput(skill, node.input, { references: 'in-place' }) : [];
    },
    // What a task will write is known for certain once it has generated; planning has checked what it expected.
    paths: (node) => view.tasks[node.id]?.files.map(({ path }) => path) ?? [],
  });
}
