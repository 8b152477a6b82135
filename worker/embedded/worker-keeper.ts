import { unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnreachableError } from '../../plan/errors';
import { inTurn } from './in-turn';
import { lastWords, readLog } from './logs';
import type { WorkerSpec } from './messages';
import type { EmbeddedLayout } from './paths';
import { workerLogPath, workerRecordPath } from './paths';
import { isAlive, terminate, untilGone } from './processes';
import type { WorkerRecord } from './records';
import { writeRecord } from './records';
import type { Note } from './server-keeper';
import { spawnWorker, untilWorkerReady } from './worker-process';

const READY_WITHIN = 60_000;
const RAPID = 10_000;
const GIVE_UP_AFTER = 5;
/** Longer than the worker's own `shutdownGraceTime` of 30 s: what it is writing is finished. */
const STOP_GRACE = 35_000;
/** After an outage the calls in flight are answered to a server that forgot them: less patience. */
const OUTAGE_GRACE = 5_000;

/** Keeps the worker of one workspace alive. */
export class WorkerKeeper {
  private readonly turn = inTurn();
  private readonly stopped = new AbortController();
  private spec: WorkerSpec | null = null;
  private rapidFailures = 0;

  /**
   * @param isOurs whether the state directory still is this supervisor's; nothing is started again otherwise
   * @param record a worker that a killed supervisor left, or null
   */
  constructor(
    private readonly layout: EmbeddedLayout,
    private readonly log: Note,
    private readonly isOurs: () => boolean,
    private record: WorkerRecord | null,
  ) {
    const mark = record?.process;
    if (isAlive(mark)) {
      log(`adopted the worker with pid ${mark.pid} of ${record?.workspace}`);
      this.watch(
        record as WorkerRecord,
        untilGone(mark, this.stopped.signal).then(() => null),
      );
    }
  }

  /**
   * Sees to it that a worker with these settings runs and polls.
   *
   * @param fresh the server was started just now: a worker from before is started again, it would reconnect late
   * @throws UnreachableError where it ends before it is ready
   */
  ensure(
    spec: WorkerSpec,
    port: number,
    options: { replace: boolean; fresh: boolean },
  ): Promise<'running' | 'started' | 'restarted' | 'other-settings'> {
    return this.turn(async () => {
      const running = this.record && isAlive(this.record.process) ? this.record : null;
      const same = running?.digest === spec.digest;
      if (running && !same && !options.replace) return 'other-settings';
      this.spec = spec;
      if (running && same && running.ready && running.port === port && !options.fresh) return 'running';
      if (running) await this.end(same ? OUTAGE_GRACE : STOP_GRACE);
      this.rapidFailures = 0;
      await this.start(spec, port);
      return running && !same ? 'restarted' : 'started';
    });
  }

  /** The server is back after `awayMs` (infinity where nobody knows), at `port`. */
  async serverIsBack(awayMs: number, port: number): Promise<void> {
    const goneAt = Number.isFinite(awayMs) ? Date.now() - awayMs : Number.POSITIVE_INFINITY;
    await this.turn(async () => {
      const running = this.record && isAlive(this.record.process) ? this.record : null;
      if (!running || (running.port === port && awayMs <= 3_000)) return;
      // One that was started meanwhile has been looking for this server ever since.
      if (running.port === port && Date.parse(running.process?.since ?? '') > goneAt) return;
      // Adopted, its environment is unknown: it can reconnect by itself, but not find another port.
      if (!this.spec && running.port === port) return;
      this.log(`starting the worker of ${running.workspace} again, because the server was away or moved`);
      await this.end(OUTAGE_GRACE);
      if (this.spec) await this.start(this.spec, port);
    });
  }

  async stop(note: Note): Promise<void> {
    this.stopped.abort();
    await this.turn(async () => {
      if (this.record && (await this.end(STOP_GRACE)) === 'killed') {
        note(`The worker of ${this.record.workspace} did not stop in time and was killed.`);
      }
      await this.forget();
    });
  }

