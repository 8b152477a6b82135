/** Where a plan's log lies, and the only ways in which its files are opened. */
import { constants, fstatSync, lstatSync, readdirSync } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from '../plan/errors';
import { syncDirectory } from '../store/durable';
import type { WorkspaceLayout } from '../store/layout';
import { PLAN_ID } from '../store/plan-file';
import { CorruptLog } from './errors';

export const SEGMENT_BYTES = 64 * 1024 * 1024;
const SEGMENT = /^\d{6}\.jsonl$/;

/** Absolute paths of one plan's log. */
export interface LogPaths {
  folder: string;
  /** Outside the folder: whoever deletes a log does not thereby let two writers in. */
  lock: string;
  /** The latest signed note. */
  checkpoint: string;
  /** What killed writers left of lines, as evidence. */
  torn: string;
  quarantine: string;
}

/** @param plan a plan's id (checked: it becomes a path) */
export function logPaths(layout: WorkspaceLayout, plan: string): LogPaths {
  if (!PLAN_ID.test(plan)) throw new UsageError(`"${plan}" is no id of a plan.`);
  const folder = join(layout.audit, plan);
  return {
    folder,
    lock: join(layout.audit, '.locks', plan),
    checkpoint: join(folder, 'checkpoint'),
    torn: join(folder, 'torn.jsonl'),
    quarantine: join(folder, 'quarantine'),
  };
}

/** Makes the folder durably, with the folders above it up to the workspace; each must be a directory and no link. */
export async function makeFolder(layout: WorkspaceLayout, { folder }: LogPaths): Promise<void> {
  for (const path of [layout.dir, layout.audit, folder]) await makeOne(path);
}

/** The folder for evidence, within the log's own. */
export function makeQuarantine({ quarantine }: LogPaths): Promise<void> {
  return makeOne(quarantine);
}

async function makeOne(path: string): Promise<void> {
  if (isFolder(path)) return;
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await syncDirectory(dirname(path));
}

/** Whether the log's folder is there. @throws CorruptLog where a link or a file stands in its way */
export function hasFolder(layout: WorkspaceLayout, { folder }: LogPaths): boolean {
  return [layout.dir, layout.audit, folder].every(isFolder);
}

/** At once, because every append asks three times: a turn through the pool of threads costs twenty such calls. */
function isFolder(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isDirectory()) {
    throw new CorruptLog(`${path} is no directory; the audit log is not written through a link or over a file.`);
  }
  return found !== undefined;
}

/** Name of the segment that holds the lines after `number - 1` others, from 1. */
export function segmentName(number: number): string {
  return `${String(number).padStart(6, '0')}.jsonl`;
}

/**
 * File names of the segments, in their order. A number that is missing is left for the reader to find: the chain does
 * not hold across it.
 */
export function segmentsOf({ folder }: LogPaths): string[] {
  return namesIn(folder)
    .filter((name) => SEGMENT.test(name))
    .sort();
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Opens a file of the log: no link is followed, and it must be a regular file with one name, so that writing to it
 * changes nothing elsewhere.
 *
 * @param flags besides O_NOFOLLOW
 * @throws CorruptLog where it is anything else
 */
export async function openOwn(path: string, flags: number): Promise<FileHandle> {
  // Without O_NONBLOCK a pipe would be waited for.
  const all = flags | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, all, 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ELOOP') throw new CorruptLog(`${path} is a symbolic link; the audit log follows none.`);
    throw error;
  });
  try {
    const stat = fstatSync(handle.fd);
    if (!stat.isFile()) throw new CorruptLog(`${path} is no regular file.`);
    if (stat.nlink !== 1) throw new CorruptLog(`${path} has ${stat.nlink} names; a file of the audit log has one.`);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}
