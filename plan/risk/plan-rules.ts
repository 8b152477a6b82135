import type { Risk } from '../types';
import { indexOfPhrase } from './words';

/** Where a text stood: which tool's task, and the input's key (null for tool and description). */
export interface TextPlace {
  tool: string;
  key: string | null;
  text: string;
}

/** One rule over the words of a text; phrases are lower-case words in order, plurals included. */
export interface PlanRule {
  /** Name as it is shown, for example "secrets and credentials". */
  rule: string;
  level: Risk;
  phrases: string[];
  /** Phrases that are taken out of the text before this rule looks: harmless uses of the same words. */
  harmless?: string[];
  only?: (place: TextPlace) => boolean;
}

/** "prod" and "production" before a thing that exists once and hurts. */
function production(...things: string[]): string[] {
  return ['production', 'prod'].flatMap((word) => things.map((thing) => `${word} ${thing}`));
}

/** "deploy to production" and its kin, with the article that people put in. */
function toProduction(...verbs: string[]): string[] {
  return ['production', 'prod'].flatMap((word) => verbs.map((verb) => `${verb} ${word}`));
}

/** Tools for which an environment called "production" is a build variant, not a place. */
const BUILD_TOOLS = new Set(['dockerfile', 'docker-compose', 'makefile']);
const PLACE_KEYS = new Set([
  'environment',
  'environments',
  'env',
  'stage',
  'target',
  'cluster',
  'account',
  'namespace',
]);

/**
 * "production" alone is no rule: "a production image", "production-ready Dockerfile" and "NODE_ENV=production"
 * speak of a build. What counts is acting on production: deploying to it, or naming its cluster, database,
 * account and the like.
 */
export const PLAN_RULES: readonly PlanRule[] = [
  { rule: 'identity and access (IAM)', level: 'HIGH', phrases: ['iam', 'assume role', 'identity provider'] },
  {
    rule: 'role-based access (RBAC)',
    level: 'HIGH',
    phrases: ['rbac', 'cluster role', 'cluster admin', 'role binding', 'cluster role binding', 'service account'],
  },
  {
    rule: 'network access',
    level: 'HIGH',
    phrases: ['security group', 'firewall rule', 'network acl', 'open firewall', 'disable firewall'],
  },
  {
    rule: 'secrets and credentials',
    level: 'HIGH',
    phrases: [
      'secret',
      'credential',
      'password',
      'private key',
      'api key',
      'access key',
      'ssh key',
      'kms key',
      'vault',
    ],
    harmless: [
      'no secret',
      'without secret',
      'secret scan',
      'secret scanner',
      'secret scanning',
      'no credential',
      'without credential',
      'no password',
      'without password',
      'ansible vault password file',
    ],
  },
  {
    rule: 'privileged access',
    level: 'HIGH',
    phrases: [
      'root access',
      'admin access',
      'administrator access',
      'privileged container',
      'privileged mode',
      'sudoer',
    ],
    harmless: ['no root access', 'without root access', 'no privileged container', 'no privileged mode'],
  },
  {
    rule: 'production',
    level: 'HIGH',
    phrases: [
      ...toProduction('deploy to', 'deploying to', 'deployed to', 'deployment to', 'deploy to the', 'deploy into'),
      ...toProduction('release to', 'rollout to', 'roll out to', 'push to', 'publish to', 'promote to', 'ship to'),
      ...production(
        'cluster',
        'database',
        'db',
        'environment',
        'account',
        'server',
        'namespace',
        'deployment',
        'deploy',
      ),
      ...production(
        'infrastructure',
        'network',
        'traffic',
        'data',
        'system',
        'host',
        'secret',
        'credential',
        'workload',
      ),
    ],
    harmless: [...production('environment variable', 'server image', 'deployment image')],
  },
  {
    rule: 'production',
    level: 'HIGH',
    phrases: ['production', 'prod'],
    only: ({ tool, key, text }) =>
      key !== null &&
      PLACE_KEYS.has(key.toLowerCase()) &&
      !BUILD_TOOLS.has(tool) &&
      /^\s*prod(uction)?\s*$/i.test(text),
  },
  {
    rule: 'destructive command',
    level: 'HIGH',
    phrases: ['terraform destroy', 'drop database', 'drop table', 'force push', 'delete all', 'wipe', 'rm rf'],
  },
  {
    rule: 'infrastructure',
    level: 'MEDIUM',
    phrases: [
      ...['infrastructure', 'docker', 'dockerfile', 'container', 'docker compose', 'compose', 'kubernetes', 'k8s'],
      ...[
        'helm',
        'terraform',
        'ansible',
        'packer',
        'argocd',
        'argo cd',
        'nginx',
        'systemd',
        'vpc',
        'subnet',
        'cluster',
      ],
      ...['load balancer', 'database', 'deployment', 'deploy', 'aws', 'gcp', 'azure', 'cloud', 'firewall'],
    ],
  },
  {
    rule: 'CI and monitoring',
    level: 'LOW',
    phrases: [
      ...['ci', 'ci cd', 'cd', 'continuous integration', 'github action', 'gitlab ci', 'pipeline', 'workflow'],
      ...['prometheus', 'grafana', 'alertmanager', 'monitoring', 'lint', 'test', 'dependabot', 'renovate'],
    ],
  },
];

const split = (phrases: readonly string[]): string[][] => phrases.map((phrase) => phrase.split(' '));
const PHRASES = new Map(
  PLAN_RULES.map((rule) => [rule, { wanted: split(rule.phrases), harmless: split(rule.harmless ?? []) }]),
);

/** For one text's words: whether a rule finds a phrase in them that is not part of a harmless one. */
export function phraseFinder(words: readonly string[]): (rule: PlanRule) => boolean {
  return (rule) => {
    const { wanted, harmless } = PHRASES.get(rule) ?? { wanted: split(rule.phrases), harmless: [] };
    const left = harmless.reduce<readonly string[]>(without, words);
    return wanted.some((phrase) => indexOfPhrase(left, phrase) >= 0);
  };
}

/** Blanks a phrase out wherever it stands (its places stay, so that words around it do not become neighbours). */
function without(words: readonly string[], phrase: readonly string[]): readonly string[] {
  let at = indexOfPhrase(words, phrase);
  if (at < 0) return words;
  const left = [...words];
  for (; at >= 0; at = indexOfPhrase(left, phrase, at + phrase.length)) left.fill('', at, at + phrase.length);
  return left;
}
