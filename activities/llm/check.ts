import { sha256 } from '../../plan/digest';
import { checkGraph } from '../../plan/graph';
import { planRisk } from '../../plan/risk';
import type { Risk, RiskReason, SkillRecord, TaskGraph, TaskNode, WorkspaceFacts } from '../../plan/types';
import { checkInput } from '../../skills/input';
import { skillRecord } from '../../skills/load';
import { outputPaths } from '../../skills/render';
import type { Skill } from '../../skills/types';
import { generationSystem } from './prompts';

/** A graph that was looked at. With faults it is no plan; risk and skills are then of what could be understood. */
export interface CheckedPlan {
  faults: string[];
  risk: Risk;
  riskReasons: RiskReason[];
  skills: { [tool: string]: SkillRecord };
}

/**
 * Checks a graph, whoever made it, against the rules of `checkGraph` and the skills that exist, and rates its risk.
 *
 * @param existing contents of existing files by path, where they are known: some paths depend on them
 */
export function checkPlan(
  graph: TaskGraph,
  skills: ReadonlyMap<string, Skill>,
  facts: WorkspaceFacts,
  maxTasks: number,
  existing: { [path: string]: string } = {},
): CheckedPlan {
  const paths = (node: TaskNode): string[] => {
    const skill = skills.get(node.tool);
    if (!skill) return [];
    const all = outputPaths(skill, { input: node.input, ws: facts, existing });
    // A path that a reference decides is known only when the task runs; the writer checks it then.
    return all.filter((path) => !path.includes('$ref:'));
  };
  const faults = checkGraph(graph, {
    maxTasks,
    tools: [...skills.keys()],
    inputFaults: (node) => {
      const skill = skills.get(node.tool);
      const found = skill ? checkInput(skill, node.input, { references: 'in-place' }).map(sentence) : [];
      return found.length > 0 ? found : faultsOf(() => paths(node), node);
    },
    paths: (node) => valueOr(() => paths(node), []),
  });
  const { risk, reasons } = planRisk(graph, Object.fromEntries([...skills].map(([name, skill]) => [name, skill.risk])));
  const used = new Set(graph.nodes.map((node) => node.tool));
  const records = [...skills.values()]
    .filter(({ name }) => used.has(name))
    .map((skill) => [skill.name, skillRecord(skill, sha256(generationSystem(skill)))] as const);
  return { faults, risk, riskReasons: reasons, skills: Object.fromEntries(records) };
}

/** Why an input leads to no paths. One that holds a reference may still come right when it is resolved. */
function faultsOf(paths: () => string[], node: TaskNode): string[] {
  try {
    paths();
    return [];
  } catch (error) {
    if (JSON.stringify(node.input).includes('$ref:')) return [];
    return [error instanceof Error ? error.message : String(error)];
  }
}

function valueOr<T>(compute: () => T, otherwise: T): T {
  try {
    return compute();
  } catch {
    return otherwise;
  }
}

function sentence(fault: string): string {
  return /[.!?]$/.test(fault) ? fault : `${fault}.`;
}
