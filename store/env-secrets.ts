import { classifyValue, type Mask, maskOf } from '../plan/mask';

/** Names of variables whose values are secrets, by their last word. */
const SECRET_NAME = /(?:^|_)(?:KEY|APIKEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?)$/i;

/** Values of the environment that are secrets by their names, however plain they look. */
export function secretsOf(env: NodeJS.ProcessEnv): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value && SECRET_NAME.test(name) && classifyValue(value) === 'literal' ? [value] : [],
  );
}

/** Hides what looks like a secret, and the environment's own keys. */
export const envMask = (env: NodeJS.ProcessEnv): Mask => maskOf(secretsOf(env));
