import type { WorkspaceFacts } from '../../plan/types';
import { nothingFor } from '../../skills/render';
import type { Skill } from '../../skills/types';
import { placesIn, wantedSkills } from './template-mentions';
import { packageIn } from './template-package';
import { THINGS } from './template-things';

/** A skill that a goal asks for and this project has nothing for, with the reason. */
export interface LeftOut {
  skill: string;
  reason: string;
}

/** Which of the wanted skills have nothing to write for this project: nothing in a library can be deployed. */
export function leftOut(
  goal: string,
  wanted: readonly string[],
  facts: WorkspaceFacts,
  skills: ReadonlyMap<string, Skill>,
): LeftOut[] {
  return wanted.flatMap((name) => {
    const skill = skills.get(name);
    const reason = skill ? nothingFor(skill, { input: packageIn(goal, skill, facts), ws: facts, existing: {} }) : '';
    return reason === '' ? [] : [{ skill: name, reason }];
  });
}

/**
 * What a goal asks for and the plan of `planTemplate` leaves out, in sentences for people; empty where nothing is known to be missing.
 * Things with a "no" before them are not asked for.
 */
export function templateNotes(goal: string, facts: WorkspaceFacts, skills: ReadonlyMap<string, Skill>): string[] {
  const { mentions, things } = placesIn(goal, skills);
  const asked = new Set(things.filter(({ negated }) => !negated).map(({ skill }) => skill));
  const missing = THINGS.map(([name]) => name).filter((name) => asked.has(name));
  const out = leftOut(goal, wantedSkills(mentions, facts), facts, skills);
  const reasons = [...new Set(out.map(({ reason }) => reason))].map((reason) => {
    const names = out.filter((one) => one.reason === reason).map(({ skill }) => skill);
    return `The plan has no task for ${listed(names)}: this project was looked at, and ${reason}.`;
  });
  if (missing.length === 0) return reasons;
  return [
    `The template provider has no rule for ${listed(missing)}, so this plan leaves ${missing.length === 1 ? 'it' : 'them'} out. ` +
      'Set OPENAI_API_KEY to plan with a model.',
    ...reasons,
  ];
}

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
