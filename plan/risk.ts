import { escapeForDisplay } from './display';
import { PLAN_RULES, type PlanRule, phraseFinder } from './risk/plan-rules';
import { wordsOf } from './risk/words';
import type { Json, Risk, RiskReason, TaskGraph, TaskNode } from './types';

export { artifactRisk } from './risk/artifact';
export { maxRisk, riskAbove } from './risk/levels';

import { maxRisk, riskAbove } from './risk/levels';

export interface RiskRuling {
  risk: Risk;
  /** Why, riskiest first: one for each task's skill, and one for each rule that raised a task above it. */
  reasons: RiskReason[];
}

/**
 * The risk of a plan, by rules over tool, description and input values of each task. Words are compared whole
 * and in order ("policy" in "cache policy" is nothing); the rules are data in `risk/plan-rules.ts`.
 *
 * @param skillRisk the risk that each skill declares, by the name that `tool` uses; an unknown tool is MEDIUM
 * @param claimed a level that a model gave; it can raise the result, never lower it
 */
export function planRisk(graph: TaskGraph, skillRisk: { [tool: string]: Risk }, claimed?: Risk): RiskRuling {
  const reasons = graph.nodes.flatMap((task, at) => taskReasons(task, at + 1, skillRisk));
  if (claimed) reasons.push({ rule: 'claimed by the model', level: claimed, where: 'plan' });
  return ruling('LOW', reasons);
}

/**
 * What makes one task as risky as it is: its skill's own level, and the rules that its words meet above that level, each once, with
 * the first place that met it. A rule that only repeats the skill's level ("infrastructure", of a Dockerfile) says nothing new.
 */
function taskReasons(task: TaskNode, number: number, skillRisk: { [tool: string]: Risk }): RiskReason[] {
  const declared = Object.hasOwn(skillRisk, task.tool) ? skillRisk[task.tool] : undefined;
  const own: RiskReason = declared
    ? { rule: `skill ${escapeForDisplay(task.tool)}`, level: declared, where: `task ${number}` }
    : { rule: 'unknown tool', level: 'MEDIUM', where: `task ${number}` };
  const said = [
    ...textReasons(task.tool, `task ${number}, tool`, task.tool, null),
    ...textReasons(task.description, `task ${number}, description`, task.tool, null),
    ...leaves(task.input, 'input', '').flatMap(({ path, key, text }) =>
      textReasons(text, `task ${number}, ${escapeForDisplay(path)}`, task.tool, key),
    ),
  ].filter(({ level }) => riskAbove(level, own.level));
  return [own, ...said.filter(({ rule }, at) => said.findIndex((other) => other.rule === rule) === at)];
}

function textReasons(text: string, where: string, tool: string, key: string | null): RiskReason[] {
  const has = phraseFinder(wordsOf(text));
  const applies = (rule: PlanRule): boolean => has(rule) && (!rule.only || rule.only({ tool, key, text }));
  return PLAN_RULES.filter(applies).map(({ rule, level }) => ({ rule, level, where }));
}

interface Leaf {
  path: string;
  /** The nearest object key; for a list's member, that of the list. */
  key: string;
  text: string;
}

function leaves(value: Json, path: string, key: string): Leaf[] {
  if (typeof value === 'string') return [{ path, key, text: value }];
  if (Array.isArray(value)) return value.flatMap((member, at) => leaves(member, `${path}[${at}]`, key));
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, member]) => leaves(member, `${path}.${name}`, name));
}

function ruling(base: Risk, found: RiskReason[]): RiskRuling {
  const reasons = [...found].sort((a, b) => (a.level === b.level ? 0 : riskAbove(a.level, b.level) ? -1 : 1));
  return { risk: reasons.reduce((risk, reason) => maxRisk(risk, reason.level), base), reasons };
}
