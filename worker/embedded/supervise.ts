import { chmodSync, unlinkSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { PlanwrightError } from '../../plan/errors';
import { acquireLock, LockBusyError } from '../../store/lock';
import type { EnsureRequest, EnsureResult, Reply } from './messages';
import { PROTOCOL, parseRequest } from './messages';
import type { EmbeddedLayout } from './paths';
import { layoutAt } from './paths';
import { markOf } from './processes';
import { readSupervisor, readWorkers, writeRecord } from './records';
import type { Note } from './server-keeper';
import { ServerKeeper } from './server-keeper';
import { explain, makeStateDir } from './state-dir';
import { WorkerKeeper } from './worker-keeper';

/** The pid of the supervisor on record; null where none is, and 0 where another version wrote the record. */
function ownerOf(layout: EmbeddedLayout): number | null {
  try {
    return readSupervisor(layout)?.process.pid ?? null;
  } catch {
    return 0;
  }
}

/** The supervisor's whole state: one server, and a worker for each workspace that was asked for. */
class Supervisor {
  private readonly server: ServerKeeper;
  private readonly workers = new Map<string, WorkerKeeper>();
  private readonly isOurs = (): boolean => ownerOf(this.layout) === process.pid;

  constructor(
    private readonly layout: EmbeddedLayout,
    private readonly log: Note,
  ) {
    this.server = new ServerKeeper(layout, log, this.isOurs, ({ awayMs, port }) => this.tellWorkers(awayMs, port));
    for (const record of readWorkers(layout)) {
      this.workers.set(record.workspaceId, new WorkerKeeper(layout, log, this.isOurs, record));
    }
  }

  private tellWorkers(awayMs: number, port: number, except?: string): void {
    for (const [id, worker] of this.workers) {
      if (id !== except) worker.serverIsBack(awayMs, port).catch((error: unknown) => this.log(String(error)));
    }
  }

  async ensure({ binary, worker, replace }: EnsureRequest, note: Note): Promise<EnsureResult> {
    const { record, started } = await this.server.ensure(binary, note);
    const { port, uiPort } = record;
    if (started) this.tellWorkers(Number.POSITIVE_INFINITY, port, worker?.workspaceId);
    const base = { port, uiPort, startedServer: started };
    const nothing = { startedWorker: false, restartedWorker: false, otherSettings: false };
    if (!worker) return { ...base, ...nothing };
    let keeper = this.workers.get(worker.workspaceId);
    if (!keeper) {
      keeper = new WorkerKeeper(this.layout, this.log, this.isOurs, null);
      this.workers.set(worker.workspaceId, keeper);
    }
    const done = await keeper.ensure(worker, port, { replace, fresh: started });
    return {
      ...base,
      startedWorker: done === 'started',
      restartedWorker: done === 'restarted',
      otherSettings: done === 'other-settings',
    };
  }

  /**
   * Workers first, so that they can still report what they finish.
   * @param keepRecords false where the state directory is gone, and must not come back
   */
  async stop(keepRecords: boolean): Promise<void> {
    await Promise.all([...this.workers.values()].map((worker) => worker.stop(this.log)));
    await this.server.stop(this.log, keepRecords);
  }
}

function serve(supervisor: Supervisor, layout: EmbeddedLayout, socket: Socket): void {
  const send = (reply: Reply): void => {
    if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
  };
  const answer = async (line: string): Promise<void> => {
    try {
      send({ result: await supervisor.ensure(parseRequest(line), (note) => send({ note })) });
    } catch (cause) {
      const error = explain(cause, layout);
      const advice = error instanceof PlanwrightError ? (error.advice ?? null) : null;
      send({ error: { message: error instanceof Error ? error.message : String(error), advice } });
    }
  };
  let buffer = '';
  // A command that was interrupted closes its end; the work goes on for the next one.
  socket.on('error', () => undefined);
  socket.setEncoding('utf8').on('data', (text: string) => {
    buffer += text;
    for (let end = buffer.indexOf('\n'); end >= 0; end = buffer.indexOf('\n')) {
      const line = buffer.slice(0, end);
      buffer = buffer.slice(end + 1);
      answer(line).catch(() => socket.destroy());
    }
  });
}

async function listen(server: Server, path: string): Promise<void> {
  try {
    unlinkSync(path); // A killed supervisor's; we hold the lock.
  } catch {}
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  chmodSync(path, 0o600);
}

/**
 * Resolves when this supervisor shall end: at a signal; when its state directory was deleted from under it; or when
 * another one works there now, after that.
 */
function untilAskedToEnd(layout: EmbeddedLayout): Promise<'signal' | 'deleted' | 'replaced'> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => resolve('signal'));
    process.on('SIGHUP', () => undefined); // The terminal that started us may close.
    setInterval(() => {
      const pid = ownerOf(layout);
      if (pid !== process.pid) resolve(pid === null ? 'deleted' : 'replaced');
    }, 3_000).unref();
  });
}

/**
 * Owns the embedded server and its workers until it is asked to end (SIGTERM), and then stops them all. There is one
 * for a state directory: it holds the lock, and a second one returns at once.
 *
 * Killed with SIGKILL it leaves its server and workers running; the next supervisor finds and adopts them.
 *
 * @throws UnreachableError where the state directory cannot be used
 */
export async function superviseAt({ stateDir, log }: { stateDir: string; log: Note }): Promise<void> {
  process.umask(0o077);
  const layout = layoutAt(stateDir);
  makeStateDir(layout);
  const lock = await acquireLock(layout.lock, { timeoutMs: 0 }).catch((error: unknown) => {
    if (!(error instanceof LockBusyError)) throw explain(error, layout);
    log(`not needed or not possible: ${error.message} ${error.advice ?? ''}`);
    return null;
  });
  if (!lock) return;
  try {
    const supervisor = new Supervisor(layout, log);
    const own = markOf(process.pid);
    if (!own) throw new Error('this process cannot be found in the list of processes');
    const server = createServer((socket) => serve(supervisor, layout, socket));
    await listen(server, layout.socket);
    await writeRecord(layout.supervisorRecord, {
      schema: 'planwright.supervisor/1',
      process: own,
      protocol: PROTOCOL,
    });
    log(`supervisor with pid ${process.pid} is ready`);
    const why = await untilAskedToEnd(layout);
    log(`ending: ${why}`);
    // Socket, lock and processes at these paths are another supervisor's now; even closing ours would remove its own.
    if (why === 'replaced') return;
    if (why === 'deleted') return await supervisor.stop(false);
    server.close();
    await supervisor.stop(true);
    await lock.release().catch(() => undefined);
  } catch (error) {
    throw explain(error, layout);
  }
}
