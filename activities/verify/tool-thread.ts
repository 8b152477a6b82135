import { Worker } from 'node:worker_threads';
import { z } from 'zod';

const answerSchema = z.object({ id: z.number(), answer: z.unknown().optional(), error: z.string().optional() });

/** A thread that holds nobody's work goes after this long: a WebAssembly module keeps 40 to 70 MB. */
const IDLE_MS = 300_000;

export type Answer = { answer: unknown } | { reason: string };

/** One tool alone in a thread of its own: WebAssembly modules of Go live in globals, and two of them in one realm deadlock. */
export interface ToolThread {
  /**
   * Asks the tool. Calls queue for the one thread, which starts with the first and stays for the next.
   *
   * @param input what the program's function takes; must be cloneable
   * @param timeoutMs for this call's own turn; the thread is ended when it is over, and the next call starts a fresh one
   * @returns what the program returned, or why there is no answer: time ran out, the thread died, the call was aborted
   */
  call(input: unknown, timeoutMs: number, signal?: AbortSignal): Promise<Answer>;
  /** Starts the thread ahead of its first call; nothing where it runs already. */
  warm(): void;
  /** Ends the thread; the next call starts another. */
  close(): Promise<void>;
}

const threads: ToolThread[] = [];

/** Ends the threads of all tools. */
export async function closeToolThreads(): Promise<void> {
  await Promise.all(threads.map((thread) => thread.close()));
}

/**
 * @param name for messages
 * @param program plain JavaScript whose body returns an async function from input to answer; a string, so that it is the
 *   same under jest (sources) and in dist/. It may use `require` with absolute paths, `import()` and `data`.
 * @param data what the program gets as `data`: entry points of its libraries, settings. Asked when a thread starts
 */
export function toolThread(name: string, program: string, data: () => Record<string, unknown>): ToolThread {
  const thread = new Thread(name, wrap(program), data);
  threads.push(thread);
  return thread;
}

function wrap(program: string): string {
  return `
const { parentPort, workerData: data } = require('node:worker_threads');
const tool = (() => { ${program} })();
parentPort.on('message', async ({ id, input }) => {
  try {
    parentPort.postMessage({ id, answer: await tool(input) });
  } catch (error) {
    parentPort.postMessage({ id, error: String(error && error.message || error) });
  }
});
`;
}

class Thread implements ToolThread {
  private worker: Worker | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  private lastId = 0;
  private idle: NodeJS.Timeout | undefined;

  constructor(
    private readonly name: string,
    private readonly program: string,
    private readonly data: () => Record<string, unknown>,
  ) {}

  call(input: unknown, timeoutMs: number, signal?: AbortSignal): Promise<Answer> {
    const turn = this.queue.then(() => this.turn(input, timeoutMs, signal));
    this.queue = turn;
    return turn;
  }

  warm(): void {
    this.worker ??= this.start();
    this.rest();
  }

  async close(): Promise<void> {
    const ending = this.worker;
    this.worker = null;
    clearTimeout(this.idle);
    await ending?.terminate();
  }

  private start(): Worker {
    // No environment and no flags: the file under test must not be able to reach a key through the tool (T23).
    const started = new Worker(this.program, {
      eval: true,
      env: {},
      execArgv: [],
      workerData: this.data(),
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    });
    started.unref();
    // Between two files nobody else listens: a thread that dies then is replaced, and takes nothing with it.
    started.on('error', () => undefined);
    started.once('exit', () => {
      if (this.worker === started) this.worker = null;
    });
    return started;
  }

  private rest(): void {
    clearTimeout(this.idle);
    this.idle = setTimeout(() => void this.close(), IDLE_MS);
    this.idle.unref();
  }

  private turn(input: unknown, timeoutMs: number, signal?: AbortSignal): Promise<Answer> {
    if (signal?.aborted) return Promise.resolve({ reason: 'the verification was aborted' });
    clearTimeout(this.idle);
    this.worker ??= this.start();
    const current = this.worker;
    const id = ++this.lastId;
    return new Promise((resolve) => {
      const finish = (outcome: Answer, kill: boolean): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        current.off('message', answered).off('error', failed).off('exit', exited);
        if (!kill) {
          this.rest();
          resolve(outcome);
          return;
        }
        if (this.worker === current) this.worker = null;
        current.terminate().then(
          () => resolve(outcome),
          () => resolve(outcome),
        );
      };
      const answered = (message: unknown): void => {
        const read = answerSchema.safeParse(message);
        if (!read.success || read.data.id !== id) return;
        const { answer, error } = read.data;
        if (error === undefined) finish({ answer }, false);
        else finish({ reason: `${this.name} failed: ${error}` }, true);
      };
      const failed = (error: unknown): void =>
        finish({ reason: `${this.name}'s thread failed: ${error instanceof Error ? error.message : error}` }, true);
      const exited = (code: number): void => finish({ reason: `${this.name}'s thread ended with code ${code}` }, true);
      const aborted = (): void => finish({ reason: 'the verification was aborted' }, true);
      // The timer, unlike the thread, keeps the process alive: an answer is awaited.
      const timer = setTimeout(
        () => finish({ reason: `${this.name} did not answer within ${timeoutMs} ms and was ended` }, true),
        timeoutMs,
      );
      signal?.addEventListener('abort', aborted, { once: true });
      current.on('message', answered).on('error', failed).on('exit', exited);
      current.postMessage({ id, input });
    });
  }
}
