import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, readdir, rename, rm, unlink } from 'node:fs/promises';
import { sha256 } from '../../plan/digest';
import { TEMP_PREFIX } from '../../plan/paths';
import { ownIdentity, type ProcessIdentity, startOf } from '../../store/process';
import { type HeldDirectory, walkToParent } from './directory';
import { errnoOf } from './errors';

/**
 * Temporary files carry their maker in their name (`.planwright-tmp-<pid>-<start>-<where>-<random>`), so that
 * one left behind by a killed process is known as ours and as garbage without opening it. `where` is 8 hex
 * characters each of digests of host, boot and pid namespace.
 */
const short = (text: string): string => sha256(text).slice(0, 8);

const NAME = new RegExp(`^${TEMP_PREFIX.replaceAll('.', '\\.')}(\\d+)-([0-9a-f]{8})-([0-9a-f]{24})-[0-9a-f]{12}$`);

const where = ({ host, boot, pidSpace }: ProcessIdentity): string => [host, boot, pidSpace].map(short).join('');

async function tempName(): Promise<string> {
  const me = await ownIdentity();
  return `${TEMP_PREFIX}${me.pid}-${short(me.start)}-${where(me)}-${randomBytes(6).toString('hex')}`;
}

/** Whether a name is that of a temporary file whose maker is provably dead. */
async function isLeftover(name: string): Promise<boolean> {
  const match = NAME.exec(name);
  if (!match) return false;
  const [, pid = '', start = '', place = ''] = match;
  const me = await ownIdentity();
  if (place.slice(0, 8) !== short(me.host)) return false;
  if (place.slice(8, 16) !== short(me.boot)) return me.boot !== '' && place.slice(8, 16) !== short('');
  if (place !== where(me)) return false;
  const running = await startOf(Number(pid));
  return running === null || (running !== '' && start !== short('') && short(running) !== start);
}

/**
 * Writes a temporary file in a directory, synced, with exactly these permission bits.
 * @returns its name; the caller renames, links or deletes it
 */
export async function writeTemp(directory: HeldDirectory, content: Uint8Array, mode: number): Promise<string> {
  const name = await tempName();
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(directory.at(name), flags, 0o600);
  try {
    await handle.writeFile(content);
    await handle.chmod(mode);
    await handle.sync();
  } catch (error) {
    await unlink(directory.at(name)).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
  return name;
}

/** What link(2) says on file systems that have no hard links (FAT, some network and container ones). */
const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Gives a temporary file its first name without ever replacing what stands there: link(2) fails where a rename
 * would overwrite. Without hard links the name is taken with `O_EXCL` first.
 * @throws an error of the system with code EEXIST where the name is taken
 */
export async function publishNew(directory: HeldDirectory, temp: string, name: string): Promise<void> {
  try {
    await link(directory.at(temp), directory.at(name));
    await unlink(directory.at(temp));
  } catch (error) {
    if (!NO_HARD_LINKS.has(errnoOf(error) ?? '')) throw error;
    await open(directory.at(name), 'wx').then((handle) => handle.close());
    await rename(directory.at(temp), directory.at(name));
  }
}

/** Deletes a temporary file that will not be used; a failure to do so must not hide the reason. */
export async function discard(directory: HeldDirectory, temp: string): Promise<void> {
  await rm(directory.at(temp), { force: true }).catch(() => undefined);
}

/** What a process leaves behind when it dies while this one runs is found this much later at the latest, in milliseconds. */
const SWEEP_EVERY_MS = 5_000;
const swept = new Map<string, number>();

/** True once in `SWEEP_EVERY_MS` for a directory: a hundred tasks that write there need not list it a hundred times. */
function isDue(directory: string): boolean {
  const now = performance.now();
  if (now - (swept.get(directory) ?? Number.NEGATIVE_INFINITY) < SWEEP_EVERY_MS) return false;
  if (swept.size > 1_000) swept.clear();
  swept.set(directory, now);
  return true;
}

/** As `sweepTemps`, for directories where this process has not done it just now. */
export async function sweepTempsInTurn(root: string, directories: Iterable<string>): Promise<void> {
  await sweepTemps(
    root,
    [...new Set(directories)].filter((directory) => isDue(`${root}\0${directory}`)),
  );
}

/**
 * Deletes the temporary files that dead processes left in these directories.
 *
 * @param root real path of the workspace
 * @param directories relative to it, '' for the root itself; those that do not exist are passed over
 * @returns paths of the deleted files
 */
export async function sweepTemps(root: string, directories: Iterable<string>): Promise<string[]> {
  const deleted: string[] = [];
  for (const relative of new Set(directories)) {
    const { directory } = await walkToParent(root, relative === '' ? 'x' : `${relative}/x`, false);
    if (!directory) continue;
    try {
      for (const name of await readdir(directory.at('.'))) {
        if (!(await isLeftover(name))) continue;
        await rm(directory.at(name), { force: true });
        deleted.push(directory.pathOf(name));
      }
      if (deleted.length > 0) await directory.sync();
    } finally {
      await directory.close();
    }
  }
  return deleted;
}
