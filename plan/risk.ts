import { escapeForDisplay } from './display';
import { PLAN_RULES, type PlanRule, phraseFinder } from './risk/planRules';
import { wordsOf } from './risk/words';
import type { Json, Risk, RiskReason, TaskGraph, TaskNode } from './types';

export { artifactRisk } from './risk/artifact';
export { maxRisk, riskAbove } from './risk/levels';

import { maxRisk, riskAbove } from './risk/levels';

export interface RiskRuling {
  risk: Risk;
  /** The rules that were met, riskiest first; those of a lower level than the result are kept for `explain`. */
  reasons: RiskReason[];
}

/**
 * The risk of a plan, by rules over tool, description and input values of each task. Words are compared whole
 * and in order ("policy" in "cache policy" is nothing); the rules are data in `risk/planRules.ts`.
 *
 * @param skillRisk the risk that each skill declares, by the name that `tool` uses; an unknown tool is MEDIUM
 * @param claimed a level that a model gave; it can raise the result, never lower it
 */
export function planRisk(graph: TaskGraph, skillRisk: { [tool: string]: Risk }, claimed?: Risk): RiskRuling {
  const reasons = graph.nodes.flatMap((task, at) => taskReasons(task, at + 1, skillRisk));
  if (claimed) reasons.push({ rule: 'claimed by the model', level: claimed, where: 'plan' });
  return ruling('LOW', reasons);
}

function taskReasons(task: TaskNode, number: number, skillRisk: { [tool: string]: Risk }): RiskReason[] {
  const declared = Object.hasOwn(skillRisk, task.tool) ? skillRisk[task.tool] : undefined;
  const tool = `task ${number}, tool`;
  const reasons: RiskReason[] = [
    declared
      ? { rule: `skill ${escapeForDisplay(task.tool)}`, level: declared, where: tool }
      : { rule: 'unknown tool', level: 'MEDIUM', where: tool },
    ...textReasons(task.tool, tool, task.tool, null),
    ...textReasons(task.description, `task ${number}, description`, task.tool, null),
  ];
  for (const { path, key, text } of leaves(task.input, 'input', '')) {
    reasons.push(...textReasons(text, `task ${number}, ${escapeForDisplay(path)}`, task.tool, key));
  }
  return reasons;
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
  const unique = new Map(found.map((reason) => [`${reason.rule}\n${reason.where}`, reason]));
  const reasons = [...unique.values()].sort((a, b) => (a.level === b.level ? 0 : riskAbove(a.level, b.level) ? -1 : 1));
  return { risk: reasons.reduce((risk, reason) => maxRisk(risk, reason.level), base), reasons };
}
