/**
 * The event history of an execution as an object of the store: for the day when Temporal has forgotten it. Payloads are kept
 * as Temporal has them, decoded by no codec: what is encrypted there is encrypted here.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { type History, historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils';
import { canonicalJson } from '../plan/canonical';
import { IntegrityError, UsageError } from '../plan/errors';
import type { ExportHistoryResult } from '../plan/history-export';
import { replaceFile } from '../store/durable';
import type { WorkspaceLayout } from '../store/layout';
import { ObjectStore } from '../store/objects';

/** Of the JSON text. A server ends an execution at 50 MB of events, of which base64 makes a third more. */
const MOST_BYTES = 128 * 1024 * 1024;
const RUN = /^[\w-]{1,64}$/;
const REF_FILE = /^([\w-]{1,64})\.object$/;
const DIGEST = /^[0-9a-f]{64}$/;

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/**
 * Keeps a history as an object (gzip over canonical JSON) and its digest beside the exported histories, so that it is found
 * without the log as well. The same history twice is one object.
 *
 * @throws UsageError for an id that is none · IntegrityError for a history that is none, or longer than is ever read back
 */
export async function keepHistoryObject(
  layout: WorkspaceLayout,
  plan: string,
  execution: string,
  history: History,
): Promise<ExportHistoryResult> {
  if (!RUN.test(plan) || !RUN.test(execution)) throw new UsageError(`"${plan}" or "${execution}" is no id.`);
  const events = history.events?.length ?? 0;
  if (events === 0) throw new IntegrityError(`The history of execution ${execution} is empty.`);
  const text = canonicalJson(JSON.parse(historyToJSON(history)));
  const size = Buffer.byteLength(text);
  if (size > MOST_BYTES) {
    throw new IntegrityError(`The history of execution ${execution} is too long to be kept: ${size} bytes of JSON.`);
  }
  const packed = await pack(text);
  const object = await new ObjectStore(layout.objects).put(packed);
  await replaceFile(join(layout.histories, plan, `${execution}.object`), `${object}\n`);
  return { execution, object, bytes: packed.length, events };
}

/** Reads what `keepHistoryObject` packed. @throws IntegrityError where it is something else */
export async function unpackHistory(packed: Uint8Array): Promise<History> {
  try {
    const text = await unpack(packed, { maxOutputLength: MOST_BYTES });
    return historyFromJSON(JSON.parse(text.toString('utf8')));
  } catch (error) {
    throw new IntegrityError(`It holds no event history: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Digests of a plan's history objects by execution, as they were noted beside the exported histories. */
export async function notedObjects(layout: WorkspaceLayout, plan: string): Promise<Map<string, string>> {
  const folder = join(layout.histories, plan);
  const found = new Map<string, string>();
  for (const name of (await readdir(folder).catch(() => [])).sort()) {
    const execution = REF_FILE.exec(name)?.[1];
    if (!execution) continue;
    const digest = (await readFile(join(folder, name), 'utf8').catch(() => '')).trim();
    if (DIGEST.test(digest)) found.set(execution, digest);
  }
  return found;
}
