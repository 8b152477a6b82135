import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnreachableError } from '../../plan/errors';
import { inTurn } from './in-turn';
import { readLog } from './logs';
import type { EmbeddedLayout } from './paths';
import { LOOPBACK } from './paths';
import { firstPort, freePort, isFree } from './ports';
import type { ProcessMark } from './processes';
import { isAlive, terminate, untilGone } from './processes';
import type { ServerRecord } from './records';
import { readServer, writeRecord } from './records';
import type { ServerPorts } from './server-process';
import { refusedPort, serversOn, serverTrouble, spawnServer, untilReady } from './server-process';

const READY_WITHIN = 30_000;
const SERVER_GRACE = 10_000;
/** A server that lived shorter than this died of what it is, not of an accident. */
const RAPID = 10_000;
const GIVE_UP_AFTER = 8;

export type Note = (line: string) => void;

/** Keeps one server alive on one database: starts it, adopts it, watches it, starts it again. */
export class ServerKeeper {
  private record: ServerRecord | null = null;
  private readonly turn = inTurn();
  private readonly stopped = new AbortController();
  private rapidFailures = 0;
  private logOffset = 0;

  /**
   * @param isOurs whether the state directory still is this supervisor's; nothing is started again otherwise
   * @param onBack called when a server that had died serves again: how long it was away, and its port
   */
  constructor(
    private readonly layout: EmbeddedLayout,
    private readonly log: Note,
    private readonly isOurs: () => boolean,
    private readonly onBack: (event: { awayMs: number; port: number }) => void,
  ) {}

  /** The server that runs, after seeing to it that one does. Callers at the same time share one start. */
  ensure(binary: string, note: Note): Promise<{ record: ServerRecord; started: boolean }> {
    return this.turn(async () => {
      if (this.record && isAlive(this.record.process)) return { record: this.record, started: false };
      this.rapidFailures = 0;
      const adopted = await this.adopt(binary);
      if (adopted) return { record: adopted, started: false };
      return { record: await this.start(binary, note), started: true };
    });
  }

  /** Stops the server, and any other that has our database open. */
  async stop(note: Note, keepRecord = true): Promise<void> {
    this.stopped.abort();
    await this.turn(async () => {
      for (const { mark } of serversOn(this.layout)) {
        const how = await terminate(mark, SERVER_GRACE);
        if (how === 'killed') note(`The server (pid ${mark.pid}) did not stop in time and was killed.`);
      }
      if (!keepRecord) return;
      const last = this.record ?? readServer(this.layout);
      // A full disk must not keep anybody from stopping; a record of a process that is gone misleads nobody.
      const save = last && writeRecord(this.layout.serverRecord, { ...last, process: null, ready: false });
      await save?.catch((error: Error) => note(`The server's record stays as it is: ${error.message}`));
    });
  }

  /**
   * Takes over a server that a killed supervisor left. One that serves nothing is ended, and one whose database was
   * deleted from under it; of two, both are.
   */
  private async adopt(binary: string): Promise<ServerRecord | null> {
    const found = serversOn(this.layout);
    const only = found.length === 1 && existsSync(this.layout.database) ? found[0] : undefined;
    if (only && (await untilReady(binary, only.port, only.mark, SERVER_GRACE))) {
      const known = readServer(this.layout);
      const mark = known?.process?.startTime === only.mark.startTime ? known.process : only.mark;
      this.log(`adopted the server with pid ${mark.pid} on port ${only.port}`);
      const ports = { port: only.port, uiPort: only.uiPort };
      const record = await this.save({ ...ports, binary, process: mark, ready: true, failure: null });
      this.watch(mark, untilGone(mark, this.stopped.signal));
      return record;
    }
    for (const { mark } of found) {
      this.log(`ending the server with pid ${mark.pid}, which does not answer, or not alone, or without its file`);
      await terminate(mark, SERVER_GRACE);
    }
    return null;
  }

