/** Removes objects that nothing refers to any more: mark and sweep over `.planwright/`, safe beside whatever runs. */
import { createReadStream } from 'node:fs';
import { lstat, mkdir, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { WorkspaceLayout } from './layout';
import { withLock } from './lock';

export interface GcOptions {
  /** Digests that the workflows of this workspace stand on. */
  references: ReadonlySet<string>;
  /** Objects stored or wanted again within this time stay, in milliseconds: what is being made refers to them only later. */
  graceMs: number;
  /** Only look. */
  dryRun: boolean;
}

interface Count {
  objects: number;
  bytes: number;
}

export interface GcResult {
  /** All objects as they were found. */
  found: Count;
  /** Removed or, in a dry run, to be removed. */
  freed: Count;
  /** Objects that nothing refers to and that are too young. */
  young: Count;
}

interface Found {
  digest: string;
  path: string;
  bytes: number;
  mtimeMs: number;
}

/**
 * An object stays where its digest stands in anything under `.planwright/`, in an object that stays, or in `references`. Of an
 * audit log only the event histories that it names count, and of the exported histories only the notes where others lie.
 *
 * What takes an object up again while this runs is not robbed of it: `ObjectStore.put` touches what it finds, and an object is
 * moved aside and looked at once more before it is removed.
 *
 * @throws LockBusyError where another one runs
 */
export async function collectGarbage(layout: WorkspaceLayout, options: GcOptions): Promise<GcResult> {
  return withLock(join(layout.dir, 'gc-lock'), { timeoutMs: 0 }, async () => {
    const aside = join(layout.objects, '.gc');
    await bringBack(layout, aside);
    const objects = await listObjects(layout.objects);
    const live = await liveObjects(layout, objects, options.references);
    const oldest = Date.now() - options.graceMs;
    const dead = [...objects.values()].filter(({ digest }) => !live.has(digest));
    const old = dead.filter(({ mtimeMs }) => mtimeMs < oldest);
    const freed: Found[] = [];
    if (!options.dryRun && old.length > 0) await mkdir(aside, { recursive: true, mode: 0o700 });
    for (const object of old) if (options.dryRun || (await remove(object, aside, oldest))) freed.push(object);
    const young = dead.filter((object) => !freed.includes(object));
    return { found: count([...objects.values()]), freed: count(freed), young: count(young) };
  });
}

const count = (objects: readonly Found[]): Count => ({
  objects: objects.length,
  bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
});

/** @returns false where it was wanted again meanwhile, and stays */
async function remove({ digest, path }: Found, aside: string, oldest: number): Promise<boolean> {
  const moved = join(aside, digest);
  try {
    await rename(path, moved);
    const { mtimeMs } = await lstat(moved);
    if (mtimeMs >= oldest) {
      await rename(moved, path);
      return false;
    }
    await unlink(moved);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** What a killed collection had moved aside goes back, to be looked at like any other. */
async function bringBack(layout: WorkspaceLayout, aside: string): Promise<void> {
  for (const digest of await namesIn(aside)) {
    if (!/^[0-9a-f]{64}$/.test(digest)) continue;
    await mkdir(join(layout.objects, digest.slice(0, 2)), { recursive: true, mode: 0o700 });
    await rename(join(aside, digest), join(layout.objects, digest.slice(0, 2), digest.slice(2)));
  }
}

async function listObjects(folder: string): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  for (const start of (await namesIn(folder)).filter((name) => /^[0-9a-f]{2}$/.test(name))) {
    for (const rest of (await namesIn(join(folder, start))).filter((name) => /^[0-9a-f]{62}$/.test(name))) {
      const path = join(folder, start, rest);
      const stat = await lstat(path).catch(() => null);
      if (stat?.isFile()) {
        found.set(start + rest, { digest: start + rest, path, bytes: stat.size, mtimeMs: stat.mtimeMs });
      }
    }
  }
  return found;
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/** Everything that can be reached: whatever has the form of a digest counts as a reference. */
async function liveObjects(
  layout: WorkspaceLayout,
  objects: ReadonlyMap<string, Found>,
  references: ReadonlySet<string>,
): Promise<Set<string>> {
  const live = new Set<string>();
  const open: Found[] = [];
  const reach = (digest: string): void => {
    const object = objects.get(digest);
    if (!object || live.has(digest)) return;
    live.add(digest);
    open.push(object);
  };
  for (const digest of references) reach(digest);
  const records = [layout.objects, join(layout.dir, 'audit'), layout.histories];
  for await (const path of filesBelow(layout.dir, records)) await digestsIn(path, reach);
  for await (const path of filesBelow(join(layout.dir, 'audit'), [])) await exportsIn(path, reach);
  // Where an execution's history lies, for a log that is gone or does not tell of it yet.
  for await (const path of filesBelow(layout.histories, [])) {
    if (path.endsWith('.object')) await digestsIn(path, reach);
  }
  for (let at = open.pop(); at; at = open.pop()) await digestsIn(at.path, reach);
  return live;
}

/** Regular files, without those of some folders; links are not followed. */
async function* filesBelow(folder: string, without: readonly string[]): AsyncIterable<string> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (without.includes(path)) continue;
    if (entry.isDirectory()) yield* filesBelow(path, without);
    else if (entry.isFile()) yield path;
  }
}

/**
 * An audit log and an exported history tell what happened, long after the plan was deleted: the digests in them keep no content.
 * Only the event histories that a log names are kept for it, because it is verified by them.
 */
async function exportsIn(path: string, found: (digest: string) => void): Promise<void> {
  const lines = createInterface({
    input: createReadStream(path, { encoding: 'latin1' }),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  for await (const line of lines) {
    if (line.includes('"event":"history.exported"'))
      for (const [digest] of line.matchAll(/[0-9a-f]{64}/g)) found(digest);
  }
}

/** A file that is gone by now refers to nothing; one that cannot be read might, so that is an error. */
async function digestsIn(path: string, found: (digest: string) => void): Promise<void> {
  let before = '';
  try {
    for await (const chunk of createReadStream(path, { encoding: 'latin1' })) {
      const text = before + String(chunk);
      for (const [run] of text.matchAll(/[0-9a-f]{64,}/g)) {
        for (let at = 0; at + 64 <= run.length; at++) found(run.slice(at, at + 64));
      }
      before = text.slice(-63);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
