/**
 * One sealed payload: AES-256-GCM over metadata and data. Namespace and workflow id stand beside it in the clear (the server
 * knows both) and are authenticated, so a payload that was moved to another plan does not open there.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { IntegrityError, UnreachableError } from '../../plan/errors';
import type { PlainPayload } from '../large-payloads';
import { KEY_FILE, type KeyRing } from './keys';

/** The value of `encoding`; the names beside it are those that Temporal's own samples use, where they have one. */
export const SEALED = 'binary/encrypted';
const CIPHER = 'AES-256-GCM';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORM = 'planwright.sealed/1';

export interface Place {
  namespace: string;
  /** Null: of no workflow in particular, such as the failure of a workflow task. Nobody accepts it as a workflow's. */
  workflowId: string | null;
}

const text = (bytes: Uint8Array | undefined): string | null => (bytes ? Buffer.from(bytes).toString('utf8') : null);

/** Whether a payload is sealed, and what it says of itself; nothing of it is checked yet. */
export function sealOf({ metadata }: PlainPayload): ({ key: string; cipher: string } & Place) | null {
  if (!metadata || text(metadata.encoding) !== SEALED) return null;
  return {
    key: text(metadata['encryption-key-id']) ?? '',
    cipher: text(metadata['encryption-cipher']) ?? '',
    namespace: text(metadata['encryption-namespace']) ?? '',
    workflowId: text(metadata['encryption-workflow-id']),
  };
}

/** JSON, because no two different lists have the same text. */
const bound = (key: string, { namespace, workflowId }: Place): Buffer =>
  Buffer.from(JSON.stringify([FORM, CIPHER, key, namespace, workflowId]));

/** Seals with the first key of the ring and a random nonce. */
export function seal(payload: PlainPayload, place: Place, [key]: KeyRing): PlainPayload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.secret, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(bound(key.id, place));
  const sealed = Buffer.concat([nonce, cipher.update(pack(payload)), cipher.final(), cipher.getAuthTag()]);
  const metadata: { [name: string]: Uint8Array } = {
    encoding: Buffer.from(SEALED),
    'encryption-cipher': Buffer.from(CIPHER),
    'encryption-key-id': Buffer.from(key.id),
    'encryption-namespace': Buffer.from(place.namespace),
  };
  if (place.workflowId !== null) metadata['encryption-workflow-id'] = Buffer.from(place.workflowId);
  return { metadata, data: sealed };
}

/**
 * Opens what `seal` made.
 *
 * @param expected where it was found; null: nobody knows, and what it says of itself counts
 * @throws UnreachableError (exit 4) where the key is not among ours, or the payload is not sealed
 * @throws IntegrityError (exit 3) where it was altered, or belongs to another plan or namespace
 */
export function unseal(payload: PlainPayload, expected: Place | null, keys: KeyRing): PlainPayload {
  const says = sealOf(payload);
  if (!says) throw notSealed();
  const key = keys.find(({ id }) => id === says.key);
  if (!key) throw unknownKey(says.key, keys);
  if (expected && (says.namespace !== expected.namespace || says.workflowId !== expected.workflowId)) {
    throw new IntegrityError(
      `An encrypted payload of ${placeText(expected)} was sealed for ${placeText(says)}: somebody moved it.`,
      'Nothing of it was used. Look at who can write to the Temporal namespace.',
    );
  }
  const data = Buffer.from(payload.data ?? []);
  if (says.cipher !== CIPHER || data.length < NONCE_BYTES + TAG_BYTES) throw altered(key.id);
  const nonce = data.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key.secret, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(bound(key.id, says));
  decipher.setAuthTag(data.subarray(data.length - TAG_BYTES));
  let plain: Buffer;
  try {
    const body = data.subarray(NONCE_BYTES, data.length - TAG_BYTES);
    plain = Buffer.concat([decipher.update(body), decipher.final()]);
  } catch {
    throw altered(key.id);
  }
  return unpack(plain);
}

export const notSealed = (): UnreachableError =>
  new UnreachableError(
    'A payload in Temporal is not encrypted, and plaintext is refused while keys are configured.',
    `Whoever sent it has no ${KEY_FILE}; or the plan is from the time before encryption. See docs/encryption.md.`,
  );

export const unknownKey = (id: string, keys: readonly { id: string }[]): UnreachableError =>
  new UnreachableError(
    `A payload in Temporal is encrypted with the key ${JSON.stringify(id.slice(0, 60))}, which ${
      keys.length === 0 ? 'is not configured' : `is not among ${keys.map((key) => key.id).join(', ')}`
    }.`,
    `Set ${KEY_FILE} to the file that holds it. See docs/encryption.md.`,
  );

const altered = (id: string): IntegrityError =>
  new IntegrityError(
    `A payload in Temporal does not open with the key ${id}: it was altered, or another key has the same id.`,
    'Compare the keys: planwright codec show. Nothing of the payload was used.',
  );

const placeText = ({ namespace, workflowId }: Place): string =>
  `${JSON.stringify(workflowId ?? 'no workflow')} in namespace ${JSON.stringify(namespace)}`;

/** Length of the metadata (4 bytes, big-endian), the metadata as JSON with base64 values, the data. */
function pack({ metadata, data }: PlainPayload): Buffer {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
  const head = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const size = Buffer.alloc(4);
  size.writeUInt32BE(head.length);
  return Buffer.concat([size, head, data ?? Buffer.alloc(0)]);
}

/** Of bytes that were authenticated: their form is ours. */
function unpack(plain: Buffer): PlainPayload {
  const end = 4 + plain.readUInt32BE(0);
  const head: unknown = JSON.parse(plain.subarray(4, end).toString('utf8'));
  const entries = Object.entries(head ?? {}).map(([name, value]) => [name, Buffer.from(String(value), 'base64')]);
  return { metadata: Object.fromEntries(entries), data: plain.subarray(end) };
}
