import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { RefusedError } from '../../plan/errors';
import type { EmbeddedLayout } from './paths';
import { embeddedLayout, socketFolder, workerRecordPath } from './paths';
import type { ProcessMark } from './processes';
import { isAlive, terminate } from './processes';
import { readServer, readSupervisor, readWorkers, writeRecord } from './records';
import { serversOn } from './server-process';
import { explain } from './state-dir';
import { workersOn } from './worker-process';

/** More than the supervisor gives its worker (35 s) and its server (10 s). */
const SUPERVISOR_GRACE = 50_000;
const WORKER_GRACE = 35_000;
const SERVER_GRACE = 10_000;

export interface Stopped {
  name: 'supervisor' | 'server' | 'worker';
  pid: number;
  /** It did not end in time, and was killed. */
  killed: boolean;
}

export interface StopOptions {
  env: NodeJS.ProcessEnv;
  /** Delete the database too: every plan's history is lost. */
  purge: boolean;
  note: (line: string) => void;
}

/** What runs now, each process of ours once. A record whose process has gone, or is another now, tells of nothing. */
function running(layout: EmbeddedLayout): { name: Stopped['name']; mark: ProcessMark; grace: number }[] {
  const supervisor = readSupervisor(layout)?.process;
  const recorded = readWorkers(layout).flatMap(({ process }) => process ?? []);
  const workers = [...recorded, ...workersOn(layout).filter(({ pid }) => !recorded.some((one) => one.pid === pid))];
  return [
    ...(supervisor ? [{ name: 'supervisor' as const, mark: supervisor, grace: SUPERVISOR_GRACE }] : []),
    ...workers.map((mark) => ({ name: 'worker' as const, mark, grace: WORKER_GRACE })),
    ...serversOn(layout).map(({ mark }) => ({ name: 'server' as const, mark, grace: SERVER_GRACE })),
  ].filter(({ mark }) => isAlive(mark));
}

/**
 * `planwright down`: stops the supervisor, which stops its workers and its server, and then whatever of them a killed
 * supervisor left. Only processes that `up` started are touched: by pid and start time, or (without a record)
 * by the database or the state directory on its command line. No new supervisor can start meanwhile.
 *
 * @returns what was stopped; empty where nothing ran
 * @throws RefusedError where another command starts the server again at the same moment
 */
export async function stopEmbedded({ env, purge, note }: StopOptions): Promise<Stopped[]> {
  const layout = embeddedLayout(env);
  if (!existsSync(layout.state)) {
    note('Nothing runs, and there is no database.');
    return [];
  }
  // Late: it loads zod, which no command needs for looking.
  const { acquireLock, LockBusyError } = require('../../store/lock') as typeof import('../../store/lock');
  const before = running(layout);
  const slow = setTimeout(
    () => note('Waiting for the worker to finish what it is doing (35 seconds at most) …'),
    2_000,
  );
  try {
    const killed = new Set<number>();
    const end = async (which: ReturnType<typeof running>): Promise<void> => {
      for (const { mark, grace } of which) if ((await terminate(mark, grace)) === 'killed') killed.add(mark.pid);
    };
    await end(before.filter(({ name }) => name === 'supervisor'));
    const lock = await acquireLock(layout.lock, { timeoutMs: 5_000 }).catch((cause: unknown) => {
      // On a full disk nobody can take the lock, no new supervisor either; and `--purge` makes room.
      if (isDiskFull(cause)) return null;
      if (!(cause instanceof LockBusyError)) throw cause;
      const message = `The embedded server was started again meanwhile: ${cause.message}`;
      throw new RefusedError(message, cause.advice, { cause });
    });
    try {
      await end(running(layout));
      if (purge) await deleteDatabase(layout, note);
      await forget(layout);
    } finally {
      await lock?.release();
    }
    if (before.length === 0) note('Nothing was running.');
    return before.map(({ name, mark }) => ({ name, pid: mark.pid, killed: killed.has(mark.pid) }));
  } catch (error) {
    throw explain(error, layout);
  } finally {
    clearTimeout(slow);
  }
}

function isDiskFull(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Removes the records of what is stopped. The server's stays: it remembers the ports. */
async function forget(layout: EmbeddedLayout): Promise<void> {
  const workers = readWorkers(layout).map(({ workspaceId }) => workerRecordPath(layout, workspaceId));
  for (const path of [layout.supervisorRecord, layout.socket, ...workers]) await rm(path, { force: true });
  const folder = socketFolder(layout);
  if (folder) await rm(folder, { recursive: true, force: true });
  const server = readServer(layout);
  if (!server?.process && !server?.failure) return;
  const stopped = { ...server, process: null, ready: false, failure: null };
  await writeRecord(layout.serverRecord, stopped).catch((error: unknown) => {
    // It names a process that is gone: that misleads nobody.
    if (!isDiskFull(error)) throw error;
  });
}

async function deleteDatabase(layout: EmbeddedLayout, note: (line: string) => void): Promise<void> {
  const there = existsSync(layout.database);
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${layout.database}${suffix}`, { force: true });
  note(there ? `Deleted the database ${layout.database}.` : 'There was no database to delete.');
}
