/** The key that signs checkpoints: one for each user, in the state directory, made when it is first needed. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { IntegrityError } from '../plan/errors';
import { syncDirectory } from '../store/durable';

const NAME = 'audit-key.pem';

/**
 * The private key, made if there is none. Two processes that make it at once end with the same.
 *
 * @param state the user's state directory
 */
export async function signingKey(state: string): Promise<KeyObject> {
  const found = await readKey(state);
  if (found) return found;
  await mkdir(state, { recursive: true, mode: 0o700 });
  const path = join(state, NAME);
  const temp = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  const handle = await open(temp, 'wx', 0o600);
  try {
    const { privateKey } = generateKeyPairSync('ed25519');
    await handle.writeFile(privateKey.export({ format: 'pem', type: 'pkcs8' }));
    await handle.sync();
    await link(temp, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await handle.close();
    await unlink(temp).catch(() => undefined);
  }
  await syncDirectory(state);
  const made = await readKey(state);
  if (!made) throw new IntegrityError(`The key ${path} vanished as it was made.`);
  return made;
}

/** The public key; null where no checkpoint was ever signed here. */
export async function publicKey(state: string): Promise<KeyObject | null> {
  const key = await readKey(state);
  return key && createPublicKey(key);
}

async function readKey(state: string): Promise<KeyObject | null> {
  const path = join(state, NAME);
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (handle === null) return null;
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || (stat.mode & 0o077) !== 0) {
      throw new IntegrityError(
        `The key ${path} that signs the audit logs is open to others, or no file.`,
        `If nobody else had it, run chmod 600 on it. Otherwise move it away: a new one is made.`,
      );
    }
    return parseKey(await handle.readFile('utf8'), path);
  } finally {
    await handle.close();
  }
}

function parseKey(pem: string, path: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Said below.
  }
  throw new IntegrityError(`${path} holds no Ed25519 key.`, 'Move it away: a new one is made.');
}
