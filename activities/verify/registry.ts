import { actionlintVerifier } from './actionlint';
import { actionsVerifier } from './actions';
import { composeVerifier } from './compose';
import { dockerfileVerifier } from './dockerfile';
import { jsonVerifier } from './json';
import { makefileVerifier } from './makefile';
import { secretsVerifier } from './secrets';
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
];
