/** The private key of somebody who decides: Ed25519, in a file of their own, as PKCS#8 (PEM) or as OpenSSH writes it. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { escapeForDisplay } from '../plan/display';
import { UsageError } from '../plan/errors';
import { type DecisionSignature, type SignedDecision, signedText } from '../plan/signing';
import { syncDirectory } from './durable';
import { readPrivateFile, refuseWorkspace } from './key-file';

/** Long enough for a slow clock, short enough that what was not sent is soon worth nothing. */
const VALID_MS = 10 * 60_000;
const NONCE_BYTES = 16;
/** RFC 8410: the DER of a PKCS#8 Ed25519 key up to its 32 bytes. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * @param path absolute
 * @param root real path of the workspace: a private key in it is refused, as is one that others can read
 * @throws UsageError saying what is wrong, never what the file holds
 */
export function readSigningKey(path: string, root: string | null): KeyObject {
  const name = `The key file ${escapeForDisplay(path)}`;
  const text = readPrivateFile(path, root, name);
  const key = text.includes('BEGIN OPENSSH PRIVATE KEY') ? openSshKey(text, name) : pemKey(text, name);
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new UsageError(`${name} holds a key of another kind (${key.asymmetricKeyType}).`, MAKE_ONE);
}

const MAKE_ONE = 'Make one for Ed25519: planwright approvers new NAME --key FILE';

function pemKey(text: string, name: string): KeyObject {
  if (/ENCRYPTED/.test(text)) throw encrypted(name);
  try {
    return createPrivateKey(text);
  } catch {
    // The error's own words are those of a parser, and may quote the file.
    throw new UsageError(`${name} holds no private key in PEM form.`, MAKE_ONE);
  }
}

const encrypted = (name: string): UsageError =>
  new UsageError(
    `${name} is encrypted with a passphrase, which Planwright does not ask for.`,
    'Decide with a key of its own: planwright approvers new NAME --key FILE',
  );

/** OpenSSH's own format ("openssh-key-v1", PROTOCOL.key in its sources): one key, not encrypted. */
function openSshKey(text: string, name: string): KeyObject {
  const bytes = Buffer.from(text.replace(/-----[^-]+-----/g, ''), 'base64');
  const fault = new UsageError(`${name} holds no Ed25519 key as OpenSSH writes it.`, MAKE_ONE);
  const magic = 'openssh-key-v1\0';
  if (bytes.subarray(0, magic.length).toString('latin1') !== magic) throw fault;
  let at = magic.length;
  const number = (): number => {
    if (at + 4 > bytes.length) throw fault;
    at += 4;
    return bytes.readUInt32BE(at - 4);
  };
  const field = (): Buffer => {
    const size = number();
    if (at + size > bytes.length) throw fault;
    at += size;
    return bytes.subarray(at - size, at);
  };
  if (field().toString('latin1') !== 'none') throw encrypted(name);
  field();
  field();
  if (number() !== 1) throw fault;
  field();
  // The size of the private part; in it two equal check numbers, the kind of key, its public half, and seed and public half.
  number();
  const [check, again] = [number(), number()];
  if (check !== again || field().toString('latin1') !== 'ssh-ed25519') throw fault;
  field();
  const pair = field();
  if (pair.length !== 64) throw fault;
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, pair.subarray(0, 32)]), format: 'der', type: 'pkcs8' });
}

/** The public half, as the policy names it. */
export function publicKeyOf(key: KeyObject): string {
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return `ed25519:${der.subarray(-32).toString('base64')}`;
}

/**
 * Makes a key and writes its private half, mode 0600.
 * @param path absolute
 * @returns the public half, as the policy names it
 * @throws UsageError where a file stands there already, or the workspace is around it
 */
export async function newSigningKey(path: string, root: string | null): Promise<string> {
  const name = `The key file ${escapeForDisplay(path)}`;
  refuseWorkspace(dirname(path), root, name);
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
  await writeFile(path, pem, { mode: 0o600, flag: 'wx', flush: true }).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'EEXIST' ? 'is there already; it was left as it is' : `cannot be written: ${cause.code}`;
    throw new UsageError(`${name} ${why}.`, 'Name another file.', { cause });
  });
  await chmod(path, 0o600);
  await syncDirectory(dirname(path));
  return publicKeyOf(readSigningKey(path, root));
}

/** @param now milliseconds since the epoch */
export function signDecision(
  key: KeyObject,
  decision: Omit<SignedDecision, 'nonce' | 'expires'>,
  now: number,
): DecisionSignature {
  const nonce = randomBytes(NONCE_BYTES).toString('base64url');
  const expires = new Date(now + VALID_MS).toISOString();
  const text = signedText({ ...decision, nonce, expires });
  return { nonce, expires, signature: sign(null, Buffer.from(text), key).toString('base64') };
}
