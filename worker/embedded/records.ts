import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UnreachableError } from '../../plan/errors';
import { replaceFile } from '../../store/durable';
import type { EmbeddedLayout } from './paths';
import type { ProcessMark } from './processes';

/**
 * The state files of the embedded server. They are read by every command before anything else, so they are checked by
 * hand: zod would cost each command 50 ms and the supervisor its small size.
 */
export interface SupervisorRecord {
  schema: 'planwright.supervisor/1';
  process: ProcessMark;
  /** What it understands on its socket; see `messages.ts`. */
  protocol: number;
}

export interface ServerRecord {
  schema: 'planwright.server/1';
  /** Null while none runs; the ports stay remembered. */
  process: ProcessMark | null;
  port: number;
  /** Null: without the web UI. */
  uiPort: number | null;
  binary: string;
  /** It answers, and the namespace is there. */
  ready: boolean;
  /** Why the supervisor gave up, or null. */
  failure: string | null;
}

export interface WorkerRecord {
  schema: 'planwright.worker/1';
  process: ProcessMark | null;
  workspaceId: string;
  workspace: string;
  /** Digest of the settings that it was started with. */
  digest: string;
  /** The server's port that it was given. */
  port: number;
  ready: boolean;
  failure: string | null;
}

type Fields = Record<string, unknown>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMark(value: unknown): value is ProcessMark {
  return (
    isFields(value) &&
    Number.isInteger(value.pid) &&
    Number(value.pid) > 1 &&
    typeof value.startTime === 'string' &&
    typeof value.since === 'string'
  );
}

const isTextOrNull = (value: unknown): boolean => value === null || typeof value === 'string';
const isPort = (value: unknown): boolean => Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536;

function isSupervisor(value: Fields): value is Fields & SupervisorRecord {
  return isMark(value.process) && typeof value.protocol === 'number';
}

function isServer(value: Fields): value is Fields & ServerRecord {
  return (
    (value.process === null || isMark(value.process)) &&
    isPort(value.port) &&
    (value.uiPort === null || isPort(value.uiPort)) &&
    typeof value.binary === 'string' &&
    typeof value.ready === 'boolean' &&
    isTextOrNull(value.failure)
  );
}

function isWorker(value: Fields): value is Fields & WorkerRecord {
  return (
    (value.process === null || isMark(value.process)) &&
    typeof value.workspaceId === 'string' &&
    typeof value.workspace === 'string' &&
    typeof value.digest === 'string' &&
    isPort(value.port) &&
    typeof value.ready === 'boolean' &&
    isTextOrNull(value.failure)
  );
}

/**
 * Reads a record. A missing or broken one is null: what it spoke of is then found by looking at the processes.
 * @throws UnreachableError where another version of Planwright wrote it
 */
function readRecord<T>(path: string, schema: string, check: (value: Fields) => value is Fields & T): T | null {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
  if (!isFields(value)) return null;
  if (typeof value.schema === 'string' && value.schema !== schema) {
    throw new UnreachableError(
      `${path} was written by another version of Planwright: expected "${schema}", found "${value.schema}".`,
      'Run "planwright down" with that version first, then try again.',
    );
  }
  return value.schema === schema && check(value) ? value : null;
}

export function readSupervisor(layout: EmbeddedLayout): SupervisorRecord | null {
  return readRecord(layout.supervisorRecord, 'planwright.supervisor/1', isSupervisor);
}

export function readServer(layout: EmbeddedLayout): ServerRecord | null {
  return readRecord(layout.serverRecord, 'planwright.server/1', isServer);
}

export function readWorker(path: string): WorkerRecord | null {
  return readRecord(path, 'planwright.worker/1', isWorker);
}

/** All workers on record, running or not, by workspace path. */
export function readWorkers(layout: EmbeddedLayout): WorkerRecord[] {
  if (!existsSync(layout.workers)) return [];
  return readdirSync(layout.workers)
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .map((name) => readWorker(join(layout.workers, name)))
    .filter((record) => record !== null)
    .sort((a, b) => (a.workspace < b.workspace ? -1 : 1));
}

/** Replaces a record whole; readers never see a part of one. */
export async function writeRecord(path: string, record: SupervisorRecord | ServerRecord | WorkerRecord): Promise<void> {
  await replaceFile(path, `${JSON.stringify(record, null, 2)}\n`);
}
