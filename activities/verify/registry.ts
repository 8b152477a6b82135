import { actionlintVerifier } from './actionlint';
import { actionsVerifier } from './actions';
import { ansibleVerifier } from './ansible';
import { composeVerifier } from './compose';
import { dockerfileVerifier } from './dockerfile';
import { gitlabVerifier } from './gitlab';
import { hclVerifier } from './hcl';
import { helmVerifier } from './helm';
import { jenkinsfileVerifier } from './jenkinsfile';
import { jsonVerifier } from './json';
import { kubernetesVerifier } from './kubernetes';
import { makefileVerifier } from './makefile';
import { nginxVerifier } from './nginx';
import { prometheusVerifier } from './prometheus';
import { secretsVerifier } from './secrets';
import { shellVerifier } from './shell';
import { systemdVerifier } from './systemd';
import { textVerifier } from './text';
import { tomlVerifier } from './toml';
import type { Verifier } from './types';
import { yamlVerifier } from './yaml';

/** All embedded verifiers in the order in which they look at a file: fitness, secrets, syntax, meaning. */
export const VERIFIERS: readonly Verifier[] = [
  textVerifier,
  secretsVerifier,
  yamlVerifier,
  jsonVerifier,
  tomlVerifier,
  actionsVerifier,
  actionlintVerifier,
  dockerfileVerifier,
  composeVerifier,
  makefileVerifier,
  kubernetesVerifier,
  helmVerifier,
  hclVerifier,
  shellVerifier,
  gitlabVerifier,
  ansibleVerifier,
  prometheusVerifier,
  nginxVerifier,
  systemdVerifier,
  jenkinsfileVerifier,
];
