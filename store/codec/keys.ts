/** The keys that encrypt payloads: which there are, which of them seals, and where they come from. Never in a workspace. */
import { createHash, randomBytes } from 'node:crypto';
import { escapeForDisplay } from '../../plan/display';
import { UsageError } from '../../plan/errors';
import { readPrivateFile } from '../key-file';

/** A file of lines as below, of mode 0600 and outside every workspace. */
export const KEY_FILE = 'PLANWRIGHT_CODEC_KEY_FILE';
/** The same lines, separated by commas or line ends, where a secret is handed over as a variable. */
export const KEYS = 'PLANWRIGHT_CODEC_KEYS';

const KEY_BYTES = 32;
const LINE = /^([a-z0-9][a-z0-9._-]{0,39}) ([A-Za-z0-9+/]{43}=)$/;
const MAKE_ONE = 'Make a file of keys: planwright codec new-key FILE';

export interface CodecKey {
  /** Stands in the metadata of every payload that it sealed. */
  id: string;
  /** 32 bytes. */
  secret: Buffer;
}

/** At least one key. The first seals; all of them open. */
export type KeyRing = readonly [CodecKey, ...CodecKey[]];

/** Names a key without telling it: the first 16 hex digits of a SHA-256 of 32 random bytes. */
export const fingerprint = ({ secret }: CodecKey): string =>
  createHash('sha256').update('planwright codec key\0').update(secret).digest('hex').slice(0, 16);

/**
 * The keys that the environment names; null where it names none: then nothing is encrypted.
 *
 * @param root real path of the workspace in use: a key file in it is refused; null where there is none
 * @throws UsageError for both variables at once, a file that others can read, or what is no list of keys
 */
export function keysFrom(env: NodeJS.ProcessEnv, root: string | null): KeyRing | null {
  const { [KEY_FILE]: file, [KEYS]: inline } = env;
  if (file && inline) throw new UsageError(`${KEY_FILE} and ${KEYS} are both set.`, 'Unset one of them.');
  if (file) return readKeys(file, root);
  return inline ? parseKeys(inline.replaceAll(',', '\n'), KEYS) : null;
}

/** @param path absolute @throws UsageError saying what is wrong with the file, never what it holds */
export function readKeys(path: string, root: string | null): KeyRing {
  const name = `The file of codec keys ${escapeForDisplay(path)}`;
  return parseKeys(readPrivateFile(path, root, name), name);
}

/** @param from how messages begin @throws UsageError, which never quotes a line */
export function parseKeys(text: string, from: string): KeyRing {
  const keys: CodecKey[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, id, encoded] = LINE.exec(line) ?? [];
    const where = `${from}, line ${index + 1}`;
    if (id === undefined || encoded === undefined) {
      throw new UsageError(`${where}: not an id, a space and 32 bytes in base64.`, MAKE_ONE);
    }
    if (keys.some((key) => key.id === id)) throw new UsageError(`${where}: the id ${id} is there twice.`, MAKE_ONE);
    keys.push({ id, secret: Buffer.from(encoded, 'base64') });
  }
  const [first, ...others] = keys;
  if (first === undefined) throw new UsageError(`${from} holds no key.`, MAKE_ONE);
  return [first, ...others];
}

/** A new key. @param now tells its id, so that a person sees which is the older one */
export function newKey(now: Date): CodecKey {
  const id = `k${now.toISOString().slice(0, 10).replaceAll('-', '')}-${randomBytes(3).toString('hex')}`;
  return { id, secret: randomBytes(KEY_BYTES) };
}

const HEAD =
  '# Keys of `planwright codec`. One a line: id and 32 bytes in base64. The first seals and all of them open.\n';

/** The text of a file of keys, as `parseKeys` reads it. */
export const keysText = (keys: readonly CodecKey[]): string =>
  HEAD + keys.map(({ id, secret }) => `${id} ${secret.toString('base64')}\n`).join('');
