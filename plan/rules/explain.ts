/** Which rules a plan meets, task by task: what `policy check` shows before anything runs. */
import type { Risk } from '../types';
import type { PlanView } from '../view';
import { type Requirement, requirementFor } from './match';
import type { PolicyRules } from './types';

export interface FileRuling extends Requirement {
  path: string;
  risk: Risk;
}

export interface TaskRuling {
  number: number;
  id: string;
  tool: string;
  /** Whether its skill may run without being asked for. */
  before: Requirement;
  /** Of the files that it has generated. */
  files: FileRuling[];
  /** While it has generated none: the file rules that it can meet, in the order in which they are looked at. */
  possible: string[];
}

export interface PlanRuling {
  risk: Requirement;
  tasks: TaskRuling[];
}

export function explainPlan(policy: PolicyRules, view: PlanView): PlanRuling {
  const tools = [...new Set(view.graph.nodes.map(({ tool }) => tool))];
  const tasks = view.graph.nodes.map(({ id, tool }): TaskRuling => {
    const task = view.tasks[id];
    const files = (task?.files ?? []).map(({ path, risk }): FileRuling => {
      return { path, risk, ...requirementFor(policy, { gate: 'file', tools: [tool], path, risk }) };
    });
    return {
      number: task?.number ?? 0,
      id,
      tool,
      before: requirementFor(policy, { gate: 'tool', tools: [tool], path: null, risk: view.risk }),
      files,
      possible: files.length > 0 ? [] : possibleRules(policy, tool),
    };
  });
  return { risk: requirementFor(policy, { gate: 'risk', tools, path: null, risk: view.risk }), tasks };
}

function possibleRules({ rules }: PolicyRules, tool: string): string[] {
  const possible: string[] = [];
  for (const { name, gates, tools, paths, risk } of rules) {
    if (!gates.includes('file') || (tools && !tools.includes(tool))) continue;
    possible.push(name);
    if (paths === null && (risk === null || risk === 'LOW')) break;
  }
  return possible;
}
