import type { JsonObject, Language, TaskGraph, TaskNode, WorkspaceFacts } from '../../plan/types';
import { outputOf, outputPaths } from '../../skills/render';
import type { Skill } from '../../skills/types';
import { placesIn, wantedSkills } from './template-mentions';
import { leftOut } from './template-notes';
import { packageIn } from './template-package';

/**
 * The planning rules of the embedded `template` provider: no model, no network, the same plan for the same goal.
 * A skill is called for by its own trigger words; what nobody asked for is not planned.
 */

/** Skills whose output another one builds on, where both are in the plan. */
const BUILDS_ON: { [skill: string]: string[] } = {
  'docker-compose': ['dockerfile'],
  kubernetes: ['dockerfile'],
  helm: ['dockerfile'],
  terraform: ['dockerfile'],
  ansible: ['dockerfile'],
  nginx: ['docker-compose'],
  prometheus: ['docker-compose'],
  makefile: ['dockerfile', 'docker-compose'],
};

/** Keys that mean the same in every skill that has them. */
const SHARED = ['port', 'service'];

const LANGUAGE: { [language in Language]: string } = {
  node: 'Node.js',
  python: 'Python',
  go: 'Go',
  rust: 'Rust',
  java: 'Java',
  unknown: '',
};

/**
 * Plans by rules over a goal. Tasks stand in the order of the goal, dependencies first, with ids "1", "2" and so on.
 *
 * @returns null where no trigger of any skill stands in the goal, only ones with a "no" before them, or only of skills that have
 *   nothing to write for this project
 */
export function planTemplate(
  goal: string,
  facts: WorkspaceFacts,
  skills: ReadonlyMap<string, Skill>,
): TaskGraph | null {
  const asked = wantedSkills(placesIn(goal, skills).mentions, facts);
  const out = leftOut(goal, asked, facts, skills).map(({ skill }) => skill);
  const wanted = asked.filter((name) => !out.includes(name));
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
        input: Object.assign(
          packageIn(goal, skill, facts),
          ids.has('dockerfile') ? buildsImage(skill) : {},
          ...sources.map(({ source, id }) => wiring(skill, source, id, facts)),
        ),
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

/** A pipeline beside a Dockerfile builds the image as well. It need not wait for that file: its path is in the workspace, or the usual one. */
function buildsImage({ name, inputSchema: { properties } }: Skill): JsonObject {
  const asked = typeof properties === 'object' && properties !== null && Object.hasOwn(properties, 'docker');
  return asked && name !== 'dockerfile' ? { docker: true } : {};
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
    if ((key === source.name || key === source.primary) && Object.hasOwn(output, source.primary))
      input[key] = `$ref:${id}`;
    else if (SHARED.includes(key) && Object.hasOwn(output, key)) input[key] = `$ref:${id}.${key}`;
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
    'gitlab-ci': `Write a GitLab CI pipeline that checks ${project} for every merge request`,
    jenkinsfile: `Write a Jenkinsfile that checks ${project}`,
    kubernetes: `Write Kubernetes manifests that run ${project}`,
    helm: `Write a Helm chart that runs ${project}`,
    terraform: `Write a Terraform configuration that runs ${project} on a cluster that exists`,
    ansible: `Write an Ansible playbook that runs the image of ${project}`,
    nginx: `Write an nginx configuration that stands before ${project}`,
    prometheus: `Write a Prometheus configuration that scrapes ${project}`,
    systemd: `Write a systemd unit that runs ${project}`,
    shell: `Write a shell script that checks ${project} as CI does`,
  };
  return own[skill.name] ?? skill.description.slice(0, 500);
}
