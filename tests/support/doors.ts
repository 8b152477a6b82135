/** Doors in front of a Temporal server, as a company has them: one that wants client certificates, one that wants an API key. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import * as http2 from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';

export interface Door {
  /** `localhost:<port>`. */
  address: string;
  close(): Promise<void>;
}

/** Paths of PEM files. */
export interface Pair {
  cert: string;
  key: string;
}

/** An authority in a folder, by openssl. @returns makes a pair for a name, signed by it */
export function authority(folder: string, name: string): { ca: string; issue(subject: string): Pair } {
  const at = (file: string): string => join(folder, file);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe', timeout: 20_000 });
  const own: Pair = { cert: at(`${name}.pem`), key: at(`${name}.key`) };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...curve, '-subj', `/CN=${name}`, '-keyout', own.key, '-out', own.cert);
  return {
    ca: own.cert,
    issue(subject) {
      const pair: Pair = { cert: at(`${name}-${subject}.pem`), key: at(`${name}-${subject}.key`) };
      const [request, extensions] = [at(`${subject}.csr`), at(`${subject}.ext`)];
      writeFileSync(extensions, `subjectAltName=DNS:${subject}\n`);
      openssl('req', ...curve, '-subj', `/CN=${subject}`, '-keyout', pair.key, '-out', request);
      openssl(
        ...['x509', '-req', '-in', request, '-CA', own.cert, '-CAkey', own.key, '-CAcreateserial'],
        ...['-days', '2', '-extfile', extensions, '-out', pair.cert],
      );
      return pair;
    },
  };
}

/** Ends TLS with client certificates of the given authority, and passes the bytes on. */
export async function certificateDoor(server: string, own: Pair, clientCa: string): Promise<Door> {
  const [host = '', port = ''] = server.split(':');
  const sockets = new Set<{ destroy(): void }>();
  const door = createTlsServer(
    {
      cert: readFileSync(own.cert),
      key: readFileSync(own.key),
      ca: readFileSync(clientCa),
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ['h2'],
    },
    (outer) => {
      const inner: Socket = connect(Number(port), host);
      for (const socket of [outer, inner]) {
        sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          outer.destroy();
          inner.destroy();
        });
      }
      outer.pipe(inner).pipe(outer);
    },
  );
  door.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => door.listen(0, 'localhost', resolve));
  return {
    address: `localhost:${(door.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        door.close(() => resolve());
      }),
  };
}

/** Ends TLS and passes calls on that bring the key; others get what gRPC calls UNAUTHENTICATED. */
export async function keyDoor(server: string, own: Pair, apiKey: string): Promise<Door> {
  const inner = http2.connect(`http://${server}`);
  inner.on('error', () => undefined);
  const sessions = new Set<http2.ServerHttp2Session>();
  const door = http2.createSecureServer({ cert: readFileSync(own.cert), key: readFileSync(own.key) });
  door.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
  });
  door.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (headers.authorization !== `Bearer ${apiKey}`) {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16', 'grpc-message': 'who are you' },
        { endStream: true },
      );
      return;
    }
    const { ':authority': _authority, ':scheme': _scheme, ...kept } = headers;
    const call = inner.request(kept);
    call.on('error', () => stream.close(http2.constants.NGHTTP2_CANCEL));
    stream.on('close', () => call.close(http2.constants.NGHTTP2_CANCEL));
    let trailers: http2.IncomingHttpHeaders = {};
    call.on('trailers', (received) => {
      trailers = received;
    });
    call.on('response', ({ ':status': status, ...answer }, flags) => {
      const ends = (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond({ ':status': status, ...answer }, { endStream: ends, waitForTrailers: !ends });
      if (ends) return;
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      call.pipe(stream);
    });
    stream.pipe(call);
  });
  await new Promise<void>((resolve) => door.listen(0, 'localhost', resolve));
  return {
    address: `localhost:${(door.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        inner.destroy();
        for (const session of sessions) session.destroy();
        door.close(() => resolve());
      }),
  };
}
