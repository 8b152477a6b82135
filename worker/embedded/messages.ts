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
        const reply = JSON.parse(buffer.slice(0, end)) as Reply; // From our own supervisor, in a folder of mode 0700.
        buffer = buffer.slice(end + 1);
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
