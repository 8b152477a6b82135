/**
 * One line of the log: `{"body":<canonical JSON>,"hash":"<hex>"}`. The hashed bytes are exactly those of the body,
 * after one byte 0x00, so that the same hash is the entry's leaf in a Merkle tree (RFC 6962, 2.1).
 */
import { isUtf8 } from 'node:buffer';
import { hash as digest } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../plan/canonical';
import { AUDIT_EVENTS, type AuditEvent } from '../plan/facts';
import type { Json, JsonObject } from '../plan/types';
import { type Fault, UnfitEntry } from './errors';
import { ENTRY_TYPE, type Entry, type EntryBody } from './types';

/** Bytes of a line without its newline. */
export const MAX_LINE = 16 * 1024;

const OPEN = '{"body":';
const MIDDLE = ',"hash":"';
const CLOSE = '"}';
const HASH_LENGTH = 64;
const TAIL = MIDDLE.length + HASH_LENGTH + CLOSE.length;

/** Events that no history holds: `run` and `eventId` are null in them and in no others. */
export const LOCAL_EVENTS: ReadonlySet<AuditEvent> = new Set<AuditEvent>(['audit.repaired', 'audit.break']);

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const text = z.string().min(1);

/** Of `data` only that it is an object: it comes from JSON, and what may stand in it is each event's own rule. */
const data = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));

const bodyShape = z
  .strictObject({
    typ: z.literal(ENTRY_TYPE),
    log: text,
    seq: z.int().min(0),
    prev: hex,
    run: text.nullable(),
    eventId: z.int().min(1).nullable(),
    at: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    event: z.enum(AUDIT_EVENTS),
    actor: z.strictObject({
      kind: z.enum(['user', 'worker', 'workflow', 'temporal']),
      id: z.string(),
      auth: z.enum(['claimed', 'signed', 'process']),
    }),
    data,
  })
  .refine(
    ({ event, run, eventId }) => LOCAL_EVENTS.has(event) === (run === null) && (run === null) === (eventId === null),
    { message: 'run and eventId are null in audit.repaired and audit.break, and in no others' },
  );

/** What may stand in `data`. @returns what is wrong with it, or null */
export type DataCheck = (event: AuditEvent, data: JsonObject) => string | null;

/** A line with its entry. */
export interface Line {
  /** Without the newline. */
  bytes: Buffer;
  entry: Entry;
}

/**
 * Spells an entry.
 * @throws UnfitEntry where the body has not the shape of one, or is longer than a line may be
 * @throws TypeError for a value in `data` that has no canonical JSON
 */
export function buildLine(body: EntryBody): Line {
  const parsed = bodyShape.safeParse(body);
  if (!parsed.success) {
    throw new UnfitEntry(`Entry ${body.seq} of the audit log (${body.event}) is not valid: ${issuesOf(parsed.error)}.`);
  }
  const spelt = canonicalJson(body);
  const hash = leafHashOf(spelt);
  const bytes = Buffer.from(`${OPEN}${spelt}${MIDDLE}${hash}${CLOSE}`);
  if (bytes.length > MAX_LINE) {
    throw new UnfitEntry(
      `Entry ${body.seq} of the audit log (${body.event}) has ${bytes.length} bytes; a line has at most ${MAX_LINE}.`,
    );
  }
  return { bytes, entry: { body, hash } };
}

/** `prev` of the first entry: SHA-256(0x02 ‖ canonical JSON of its data), so that it can be checked like any other. */
export function genesisOf(data: Json): string {
  return digest('sha256', Buffer.concat([Buffer.of(2), Buffer.from(canonicalJson(data))]), 'hex');
}

/** A body behind the byte 0x00, so that the two are hashed in one call; larger ones never come near it. */
const prefixed = Buffer.alloc(1 + MAX_LINE);

