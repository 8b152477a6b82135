import type { WorkspaceFacts } from '../../plan/types';
import type { Skill } from '../../skills/types';
import { THINGS } from './template-things';

/** Where a goal speaks of a skill: by its trigger words, and whether it asks for it or waves it off. */

/** "GitLab CI" is no call for GitHub Actions: a trigger right after one of these names belongs to another product. */
const FOREIGN =
  /\b(gitlab|jenkins|circle|travis|azure|bitbucket|drone|buildkite|woodpecker|appveyor|semaphore)[\s-]*$/i;

const NEGATION =
  /\b(no|not|without|except|excluding|skip|omit|avoid|never|minus|don['’]?t|do not)\s+(?:(?:for|a|an|any|the|need|want|use|using|add|adding|create|include|including|generate|write|touch|change|my|our|existing)\s+){0,4}$/i;

/** What may stand between two parts of one list for a negation to hold on: "without a Makefile or Dockerfile". */
const LIST = /^\s*(?:,\s*)?(?:or|nor|and)\s+(?:any\s+)?$|^\s*(?:,\s*)?(?:or|nor)\s+(?:an?\s+|any\s+|the\s+)?$/i;

const COMMA = /^\s*,\s*$/;

/** "No Foo or Dockerfile", whatever Foo is: an "or" in the same clause as the "no". */
const OR_AFTER_NO =
  /\b(?:no|without|never|don['’]?t|do not)\b(?!\s+(?:forget|only|just|matter))(?:(?!\b(?:but|instead|only|and|with|then)\b)[^.;:!?,]){1,60}\b(?:or|nor)\s+(?:(?:an?|any|the)\s+)?$/i;

/** "Make a Dockerfile" asks for no Makefile: the verb, by what stands around it. */
const VERB_BEFORE = /(^|[.!?:;]\s*|\b(to|and|please|should|must|can|will|you|let['’]?s|then)\s+)$/i;
const VERB_AFTER = /^\s+(a|an|the|it|sure|this|that|my|our|us|me|some|every\w*|all|new)\b/i;

/** One place of a goal where a skill's trigger stands. */
export interface Mention {
  skill: string;
  start: number;
  end: number;
  negated: boolean;
  /** True where it names the kind of thing ("CI", "pipeline") and no product. */
  generic?: boolean;
  /** True where it is the place for something else. */
  placed?: boolean;
}

/** Finds triggers as whole words, the longest first, so that "docker-compose" is not also "docker". */
function triggersIn(goal: string, skills: ReadonlyMap<string, Skill>): Mention[] {
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
      const generic = skill === GITHUB && !/github/i.test(match[0]);
      const placed = PLACED.test(goal.slice(Math.max(0, start - 40), start));
      found.push({ skill, start, end, negated: false, generic, placed });
    }
  }
  return found;
}

/** All that a goal names: skills, and things that no skill is for. Each in order, and with what a "no" reaches. */
export interface Places {
  mentions: Mention[];
  /** `skill` is the name of the thing in `THINGS`. */
  things: Mention[];
}

/** One list of a sentence may hold both kinds, and a "no" before it reaches all of it. */
export function placesIn(goal: string, skills: ReadonlyMap<string, Skill>): Places {
  const mentions = triggersIn(goal, skills);
  const covered = (start: number, end: number): boolean =>
    mentions.some((other) => start < other.end && other.start < end);
  const things = THINGS.flatMap(([skill, words]) =>
    words.flatMap((word) =>
      [...goal.matchAll(wordPattern(word))].map((match): Mention => {
        return { skill, start: match.index, end: match.index + match[0].length, negated: false };
      }),
    ),
  ).filter(({ start, end }) => !covered(start, end));
  negate(
    goal,
    [...mentions, ...things].sort((a, b) => a.start - b.start || b.end - a.end),
  );
  return { mentions: mentions.sort((a, b) => a.start - b.start), things };
}

/** Marks what a "no" reaches, from left to right. */
function negate(goal: string, places: Mention[]): void {
  const gap = (index: number): string =>
    index < places.length ? goal.slice(places[index - 1]?.end, places[index]?.start).slice(0, 40) : '';
  // From right to left: whether a list that goes on with commas is closed by an "or" or "and".
  const closed = places.map(() => false);
  for (let index = places.length - 1; index > 0; index -= 1)
    closed[index] = LIST.test(gap(index + 1)) || (COMMA.test(gap(index + 1)) && closed[index + 1] === true);
  for (const [index, place] of places.entries()) {
    const before = index > 0 ? places[index - 1] : undefined;
    const goesOn = LIST.test(gap(index)) || (COMMA.test(gap(index)) && closed[index] === true);
    place.negated = isNegated(goal, place) || (before?.negated === true && goesOn);
  }
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

function isNegated(goal: string, mention: { start: number }): boolean {
  // Only the clause matters, and a bounded part of it keeps the patterns fast on a long goal.
  const lead = goal.slice(Math.max(0, mention.start - 120), mention.start);
  return NEGATION.test(lead) || OR_AFTER_NO.test(lead);
}

/** What runs CI: "CI with Jenkins" asks for one pipeline, not for two. */
const PIPELINES = ['github-actions', 'gitlab-ci', 'jenkinsfile'];
const GITHUB = 'github-actions';

/** Words before a cluster that say where something else goes: "a Helm chart for Kubernetes". */
const PLACED = /\b(for|on|onto|to|in|into)\s+(?:(?:a|an|our|the|my)\s+)?$/i;
const PLACED_BY = ['helm', 'terraform'];

/**
 * The skills that a goal wants, in its order. A skill is wanted where its longest mention says so: "a Dockerfile, no docker
 * registry" wants the Dockerfile. "CI" alone means the pipeline of the place where the repository is.
 */
export function wantedSkills(mentions: readonly Mention[], facts: WorkspaceFacts): string[] {
  const length = ({ start, end }: Mention): number => end - start;
  const names = [...new Set(mentions.map(({ skill }) => skill))];
  const wanted = names.filter((name) => {
    const own = mentions.filter(({ skill }) => skill === name);
    const longest = (negated: boolean): number =>
      Math.max(0, ...own.filter((one) => one.negated === negated).map(length));
    return longest(false) > longest(true);
  });
  const placed = (name: string): boolean =>
    name === 'kubernetes' &&
    wanted.some((other) => PLACED_BY.includes(other)) &&
    mentions.every(({ skill, placed }) => skill !== name || placed === true);
  const left = wanted.filter((name) => !placed(name));
  const explicit = mentions.some(({ skill, negated, generic }) => skill === GITHUB && !negated && !generic);
  if (!left.includes(GITHUB) || explicit) return left;
  if (left.some((name) => name !== GITHUB && PIPELINES.includes(name))) return left.filter((name) => name !== GITHUB);
  const refused = mentions.some(({ skill, negated }) => skill === 'gitlab-ci' && negated);
  return onGitLab(facts) && !refused ? left.map((name) => (name === GITHUB ? 'gitlab-ci' : name)) : left;
}

function onGitLab({ gitRemote, existing }: WorkspaceFacts): boolean {
  const has = (skill: string): boolean => (existing[skill]?.length ?? 0) > 0;
  if (has(GITHUB) !== has('gitlab-ci')) return has('gitlab-ci');
  return /^(?:[a-z+]+:\/\/)?(?:[^/@:]+@)?[\w.-]*\bgitlab\b/i.test(gitRemote ?? '');
}
