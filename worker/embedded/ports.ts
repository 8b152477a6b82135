import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { LOOPBACK } from './paths';

/** Whether anything accepts connections at this port of the loopback interface. */
export function answers(port: number, timeoutMs = 500): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port });
    const end = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(timeoutMs, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Whether we could listen at this port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Where the search for a free port begins. Below the ranges from which systems take ports for outgoing connections, so
 * that a remembered one is still there tomorrow, and away from Temporal's own 7233, which the user may want.
 * Different state directories begin at different places.
 */
export function firstPort(state: string): number {
  const spread = createHash('sha256').update(state).digest().readUInt16BE(0) % 10_000;
  return 17_233 + spread;
}

/** The first port from `from` on that is free and not in `except`. */
export async function freePort(from: number, except: readonly number[] = []): Promise<number> {
  for (let port = from; port < from + 2_000; port++) {
    if (!except.includes(port) && (await isFree(port))) return port;
  }
  throw new Error(`None of the ports ${from} to ${from + 1_999} of ${LOOPBACK} is free.`);
}
