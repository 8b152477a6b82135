/**
 * The worker's own port, for those who watch it: `/live` (the process answers), `/ready` (it polls, and Temporal can be
 * reached) and `/metrics`. Nothing else is told there: no plan, no path, no key.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UsageError } from '../plan/errors';
import { CONTENT_TYPE } from './exposition';

export interface Listen {
  host: string;
  port: number;
}

/** What the port tells of. */
export interface Watched {
  /** @returns what is wrong; empty where the worker takes work */
  faults(): Promise<string[]>;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
}

export interface Health extends Listen {
  close(): Promise<void>;
}

/**
 * `HOST:PORT`, `[IPv6]:PORT` or `PORT`, which means 127.0.0.1; undefined for an empty text: no port is opened.
 * @throws UsageError for anything else
 */
export function parseListen(text: string | undefined): Listen | undefined {
  if (!text) return undefined;
  const [, v6, host, digits] = /^(?:\[([0-9a-fA-F:.]+)\]:|([^:[\]\s]+):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new UsageError(
      `PLANWRIGHT_HEALTH is "${text}", and no address to listen on.`,
      'Give HOST:PORT, for example 127.0.0.1:8000; leave it empty for none.',
    );
  }
  return { host: v6 ?? host ?? '127.0.0.1', port };
}

/** @throws UsageError where the address is taken or not of this machine */
export async function startHealth({ host, port }: Listen, watched: Watched): Promise<Health> {
  const server = createServer((request, response) => {
    const answer = (code: number, type: string, body: string): void => {
      response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    const plain = (code: number, body: string): void => answer(code, 'text/plain; charset=utf-8', `${body}\n`);
    if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'only GET');
    const { pathname } = new URL(request.url ?? '/', 'http://worker');
    const reply = async (): Promise<void> => {
      if (pathname === '/live') return plain(200, 'live');
      if (pathname === '/ready') {
        const faults = await watched.faults();
        return faults.length === 0 ? plain(200, 'ready') : plain(503, faults.join('\n'));
      }
      if (pathname === '/metrics') return answer(200, CONTENT_TYPE, await watched.metrics());
      plain(404, 'There are /live, /ready and /metrics.');
    };
    reply().catch((error: unknown) => plain(500, error instanceof Error ? error.message : String(error)));
  });
  await listen(server, { host, port });
  const { port: chosen } = server.address() as AddressInfo;
  return {
    host,
    port: chosen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, { host, port }: Listen): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new UsageError(
          `The worker cannot listen on ${host}:${port} (${error.code ?? error.message}).`,
          'Set PLANWRIGHT_HEALTH to another address, or leave it empty for none.',
        ),
      ),
    );
    server.listen({ host, port }, resolve);
  });
}
