import type { JsonObject, Language, TaskGraph, TaskNode, WorkspaceFacts } from '../../plan/types';
import { outputOf, outputPaths } from '../../skills/render';
import type { Skill } from '../../skills/types';

/**
 * The planning rules of the embedded `template` provider: no model, no network, the same plan for the same goal.
 * A skill is called for by its own trigger words; what nobody asked for is not planned.
 */

/** Skills whose output another one builds on, where both are in the plan. */
const BUILDS_ON: { [skill: string]: string[] } = {
  'docker-compose': ['dockerfile'],
  makefile: ['dockerfile'],
};

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

const LANGUAGE: { [language in Language]: string } = {
  node: 'Node.js',
  python: 'Python',
  go: 'Go',
  rust: 'Rust',
  java: 'Java',
  unknown: '',
};

/** One place of a goal where a skill's trigger stands. */
interface Mention {
  skill: string;
  start: number;
  end: number;
  negated: boolean;
}

/**
 * Plans by rules over a goal. Tasks stand in the order of the goal, dependencies first, with ids "1", "2" and so on.
 *
 * @returns null where no trigger of any skill stands in the goal, or only ones with a "no" before them
 */
export function planTemplate(
  goal: string,
  facts: WorkspaceFacts,
  skills: ReadonlyMap<string, Skill>,
): TaskGraph | null {
  const wanted = wantedSkills(mentionsIn(goal, skills));
  if (wanted.length === 0) return null;
  const ordered = dependenciesFirst(wanted);
  const ids = new Map(ordered.map((name, index) => [name, String(index + 1)]));
  const nodes = ordered.flatMap((name): TaskNode[] => {
    const skill = skills.get(name);
    if (!skill) return [];
    const bases = (BUILDS_ON[name] ?? []).filter((base) => ids.has(base));
    const sources = bases.flatMap((base) => {
      const source = skills.get(base);
      return source ? [{ source, id: ids.get(base) ?? '' }] : [];
    });
    return [
      {
        id: ids.get(name) ?? '',
        tool: name,
        description: describe(skill, facts),
        input: Object.assign({}, ...sources.map(({ source, id }) => wiring(skill, source, id, facts))),
        deps: sources.map(({ id }) => id),
      },
    ];
  });
  return { nodes };
}

/** What the template provider can do, for the message that says that it cannot. */
export function templateAbilities(skills: ReadonlyMap<string, Skill>): string {
  return [...skills.values()]
    .filter(({ triggers }) => triggers.length > 0)
    .map(({ name, triggers }) => `${name} (${triggers.slice(0, 4).join(', ')})`)
    .sort()
    .join('; ');
}

/** Finds triggers as whole words, the longest first, so that "docker-compose" is not also "docker". */
function mentionsIn(goal: string, skills: ReadonlyMap<string, Skill>): Mention[] {
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
function wordPattern(trigger: string): RegExp {
  const words = trigger.split(/[\s-]+/).map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return new RegExp(`(?<![\\p{L}\\p{N}_.-])${words.join('[\\s-]*')}s?(?![\\p{L}\\p{N}_-])`, 'giu');
}

function isNegated(goal: string, mention: Mention, before: Mention | undefined): boolean {
  // Only the clause matters, and a bounded part of it keeps the patterns fast on a long goal.
  const lead = goal.slice(Math.max(0, mention.start - 120), mention.start);
  if (NEGATION.test(lead)) return true;
  return before?.negated === true && LIST.test(goal.slice(before.end, mention.start).slice(0, 40));
}

/** A skill is wanted where its longest mention says so: "a Dockerfile, no docker registry" wants the Dockerfile. */
function wantedSkills(mentions: Mention[]): string[] {
  const length = ({ start, end }: Mention): number => end - start;
  const names = [...new Set(mentions.map(({ skill }) => skill))];
  return names.filter((name) => {
    const own = mentions.filter(({ skill }) => skill === name);
    const longest = (negated: boolean): number =>
      Math.max(0, ...own.filter((one) => one.negated === negated).map(length));
    return longest(false) > longest(true);
  });
}

function dependenciesFirst(names: string[]): string[] {
  const ordered: string[] = [];
  const place = (name: string): void => {
    if (ordered.includes(name) || !names.includes(name)) return;
    for (const base of BUILDS_ON[name] ?? []) place(base);
    ordered.push(name);
  };
  names.forEach(place);
  return ordered;
}

/**
 * References to another skill's output: the key called like that skill takes its primary value, `port` its port. A key
 * that the other will not have for this project is left to the facts.
 */
function wiring(skill: Skill, source: Skill, id: string, facts: WorkspaceFacts): JsonObject {
  const properties = skill.inputSchema.properties;
  const output = expectedOutput(source, facts);
  const input: JsonObject = {};
  for (const key of typeof properties === 'object' && properties !== null ? Object.keys(properties) : []) {
    if (key === source.name && Object.hasOwn(output, source.primary)) input[key] = `$ref:${id}`;
    else if (key === 'port' && Object.hasOwn(output, key)) input[key] = `$ref:${id}.${key}`;
  }
  return input;
}

function expectedOutput(skill: Skill, facts: WorkspaceFacts): JsonObject {
  const scope = { input: {}, ws: facts, existing: {} };
  try {
    return outputOf(skill, { ...scope, files: outputPaths(skill, scope), summary: '' });
  } catch {
    return {};
  }
}

/** Names no project and no version: the risk rules read descriptions, and a project's name is its author's choice. */
function describe(skill: Skill, facts: WorkspaceFacts): string {
  const project = `this ${LANGUAGE[facts.language]} project`.replace('  ', ' ');
  const own: { [name: string]: string } = {
    'github-actions': `Write a GitHub Actions workflow that checks ${project} on every push and pull request`,
    dockerfile: `Write a Dockerfile that builds a small image of ${project}`,
    'docker-compose': `Write a Compose file that runs ${project} with the services it needs`,
    makefile: `Write a Makefile with the everyday commands of ${project}`,
  };
  return own[skill.name] ?? skill.description.slice(0, 500);
}
