import picomatch from 'picomatch';
import { languageOf } from './names';

const BY_SKILL: { [skill: string]: string[] } = {
  'github-actions': ['.github/workflows/*.y{a,}ml'],
  'gitlab-ci': ['.gitlab-ci.yml', '.gitlab/**/*.y{a,}ml'],
  jenkinsfile: ['**/Jenkinsfile', '**/Jenkinsfile.*', 'jenkins/**'],
  dockerfile: [
    '**/{Dockerfile,Containerfile}',
    '**/{Dockerfile,Containerfile}.*',
    '**/*.{Dockerfile,Containerfile}',
    '**/.dockerignore',
  ],
  'docker-compose': ['**/docker-compose*.y{a,}ml', '**/compose*.y{a,}ml'],
  makefile: ['**/Makefile', '**/GNUmakefile'],
  kubernetes: ['{k8s,kubernetes,manifests,kustomize,overlays,base,deploy}/**/*.y{a,}ml', '**/kustomization.y{a,}ml'],
  helm: ['**/Chart.yaml', '{helm,chart,charts}/**'],
  terraform: ['**/*.tf', '**/*.tfvars', 'terraform/**/*.hcl'],
  ansible: ['**/playbook*.y{a,}ml', '{ansible,roles,group_vars,host_vars,inventory}/**', 'ansible.cfg'],
  nginx: ['**/nginx.conf', 'nginx/**'],
  prometheus: ['**/prometheus.y{a,}ml', '**/alertmanager.y{a,}ml', 'prometheus/**', 'alertmanager/**'],
  systemd: ['**/*.service', '**/*.timer', 'systemd/**'],
  shell: ['**/*.sh'],
};

const MATCHERS = Object.entries(BY_SKILL).map(
  ([skill, patterns]) => [skill, picomatch(patterns, { dot: true, nocase: true })] as const,
);
const MAX_EACH = 50;

const isOwn = (path: string): boolean =>
  !/(^|\/)(examples?|tests?|fixtures?|testdata|docs?|templates?|\.devcontainer)\//i.test(path);

/** Existing DevOps files by the skill that would write them, at most 50 each. What serves examples, tests or editors is not the setup. */
export function findExisting(paths: readonly string[]): { [skill: string]: string[] } {
  const own = paths.filter((path) => languageOf(path) === null && (isOwn(path) || /^(helm|charts?)\//.test(path)));
  const found: { [skill: string]: string[] } = {};
  for (const [skill, matches] of MATCHERS) {
    const files = own.filter((path) => matches(path)).slice(0, MAX_EACH);
    if (files.length > 0) found[skill] = files;
  }
  return found;
}
