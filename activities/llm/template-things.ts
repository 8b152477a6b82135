/**
 * What people ask a plan for and the template provider may have no skill for, by the name that is shown. A skill whose own trigger
 * covers the place takes it out again, so a new skill needs no change here.
 */
export const THINGS: readonly (readonly [name: string, words: readonly string[]])[] = [
  ['Terraform', ['terraform', 'opentofu', 'tofu']],
  ['Jenkins', ['jenkinsfile', 'jenkins']],
  ['GitLab CI', ['gitlab ci/cd', 'gitlab ci', 'gitlab pipeline', '.gitlab-ci.yml']],
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
