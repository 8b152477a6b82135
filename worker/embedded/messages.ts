import { connect } from 'node:net';
import { UnreachableError } from '../../plan/errors';

/** Raised when the messages change; a supervisor of another number is replaced, its server and workers are adopted. */
export const PROTOCOL = 1;

/**
 * What a command asks the supervisor, as one line of JSON: see to it that the server runs, and a worker for this
 * workspace. The environment travels here and is kept in memory only, because it holds the provider's key.
 */
export interface EnsureRequest {
  op: 'ensure';
  /** The Temporal binary to start a server with. */
  binary: string;
  worker: WorkerSpec | null;
  /** Restart a worker that was started with other settings. */
  replace: boolean;
}

export interface WorkerSpec {
  workspaceId: string;
  workspace: string;
  /** Digest of the settings in `env`. */
  digest: string;
  env: { [name: string]: string };
  /** Program and arguments that come before `--workspace DIR`. */
  command: string[];
}

export interface EnsureResult {
  port: number;
  uiPort: number | null;
  startedServer: boolean;
  startedWorker: boolean;
  restartedWorker: boolean;
  /** A worker runs with other settings, and `replace` was not set. */
  otherSettings: boolean;
}

/** Lines of the answer: any number of notes, then the result or why there is none. */
export type Reply = { note: string } | { result: EnsureResult } | { error: { message: string; advice: string | null } };

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isWorkerSpec(value: unknown): value is WorkerSpec {
  if (typeof value !== 'object' || value === null) return false;
  const spec = value as Partial<Record<keyof WorkerSpec, unknown>>;
  return (
    typeof spec.workspaceId === 'string' &&
    /^[\w-]+$/.test(spec.workspaceId) &&
    typeof spec.workspace === 'string' &&
    typeof spec.digest === 'string' &&
    isTexts(spec.command) &&
    spec.command.length > 0 &&
    typeof spec.env === 'object' &&
    spec.env !== null &&
    isTexts(Object.values(spec.env))
  );
}

/** @throws Error where the line is no request that we know */
export function parseRequest(line: string): EnsureRequest {
  const value: unknown = JSON.parse(line);
  const { op, binary, worker, replace } = (value ?? {}) as Partial<Record<keyof EnsureRequest, unknown>>;
  if (op !== 'ensure' || typeof binary !== 'string' || typeof replace !== 'boolean') throw new Error('unknown request');
  if (worker === null) return { op, binary, worker: null, replace };
  if (!isWorkerSpec(worker)) throw new Error('the worker in the request is incomplete');
  return { op, binary, worker, replace };
}

function isEnsureResult(value: unknown): value is EnsureResult {
  if (typeof value !== 'object' || value === null) return false;
  const { port, uiPort, ...flags } = value as Partial<Record<keyof EnsureResult, unknown>>;
  const { startedServer, startedWorker, restartedWorker, otherSettings } = flags;
  return (
    typeof port === 'number' &&
    (uiPort === null || typeof uiPort === 'number') &&
    [startedServer, startedWorker, restartedWorker, otherSettings].every((flag) => typeof flag === 'boolean')
  );
}

/** @returns null where the line is no answer that we know: cut short, or not of our supervisor */
function parseReply(line: string): Reply | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { note, result, error } = value as { [key: string]: unknown };
  if (typeof note === 'string') return { note };
  if (isEnsureResult(result)) return { result };
  if (typeof error !== 'object' || error === null) return null;
  const { message, advice } = error as { [key: string]: unknown };
  return typeof message === 'string'
    ? { error: { message, advice: typeof advice === 'string' ? advice : null } }
    : null;
}

/** The supervisor went away before it answered; asking again (of its successor) is right. */
export class SupervisorLost extends Error {}

/**
 * Asks the supervisor and waits for its result.
 *
 * @param note called with each line of progress
 * @throws SupervisorLost where nobody listens, or the connection ends before the answer
 * @throws UnreachableError where the supervisor says why it could not do it, or is silent for `timeoutMs`
 */
export function ask(
  socketPath: string,
  request: EnsureRequest,
  note: (line: string) => void,
  timeoutMs = 150_000,
): Promise<EnsureResult> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let buffer = '';
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(timeoutMs, () =>
      fail(
        new UnreachableError(
          `The supervisor of the embedded server did not answer within ${timeoutMs / 1000} seconds.`,
          'Run "planwright down", then try again.',
        ),
      ),
    );
    socket.once('error', (error) => fail(new SupervisorLost(error.message)));
    socket.once('close', () => fail(new SupervisorLost('the connection was closed')));
    socket.setEncoding('utf8').on('data', (text: string) => {
      buffer += text;
      for (let end = buffer.indexOf('\n'); end >= 0; end = buffer.indexOf('\n')) {
        const reply = parseReply(buffer.slice(0, end));
        buffer = buffer.slice(end + 1);
        if (reply === null) {
          const advice = 'Run "planwright down", then try again.';
          fail(
            new UnreachableError('The supervisor of the embedded server gave an answer that nobody can read.', advice),
          );
          return;
        }
        if ('note' in reply) note(reply.note);
        else if ('error' in reply) fail(new UnreachableError(reply.error.message, reply.error.advice ?? undefined));
        else {
          resolve(reply.result);
          socket.end();
        }
      }
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
}
