/**
 * What a workspace says of its own encryption: `.planwright/encrypted`, one line that names the key and holds none. A command
 * or worker without the key then stops before it sends anything, instead of a plan that half of its payloads cannot be read of.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UnreachableError } from '../../plan/errors';
import { replaceFile } from '../durable';
import type { WorkspaceLayout } from '../layout';
import { fingerprint, KEY_FILE, KEYS, type KeyRing } from './keys';

const NAME = 'encrypted';
const LINE = /^planwright\.encryption\/1 (\S{1,40}) ([0-9a-f]{16})\n$/;

/**
 * Compares the keys in force with what the workspace was last used with, and notes the sealing key.
 *
 * @param note false: only look (reading commands)
 * @throws UnreachableError (exit 4) where the workspace is encrypted and the key is missing or another one
 */
export async function checkWorkspaceKey(
  { dir }: Pick<WorkspaceLayout, 'dir'>,
  keys: KeyRing | null,
  note: boolean,
): Promise<void> {
  const path = join(dir, NAME);
  const line = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  const [, id, print] = LINE.exec(line ?? '') ?? [];
  if (line !== null && (id === undefined || print === undefined)) {
    throw new UnreachableError(
      `${path} says that plans here are encrypted, and is damaged.`,
      'See docs/encryption.md.',
    );
  }
  if (id !== undefined) refuseOther(id, print ?? '', keys, path);
  if (!keys || !note) return;
  const now = `planwright.encryption/1 ${keys[0].id} ${fingerprint(keys[0])}\n`;
  if (now !== line) await replaceFile(path, now);
}

function refuseOther(id: string, print: string, keys: KeyRing | null, path: string): void {
  const found = keys?.find((key) => key.id === id);
  if (found && fingerprint(found) === print) return;
  const why = found
    ? `the configured key of that id is another one (${fingerprint(found)}, not ${print})`
    : `the configured keys do not hold it${keys ? ` (there are ${keys.map((key) => key.id).join(', ')})` : ': there are none'}`;
  throw new UnreachableError(
    `Plans of this workspace are encrypted with the key ${id}, and ${why}.`,
    `Set ${KEY_FILE} or ${KEYS} as for the worker. Where encryption is given up for good: see docs/encryption.md about ${path}.`,
  );
}