  private async end(graceMs: number): Promise<'gone' | 'stopped' | 'killed'> {
    const mark = this.record?.process;
    if (!this.record || !mark) return 'gone';
    // First the record in memory, so that the watch sees that this end is meant.
    this.record = { ...this.record, process: null, ready: false };
    return terminate(mark, graceMs);
  }

  private async start(spec: WorkerSpec, port: number): Promise<void> {
    const { workspaceId, workspace, digest } = spec;
    const fields = { schema: 'planwright.worker/1' as const, workspaceId, workspace, digest, port };
    const log = workerLogPath(this.layout, workspaceId);
    const worker = await spawnWorker(this.layout, spec, port).catch((error: Error) => {
      throw new UnreachableError(`The worker of ${workspace} cannot be started: ${error.message}.`);
    });
    await this.save({ ...fields, process: worker.mark, ready: false, failure: null });
    if (await untilWorkerReady(this.layout, workspaceId, worker, READY_WITHIN)) {
      this.log(`worker with pid ${worker.mark.pid} polls for ${workspace}`);
      const record = await this.save({ ...fields, process: worker.mark, ready: true, failure: null });
      this.watch(record, worker.exited);
      return;
    }
    await terminate(worker.mark, OUTAGE_GRACE);
    const words = lastWords(readLog(log, worker.logOffset));
    const failure = `The worker of ${workspace} does not start.${words ? ` Its last words: ${words}` : ''}`;
    await this.save({ ...fields, process: null, ready: false, failure });
    throw new UnreachableError(failure, `Read ${log}, or run "planwright worker" to see it in the foreground.`);
  }

  private watch(record: WorkerRecord, exited: Promise<number | null>): void {
    const since = Date.now();
    const revive = async (): Promise<void> => {
      const code = await exited;
      // Meant: it was stopped, or replaced by another.
      if (this.stopped.signal.aborted || this.record?.process?.pid !== record.process?.pid) return;
      this.log(`worker with pid ${record.process?.pid} of ${record.workspace} ended (${code ?? 'killed'})`);
      // Code 0 is its own decision: nothing has run for half an hour. Without its environment only a command can help.
      if (code === 0 || !this.spec) return this.turn(() => this.forget());
      this.rapidFailures = Date.now() - since < RAPID ? this.rapidFailures + 1 : 0;
      await this.startAgain();
    };
    revive().catch((error: unknown) => this.log(`watching the worker of ${record.workspace}: ${String(error)}`));
  }

  private async startAgain(): Promise<void> {
    while (!this.stopped.signal.aborted && this.rapidFailures < GIVE_UP_AFTER) {
      await sleep(Math.min(10_000, 100 * 2 ** this.rapidFailures));
      const done = await this.turn(async () => {
        const last = this.record;
        if (this.stopped.signal.aborted || !last || !this.spec || !this.isOurs() || isAlive(last.process)) return true;
        return this.start(this.spec, last.port).then(
          () => true,
          () => false,
        );
      });
      if (done) return;
      this.rapidFailures++;
    }
    await this.turn(async () => {
      const last = this.record;
      if (this.stopped.signal.aborted || !last || !this.isOurs() || isAlive(last.process)) return;
      const log = workerLogPath(this.layout, last.workspaceId);
      const failure =
        last.failure ?? `The worker of ${last.workspace} keeps ending right after its start; read ${log}.`;
      this.log(failure);
      await this.save({ ...last, process: null, ready: false, failure });
    });
  }

  private async forget(): Promise<void> {
    const record = this.record;
    if (!record || isAlive(record.process)) return;
    this.record = null;
    await unlink(workerRecordPath(this.layout, record.workspaceId)).catch(() => undefined);
  }

  private async save(record: WorkerRecord): Promise<WorkerRecord> {
    this.record = record;
    await writeRecord(workerRecordPath(this.layout, record.workspaceId), record);
    return record;
  }
}
