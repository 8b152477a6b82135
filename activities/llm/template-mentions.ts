import type { Skill } from '../../skills/types';

/** Where a goal speaks of a skill: by its trigger words, and whether it asks for it or waves it off. */

/** "GitLab CI" is no call for GitHub Actions: a trigger right after one of these names belongs to another product. */
const FOREIGN =
  /\b(gitlab|jenkins|circle|travis|azure|bitbucket|drone|buildkite|woodpecker|appveyor|semaphore)[\s-]*$/i;

const NEGATION =
  /\b(no|not|without|except|excluding|skip|omit|avoid|never|minus|don['’]?t|do not)\s+(?:(?:for|a|an|any|the|need|want|use|using|add|adding|create|include|including|generate|write|touch|change|my|our|existing)\s+){0,4}$/i;

/** What may stand between two parts of one list for a negation to hold on: "without a Makefile or Dockerfile". */
const LIST = /^\s*(?:,\s*)?(?:or|nor|and)\s+(?:any\s+)?$|^\s*(?:,\s*)?(?:or|nor)\s+(?:an?\s+|any\s+|the\s+)?$/i;

/** "Make a Dockerfile" asks for no Makefile: the verb, by what stands around it. */
const VERB_BEFORE = /(^|[.!?:;]\s*|\b(to|and|please|should|must|can|will|you|let['’]?s|then)\s+)$/i;
const VERB_AFTER = /^\s+(a|an|the|it|sure|this|that|my|our|us|me|some|every\w*|all|new)\b/i;

/** One place of a goal where a skill's trigger stands. */
export interface Mention {
  skill: string;
  start: number;
  end: number;
  negated: boolean;
}

/** Finds triggers as whole words, the longest first, so that "docker-compose" is not also "docker". */
export function mentionsIn(goal: string, skills: ReadonlyMap<string, Skill>): Mention[] {
  const triggers = [...skills.values()]
    .flatMap(({ name, triggers }) => triggers.map((trigger) => ({ skill: name, trigger })))
    .sort((a, b) => b.trigger.length - a.trigger.length || (a.trigger < b.trigger ? -1 : 1));
  const found: Mention[] = [];
  for (const { skill, trigger } of triggers) {
    for (const match of goal.matchAll(wordPattern(trigger))) {
      const start = match.index;
      const end = start + match[0].length;
      const taken = found.some((other) => other.skill !== skill && start < other.end && other.start < end);
      const inside = found.some((other) => other.skill === skill && start >= other.start && end <= other.end);
      if (taken || inside || FOREIGN.test(goal.slice(Math.max(0, start - 40), start))) continue;
      if (trigger === 'make' && isVerb(goal, start, end)) continue;
      found.push({ skill, start, end, negated: false });
    }
  }
  found.sort((a, b) => a.start - b.start);
  return found.map((mention, index, all) => {
    mention.negated = isNegated(goal, mention, all[index - 1]);
    return mention;
  });
}

function isVerb(goal: string, start: number, end: number): boolean {
  const before = goal.slice(Math.max(0, start - 40), start);
  return VERB_AFTER.test(goal.slice(end, end + 40)) || (VERB_BEFORE.test(before) && /^\s+\w/.test(goal.slice(end)));
}

/** A trigger as a pattern: blanks and hyphens between its words are the same, case and a plural do not matter. */
export function wordPattern(trigger: string): RegExp {
  const words = trigger.split(/[\s-]+/).map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return new RegExp(`(?<![\\p{L}\\p{N}_.-])${words.join('[\\s-]*')}s?(?![\\p{L}\\p{N}_-])`, 'giu');
}

export function isNegated(
  goal: string,
  mention: { start: number },
  before: { end: number; negated?: boolean } | undefined,
): boolean {
  // Only the clause matters, and a bounded part of it keeps the patterns fast on a long goal.
  const lead = goal.slice(Math.max(0, mention.start - 120), mention.start);
  if (NEGATION.test(lead)) return true;
  return before?.negated === true && LIST.test(goal.slice(before.end, mention.start).slice(0, 40));
}

/** A skill is wanted where its longest mention says so: "a Dockerfile, no docker registry" wants the Dockerfile. */
export function wantedSkills(mentions: Mention[]): string[] {
  const length = ({ start, end }: Mention): number => end - start;
  const names = [...new Set(mentions.map(({ skill }) => skill))];
  return names.filter((name) => {
    const own = mentions.filter(({ skill }) => skill === name);
    const longest = (negated: boolean): number =>
      Math.max(0, ...own.filter((one) => one.negated === negated).map(length));
    return longest(false) > longest(true);
  });
}
