import { constants } from 'node:fs';
import { syncDirectory } from '../store/durable';
import { type LogPaths, openOwn } from './log-files';

/** What stood behind the last whole line of a segment. */
export interface Torn {
  segment: string;
  /** Where it began. */
  offset: number;
  bytes: Buffer;
}

/** Keeps it, durably: one JSON line each in `torn.jsonl`. After a kill the same may stand there twice. */
export async function keepTorn(paths: LogPaths, { segment, offset, bytes }: Torn): Promise<void> {
  const handle = await openOwn(paths.torn, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND);
  try {
    const record = { schema: 'planwright.audit-torn/1', segment, offset, base64: bytes.toString('base64') };
    await handle.appendFile(`${JSON.stringify(record)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncDirectory(paths.folder);
}
