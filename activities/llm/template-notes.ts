import type { Skill } from '../../skills/types';
import { isNegated, mentionsIn, wordPattern } from './template-mentions';

/**
 * What people ask a plan for and the template provider may have no skill for, by the name that is shown. A skill whose own trigger
 * covers the place takes it out again, so a new skill needs no change here.
 */
const THINGS: readonly (readonly [name: string, words: readonly string[]])[] = [
  ['Terraform', ['terraform', 'opentofu', 'tofu']],
  ['Jenkins', ['jenkinsfile', 'jenkins']],
  ['GitLab CI', ['gitlab ci/cd', 'gitlab ci', 'gitlab pipeline', 'gitlab', '.gitlab-ci.yml']],
  ['CircleCI', ['circle ci', 'circleci']],
  ['Travis CI', ['travis ci', 'travis']],
  ['Azure Pipelines', ['azure pipeline', 'azure devops']],
  ['Bitbucket Pipelines', ['bitbucket pipeline', 'bitbucket']],
  ['Drone', ['drone ci']],
  ['Buildkite', ['buildkite']],
  ['AWS CodeBuild', ['codebuild', 'buildspec', 'buildspec.yml']],
  ['Kubernetes', ['kubernetes', 'k8s', 'kustomize']],
  ['Helm', ['helm chart', 'helm']],
  ['Argo CD', ['argo cd', 'argocd']],
  ['Ansible', ['ansible playbook', 'ansible']],
  ['Packer', ['packer']],
  ['Pulumi', ['pulumi']],
  ['CloudFormation', ['cloudformation']],
  ['nginx', ['nginx']],
  ['Prometheus', ['prometheus', 'alertmanager']],
  ['Grafana', ['grafana']],
  ['systemd', ['systemd']],
  ['Dependabot', ['dependabot']],
  ['Renovate', ['renovate']],
  ['pre-commit', ['pre-commit hook', 'pre-commit']],
  ['Vagrant', ['vagrantfile', 'vagrant']],
  ['a deployment', ['deploy', 'deployment', 'deploying', 'rollout']],
];

/**
 * What a goal asks for and the plan of `planTemplate` leaves out, in sentences for people; empty where nothing is known to be missing.
 * Things with a "no" before them are not asked for.
 */
export function templateNotes(goal: string, skills: ReadonlyMap<string, Skill>): string[] {
  const mentions = mentionsIn(goal, skills);
  const gaps = THINGS.flatMap(([name, words]) => words.flatMap((word) => placesOf(goal, name, word)));
  const open = gaps.filter((gap) => !mentions.some((other) => gap.start < other.end && other.start < gap.end));
  const all: Place[] = [...mentions, ...open].sort((a, b) => a.start - b.start || b.end - a.end);
  const asked = new Set<string>();
  for (const [index, place] of all.entries()) {
    if (place.negated !== undefined) continue;
    place.negated = isNegated(goal, place, all[index - 1]);
    if (!place.negated) asked.add(place.skill);
  }
  const missing = THINGS.map(([name]) => name).filter((name) => asked.has(name));
  if (missing.length === 0) return [];
  const list = missing.length === 1 ? missing[0] : `${missing.slice(0, -1).join(', ')} and ${missing.at(-1)}`;
  return [
    `The template provider has no rule for ${list}, so this plan leaves ${missing.length === 1 ? 'it' : 'them'} out. ` +
      'Set OPENAI_API_KEY to plan with a model.',
  ];
}

/** As a mention; `negated` is not known yet. */
interface Place {
  skill: string;
  start: number;
  end: number;
  negated?: boolean;
}

const placesOf = (goal: string, skill: string, word: string): Place[] =>
  [...goal.matchAll(wordPattern(word))].map((match) => ({
    skill,
    start: match.index,
    end: match.index + match[0].length,
  }));
