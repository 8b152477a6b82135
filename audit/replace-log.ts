import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../store/durable';
import type { LogPaths } from './log-files';
import { segmentsOf } from './log-files';
import { SegmentWriter } from './segment-writer';

const PREFIX = '.rebuild-';

/**
 * Has a log written anew beside the old one, and puts it in its place. The caller holds the log's lock. A log of one
 * segment is replaced in one step; killed within a longer one, it is neither, which verification finds and the next
 * repair mends.
 *
 * @param write writes all lines; false keeps the old log
 */
export async function replaceLog(
  paths: LogPaths,
  segmentBytes: number,
  write: (writer: SegmentWriter) => Promise<boolean>,
): Promise<void> {
  await removeLeftovers(paths);
  const folder = join(paths.folder, `${PREFIX}${randomBytes(6).toString('hex')}`);
  await mkdir(folder, { mode: 0o700 });
  const writer = new SegmentWriter(folder, segmentBytes);
  try {
    const isWanted = await write(writer);
    const segments = await writer.close();
    if (!isWanted) return;
    for (const segment of segments) await rename(join(folder, segment), join(paths.folder, segment));
    for (const old of segmentsOf(paths)) if (!segments.includes(old)) await unlink(join(paths.folder, old));
    await syncDirectory(paths.folder);
  } finally {
    await writer.close().catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}

async function removeLeftovers({ folder }: LogPaths): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(PREFIX)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
