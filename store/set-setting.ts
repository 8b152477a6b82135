import { resolve } from 'node:path';
import { escapeForDisplay } from '../plan/display';
import { UsageError } from '../plan/errors';
import { checkUrl } from './base-url';
import type { ConfigTarget } from './config-file';
import { setConfigValue } from './config-file';
import { readKeyFile } from './key-file';
import type { WorkspaceLayout } from './layout';
import { knownProvider, namedProviders } from './settings';

/** What a typed text means for each key; throws UsageError where it means nothing. */
const READERS: { readonly [key: string]: (text: string) => string | number } = {
  provider: (value) => value,
  model: (value) => value,
  temperature: readTemperature,
  baseUrl: (value) => {
    checkUrl({ value, source: 'the command line' });
    return value;
  },
};

const CONFIG_KEYS: readonly string[] = Object.keys(READERS);

/**
 * `config set`: checks the value by its key, then sets it.
 *
 * @returns the path of the file
 * @throws UsageError for an unknown key, a bad value, `baseUrl` in a workspace, and as `setConfigValue`
 */
export async function setSetting(
  target: ConfigTarget,
  key: string,
  value: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const read = Object.hasOwn(READERS, key) ? READERS[key] : undefined;
  if (!read) throw unknownKey(key);
  if (value.trim() === '') throw new UsageError(`${key} cannot be set to an empty text.`);
  if (key === 'provider') knownProvider({ value, source: 'the command line' }, await namedProviders(env));
  if (key === 'baseUrl' && target.kind === 'workspace') {
    throw new UsageError(
      'baseUrl is not allowed in a workspace: its file would say to others where their key is sent.',
      'Set it for yourself: planwright config set baseUrl <url> --user',
    );
  }
  return setConfigValue(target, key, read(value));
}

function unknownKey(key: string): UsageError {
  const advice = key === 'keyFile' ? 'A key file is named by planwright provider add openai --key-file FILE.' : '';
  return new UsageError(
    `There is no setting "${escapeForDisplay(key)}".`,
    advice || `There are: ${CONFIG_KEYS.join(', ')} (baseUrl with --user only).`,
  );
}

function readTemperature(value: string): number {
  const number = Number(value);
  if (number >= 0 && number <= 2) return number;
  throw new UsageError(`temperature is a number from 0 to 2; this is "${escapeForDisplay(value)}".`);
}

/**
 * Records in the user's own config which file holds the key. The key itself is read once, to see that it can be, and kept nowhere.
 *
 * @returns the path of the config file
 * @throws UsageError as `readKeyFile` and `setConfigValue`
 */
export async function addKeyFile(
  env: NodeJS.ProcessEnv,
  layout: Pick<WorkspaceLayout, 'root'>,
  file: string,
): Promise<string> {
  const path = resolve(file);
  readKeyFile(path, layout.root);
  return setConfigValue({ kind: 'user', env }, 'keyFile', path);
}
