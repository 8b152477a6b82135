/**
 * Signed notes with Ed25519, as C2SP signed-note describes them: a text, an empty line, and a line for each signature,
 * `— <name> <base64 of key id ‖ signature>`. Go's `golang.org/x/mod/sumdb/note` reads them.
 */
import { createPublicKey, hash as digest, type KeyObject, sign, verify } from 'node:crypto';

const ED25519 = 1;
const KEY_ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
/** The header of an Ed25519 public key in DER (RFC 8410, section 4); its 32 bytes follow. */
const DER_HEADER = Buffer.from('302a300506032b6570032100', 'hex');

/** Who may have signed: `<name>+<key id in hex>+<base64 of the algorithm and the public key>`. */
export function verifierKey(name: string, publicKey: KeyObject): string {
  const key = encoded(publicKey);
  return `${name}+${keyId(name, key).toString('hex')}+${key.toString('base64')}`;
}

/** @param text ends with a newline, and holds no control character but newlines */
export function signNote(text: string, name: string, privateKey: KeyObject): string {
  if (!isNoteText(text) || !isName(name)) throw new TypeError('a note ends with a newline; its signer has no spaces');
  const key = encoded(createPublicKey(privateKey));
  const signature = sign(null, Buffer.from(text), privateKey);
  return `${text}\n— ${name} ${Buffer.concat([keyId(name, key), signature]).toString('base64')}\n`;
}

/**
 * The text of a note that the holder of a key signed.
 *
 * @param verifier as `verifierKey` spells it; signatures by other keys are passed over
 * @returns null where the note is none, or has no valid signature by this key
 */
export function openNote(note: string, verifier: string): string | null {
  const known = parseVerifier(verifier);
  const end = note.lastIndexOf('\n\n');
  if (known === null || end < 0) return null;
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2).split('\n');
  if (!isNoteText(text) || lines.pop() !== '' || lines.length === 0) return null;
  let isSigned = false;
  for (const line of lines) {
    const [, name, spelt] = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
    if (name === undefined || spelt === undefined || !isName(name)) return null;
    const bytes = Buffer.from(spelt, 'base64');
    if (name !== known.name || !bytes.subarray(0, KEY_ID_BYTES).equals(known.id)) continue;
    const signature = bytes.subarray(KEY_ID_BYTES);
    // A signature of this key that does not hold spoils the note, whatever else stands there.
    if (signature.length !== SIGNATURE_BYTES || bytes.toString('base64') !== spelt) return null;
    if (!verify(null, Buffer.from(text), known.key, signature)) return null;
    isSigned = true;
  }
  return isSigned ? text : null;
}

function parseVerifier(verifier: string): { name: string; id: Buffer; key: KeyObject } | null {
  const [, name, id, spelt] = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(verifier) ?? [];
  if (name === undefined || id === undefined || spelt === undefined) return null;
  const key = Buffer.from(spelt, 'base64');
  if (key.length !== 33 || key[0] !== ED25519 || keyId(name, key).toString('hex') !== id) return null;
  const der = Buffer.concat([DER_HEADER, key.subarray(1)]);
  return { name, id: Buffer.from(id, 'hex'), key: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
}

/** The algorithm's number, then the raw key. */
function encoded(publicKey: KeyObject): Buffer {
  const der = publicKey.export({ format: 'der', type: 'spki' });
  return Buffer.concat([Buffer.of(ED25519), der.subarray(DER_HEADER.length)]);
}

function keyId(name: string, key: Buffer): Buffer {
  const whole = digest('sha256', Buffer.concat([Buffer.from(`${name}\n`), key]), 'buffer');
  return whole.subarray(0, KEY_ID_BYTES);
}

function isName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\s+]/u.test(name);
}

function isNoteText(text: string): boolean {
  return text.endsWith('\n') && text.isWellFormed() && !/(?!\n)\p{Cc}|\uFFFD/u.test(text);
}