  /**
   * Starts a server on the remembered ports. A remembered port that a stranger holds now is given up for another, and
   * that is said: whoever answers there is not asked and not trusted, because the database is what makes the server
   * ours, and no process has it open. Commands read the address anew each time; workers are told.
   */
  private async start(binary: string, note: Note): Promise<ServerRecord> {
    let ports = await this.choosePorts(readServer(this.layout), note);
    for (let attempt = 1; ; attempt++) {
      const server = await spawnServer(this.layout, binary, ports).catch((error: Error) => {
        throw new UnreachableError(`The Temporal binary ${binary} cannot be started: ${error.message}.`);
      });
      this.logOffset = server.logOffset;
      await this.save({ ...ports, binary, process: server.mark, ready: false, failure: null });
      if (await untilReady(binary, ports.port, server.mark, READY_WITHIN)) {
        this.log(`server with pid ${server.mark.pid} serves on port ${ports.port}`);
        const record = await this.save({ ...ports, binary, process: server.mark, ready: true, failure: null });
        this.watch(server.mark, server.exited);
        return record;
      }
      await terminate(server.mark, SERVER_GRACE);
      const words = readLog(this.layout.serverLog, this.logOffset);
      const refused = refusedPort(words);
      if (refused === null || attempt === 5) {
        const trouble = serverTrouble(this.layout, words);
        await this.save({ ...ports, binary, process: null, ready: false, failure: trouble.message });
        throw trouble;
      }
      // Somebody was faster between our look at the port and the server's. Without a UI it still serves.
      if (refused === 'uiPort')
        ports = { ...ports, uiPort: attempt < 3 ? await freePort((ports.uiPort ?? 0) + 1) : null };
      else ports = { ...ports, port: await freePort(ports.port + 2, [ports.uiPort ?? 0]) };
    }
  }

  private async choosePorts(last: ServerRecord | null, note: Note): Promise<ServerPorts> {
    let port = last?.port;
    if (port === undefined || !(await isFree(port))) {
      const old = port;
      port = await freePort(old === undefined ? firstPort(this.layout.state) : old + 2);
      if (old !== undefined) {
        const line = `Another program holds ${LOOPBACK}:${old} now; the embedded server moves to port ${port}.`;
        note(line);
        this.log(line);
      }
    }
    const uiPort = last?.uiPort;
    if (uiPort != null && uiPort !== port && (await isFree(uiPort))) return { port, uiPort };
    return { port, uiPort: await freePort(port + 1) };
  }

  private watch(mark: ProcessMark, gone: Promise<void>): void {
    const since = Date.now();
    const revive = async (): Promise<void> => {
      await gone;
      if (this.stopped.signal.aborted) return;
      this.log(`server with pid ${mark.pid} has gone`);
      this.rapidFailures = Date.now() - since < RAPID ? this.rapidFailures + 1 : 0;
      await this.startAgain(Date.now());
    };
    revive().catch((error: unknown) => this.log(`watching the server: ${String(error)}`));
  }

  private async startAgain(goneAt: number): Promise<void> {
    while (!this.stopped.signal.aborted) {
      await sleep(Math.min(10_000, 100 * 2 ** this.rapidFailures));
      const done = await this.turn(async () => {
        const last = this.record;
        if (this.stopped.signal.aborted || !last || !this.isOurs()) return true;
        // A command came meanwhile, and started it.
        const running = isAlive(last.process) ? last : await this.start(last.binary, this.log).catch(() => null);
        if (running) {
          this.onBack({ awayMs: Date.now() - goneAt, port: running.port });
          return true;
        }
        this.rapidFailures++;
        return this.rapidFailures >= GIVE_UP_AFTER;
      });
      if (!done) continue;
      if (this.rapidFailures >= GIVE_UP_AFTER) this.log('the server keeps dying; the next command tries again');
      return;
    }
  }

  private async save(fields: Omit<ServerRecord, 'schema'>): Promise<ServerRecord> {
    this.record = { schema: 'planwright.server/1', ...fields };
    await writeRecord(this.layout.serverRecord, this.record);
    return this.record;
  }
}