/** SHA-256(0x00 ‖ bytes), hex. */
export function leafHashOf(body: string | Uint8Array): string {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  if (bytes.length > MAX_LINE) return digest('sha256', Buffer.concat([Buffer.of(0), bytes]), 'hex');
  prefixed.set(bytes, 1);
  return digest('sha256', prefixed.subarray(0, 1 + bytes.length), 'hex');
}

/**
 * Reads a line strictly: the bytes around the body, its hash, its spelling and its shape. That the line is at its
 * place in a chain is for the caller to see.
 *
 * @param bytes without the newline
 */
export function parseLine(bytes: Buffer, checkData?: DataCheck): Entry | Fault {
  if (bytes.length > MAX_LINE) return fault('size', 0, `at most ${MAX_LINE} bytes`, `${bytes.length} bytes`);
  if (!isUtf8(bytes)) return fault('utf8', 0, 'UTF-8', 'bytes that are no UTF-8');
  const line = bytes.toString('utf8');
  const ends = line.length - TAIL;
  const hash = line.slice(ends + MIDDLE.length, -CLOSE.length);
  const around = aroundFault(line, ends, hash, bytes.length);
  if (around !== null) return around;
  const found = leafHashOf(bytes.subarray(OPEN.length, bytes.length - TAIL));
  if (found !== hash) return fault('hash', bytes.length - HASH_LENGTH - CLOSE.length, found, hash);
  const spelt = line.slice(OPEN.length, ends);
  let value: unknown;
  try {
    value = JSON.parse(spelt);
    const canonical = canonicalJson(value);
    if (canonical !== spelt) return spellingFault(canonical, spelt);
  } catch (error) {
    return fault('json', OPEN.length, 'canonical JSON', (error as Error).message);
  }
  const parsed = bodyShape.safeParse(value);
  if (!parsed.success) return fault('shape', OPEN.length, `an entry of ${ENTRY_TYPE}`, issuesOf(parsed.error));
  const body: EntryBody = parsed.data;
  const amiss = checkData?.(body.event, body.data) ?? null;
  return amiss === null ? { body, hash } : fault('data', OPEN.length, `the data of ${body.event}`, amiss);
}

export function isFault(found: Entry | Fault): found is Fault {
  return 'what' in found;
}

/** Whether bytes without a newline can be what a killed writer left of a line. */
export function couldBeTorn(bytes: Buffer): boolean {
  if (bytes.length > MAX_LINE) return false;
  const start = bytes.subarray(0, OPEN.length).toString('latin1');
  // A whole line with something behind it was never cut.
  return OPEN.startsWith(start) && !/,"hash":"[0-9a-f]{64}"\}[\s\S]/.test(bytes.toString('latin1'));
}

function aroundFault(line: string, ends: number, hash: string, length: number): Fault | null {
  if (!line.startsWith(OPEN)) return fault('envelope', 0, OPEN, line.slice(0, OPEN.length));
  const tail = length - TAIL;
  const middle = line.slice(ends, ends + MIDDLE.length);
  if (ends < OPEN.length || middle !== MIDDLE) return fault('envelope', Math.max(tail, 0), MIDDLE, middle);
  if (!line.endsWith(CLOSE)) return fault('envelope', length - CLOSE.length, CLOSE, line.slice(-CLOSE.length));
  if (!/^[0-9a-f]{64}$/.test(hash)) return fault('envelope', tail + MIDDLE.length, '64 digits of lower-case hex', hash);
  return null;
}

function spellingFault(canonical: string, spelt: string): Fault {
  let at = 0;
  while (canonical[at] === spelt[at]) at += 1;
  const near = (whole: string): string => whole.slice(Math.max(0, at - 8), at + 24);
  return fault('canonical', OPEN.length + Buffer.byteLength(spelt.slice(0, at)), near(canonical), near(spelt));
}

function issuesOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ');
}

function fault(what: Fault['what'], at: number, expected: string, actual: string): Fault {
  return { what, at, expected, actual };
}
