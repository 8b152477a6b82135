import type { JsonObject, WorkspaceFacts } from '../../plan/types';
import type { Skill } from '../../skills/types';

/**
 * The package of a monorepo that a goal speaks of, as a skill's input: by its directory or its name, as a whole word.
 * Empty where the skill knows no packages, and where the goal names none or more than one.
 */
export function packageIn(goal: string, skill: Skill, facts: WorkspaceFacts): JsonObject {
  const { properties } = skill.inputSchema;
  const knows = typeof properties === 'object' && properties !== null && Object.hasOwn(properties, 'package');
  if (!knows) return {};
  const named = (facts.packageFacts ?? []).filter(({ path, name }) => [path, name].some((word) => hasWord(goal, word)));
  return named.length === 1 && named[0] ? { package: named[0].path } : {};
}

function hasWord(text: string, word: string): boolean {
  // A short name is an everyday word ("api", "web") and says nothing by itself.
  if (word.length < 2 || (!/[/@-]/.test(word) && word.length < 5)) return false;
  const at = text.toLowerCase().indexOf(word.toLowerCase());
  if (at < 0) return false;
  return !/[\w/@-]/.test(text[at - 1] ?? ' ') && !/[\w/-]/.test(text[at + word.length] ?? ' ');
}
