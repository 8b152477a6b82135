/**
 * An exported plan as one file, `planwright.export/1`: gzip (RFC 1952) over lines of canonical JSON (RFC 8785). The first line
 * is the plan, each further one an object that its artifacts name, in the order of the digests. Same plan, same bytes.
 */
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { canonicalJson } from '../plan/canonical';
import { sha256 } from '../plan/digest';
import { escapeForDisplay } from '../plan/display';
import { IntegrityError, RefusedError, UsageError } from '../plan/errors';
import { type CarriedPlan, EXPORT_SCHEMA } from '../plan/export';
import { findSecrets } from '../plan/mask';
import { exportHeader, exportObject } from './export-shape';

const MiB = 1024 * 1024;
/** Most bytes of the file, and of what it unpacks to. */
export const EXPORT_LIMITS = { packed: 32 * MiB, unpacked: 128 * MiB } as const;

const AGAIN = 'Export the plan again: planwright plan export FILE';

/** Digests of the objects that a plan's artifacts name, sorted. */
export function carriedObjects({ tasks }: CarriedPlan): string[] {
  return [...new Set(tasks.flatMap(({ artifact }) => artifact?.files.map((file) => file.sha256) ?? []))].sort();
}

/**
 * @param content gives an object, re-hashed
 * @throws RefusedError where something in it looks like a secret, or it is too large to be carried
 */
export async function packExport(plan: CarriedPlan, content: (digest: string) => Promise<Buffer>): Promise<Buffer> {
  const digests = carriedObjects(plan);
  const head = canonicalJson({ schema: EXPORT_SCHEMA, plan, objects: digests.length });
  refuseSecrets(plan);
  const lines = [head];
  let size = head.length;
  for (const digest of digests) {
    const bytes = await content(digest);
    const path = plan.tasks.flatMap(({ artifact }) => artifact?.files ?? []).find((one) => one.sha256 === digest)?.path;
    refuseSecret(bytes.toString('utf8'), `the file ${path}`);
    lines.push(canonicalJson({ sha256: digest, content: bytes.toString('base64') }));
    size += lines.at(-1)?.length ?? 0;
    if (size > EXPORT_LIMITS.unpacked) throw tooLarge();
  }
  const packed = gzipSync(`${lines.join('\n')}\n`, { level: constants.Z_BEST_COMPRESSION });
  if (packed.length > EXPORT_LIMITS.packed) throw tooLarge();
  return packed;
}

function tooLarge(): RefusedError {
  return new RefusedError(
    `The plan is too large to be carried: more than ${EXPORT_LIMITS.unpacked / MiB} MiB, or ${EXPORT_LIMITS.packed / MiB} MiB packed.`,
    'Make several smaller plans.',
  );
}

function refuseSecrets({ goal, graph, tasks }: CarriedPlan): void {
  refuseSecret(goal, 'the goal');
  for (const node of graph.nodes) refuseSecret(JSON.stringify(node), `task "${node.id}"`);
  for (const { id, revisions, artifact } of tasks) {
    refuseSecret(revisions.map(({ instruction }) => instruction).join('\n'), `an instruction of task "${id}"`);
    refuseSecret(artifact?.feedback.join('\n') ?? '', `what task "${id}" was told`);
    refuseSecret(JSON.stringify(artifact?.output ?? {}), `the output of task "${id}"`);
  }
}

/** The secret itself is never shown. */
function refuseSecret(text: string, where: string): void {
  const hit = findSecrets(text).find(({ certainty }) => certainty === 'secret');
  if (!hit) return;
  throw new RefusedError(
    `The plan was not exported: ${escapeForDisplay(where)} holds what looks like a secret (${hit.kind}).`,
    'A file that is carried to other machines must hold none. Make the plan anew without it.',
  );
}

export interface UnpackedExport {
  plan: CarriedPlan;
  objects: Map<string, Buffer>;
}

/**
 * Reads an exported plan and hashes every object in it again.
 *
 * @param packed the file; nothing in it is trusted
 * @throws UsageError where it is no export, of another version, too large, or breaks a rule of the format
 * @throws IntegrityError where it is cut short or damaged, or an object is missing, changed or not of the plan
 */
export function unpackExport(packed: Buffer): UnpackedExport {
  const [head = '', ...rest] = unpacked(packed).split('\n');
  if (rest.pop() !== '') throw damaged('its last line is not whole');
  const value = parseLine(head);
  if (value === undefined) throw notOne();
  const schema = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined;
  if (schema !== EXPORT_SCHEMA) {
    if (typeof schema !== 'string' || !schema.startsWith('planwright.export/')) throw notOne();
    throw new UsageError(
      `The export is of version "${escapeForDisplay(schema.slice(0, 60))}"; this planwright reads "${EXPORT_SCHEMA}".`,
      'Use the planwright that wrote it, or a newer one.',
    );
  }
  const parsed = exportHeader.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = escapeForDisplay(issue?.path.join('.') ?? '');
    throw new UsageError(`The export is refused: ${place}: ${escapeForDisplay(issue?.message ?? '')}`, AGAIN);
  }
  const { plan, objects: count } = parsed.data;
  if (count !== rest.length) throw damaged(`it names ${count} object(s) and has ${rest.length}`);
  return { plan, objects: objectsOf(plan, rest) };
}

function unpacked(packed: Buffer): string {
  if (packed.length > EXPORT_LIMITS.packed) {
    throw new UsageError(`The export is larger than ${EXPORT_LIMITS.packed / MiB} MiB.`, AGAIN);
  }
  try {
    return gunzipSync(packed, { maxOutputLength: EXPORT_LIMITS.unpacked }).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new UsageError(`The export unpacks to more than ${EXPORT_LIMITS.unpacked / MiB} MiB.`, AGAIN);
    }
    if (packed[0] !== 0x1f || packed[1] !== 0x8b) throw notOne();
    throw damaged('it is cut short, or bytes of it were changed');
  }
}

function objectsOf(plan: CarriedPlan, lines: readonly string[]): Map<string, Buffer> {
  const objects = new Map<string, Buffer>();
  for (const line of lines) {
    const parsed = exportObject.safeParse(parseLine(line));
    if (!parsed.success) throw damaged('one of its objects cannot be read');
    const content = Buffer.from(parsed.data.content, 'base64');
    if (sha256(content) !== parsed.data.sha256) {
      throw damaged(`object ${parsed.data.sha256.slice(0, 12)} has other bytes than its digest says`);
    }
    objects.set(parsed.data.sha256, content);
  }
  const wanted = carriedObjects(plan);
  if (wanted.length !== objects.size || lines.length !== objects.size || !wanted.every((one) => objects.has(one))) {
    throw damaged('its objects are not those that its artifacts name');
  }
  for (const { artifact } of plan.tasks) {
    for (const { path, sha256: digest, bytes } of artifact?.files ?? []) {
      if (objects.get(digest)?.length !== bytes) throw damaged(`${path} has another length than it says`);
    }
  }
  return objects;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const notOne = (): UsageError => new UsageError('This is no exported plan.', `Make one: ${AGAIN.split(': ')[1]}`);

const damaged = (why: string): IntegrityError =>
  new IntegrityError(`The export is damaged: ${escapeForDisplay(why)}.`, AGAIN);
