/**
 * Why a configured server cannot be used, in words that tell what to change. gRPC says "did not connect in time" for a wrong
 * address and for each fault of TLS alike, so the same door is knocked at once more by hand, and what happens there is told.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type PlanwrightError, UnreachableError } from '../plan/errors';
import type { ConfiguredConnection } from './connection';

const KNOCK_MS = 5_000;
/** The type of an HTTP/2 frame, its fourth byte. */
const SETTINGS = 4;
const GRPC = { notFound: 5, denied: 7, unauthenticated: 16 } as const;

type Tls = ConfiguredConnection['tls'];

/** The status of a failed call, wherever in the chain of causes it stands. */
function statusOf(error: unknown): number | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'number') return at.code;
  }
  return null;
}

/** @param error what the first calls threw: of connecting, or of asking for the namespace */
export async function connectionFault(error: unknown, server: ConfiguredConnection): Promise<PlanwrightError> {
  const { address, namespace, tls, apiKey } = server;
  const options = { cause: error };
  switch (statusOf(error)) {
    case GRPC.notFound:
      return new UnreachableError(
        `Temporal at ${address} has no namespace ${JSON.stringify(namespace)}.`,
        'Check --namespace, TEMPORAL_NAMESPACE or the profile; or have it made: temporal operator namespace create.',
        options,
      );
    case GRPC.unauthenticated:
    case GRPC.denied:
      return new UnreachableError(
        apiKey === undefined
          ? `Temporal at ${address} asks for credentials, and none are configured.`
          : `Temporal at ${address} refuses the API key for the namespace ${JSON.stringify(namespace)}.`,
        'Check TEMPORAL_API_KEY or the profile, and what the key may use.',
        options,
      );
  }
  const why = await knock(address, tls);
  return new UnreachableError(
    `Temporal at ${address} cannot be reached: ${why?.[0] ?? (error instanceof Error ? error.message : String(error))}.`,
    why?.[1] ?? 'Check TEMPORAL_ADDRESS, --address or the profile.',
    options,
  );
}

/** @returns what is wrong and what to do; null where nothing is found */
async function knock(address: string, tls: Tls): Promise<[why: string, advice: string] | null> {
  const [, host = '', port = ''] = /^(?:\w+:\/\/)?\[?([^\]]*?)\]?:(\d+)$/.exec(address) ?? [];
  if (host === '') return ['it is not HOST:PORT', 'Write it as temporal.example:7233.'];
  const refused = await tcpFault(host, Number(port));
  if (refused !== null) return [refused, 'Check TEMPORAL_ADDRESS, --address or the profile.'];
  const code = await helloFault(host, Number(port), tls ? tlsOptions(tls) : null);
  if (code === null) return null;
  return tls
    ? tlsFault(code, host, tls !== true && tls.clientCertPair !== undefined)
    : ['it does not answer without TLS', 'Where it wants TLS: TEMPORAL_TLS=true, or a [profile.<name>.tls] section.'];
}

function tcpFault(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port, timeout: KNOCK_MS });
    const end = (why: string | null): void => {
      socket.destroy();
      resolve(why);
    };
    socket.once('connect', () => end(null));
    socket.once('timeout', () => end('nobody answers'));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') return end('nothing listens there');
      if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') return end('there is no such host');
      return end(error.code ?? 'it cannot be connected to');
    });
  });
}

function tlsOptions(tls: NonNullable<Exclude<Tls, boolean>> | true): ConnectionOptions {
  if (tls === true) return {};
  const { serverNameOverride, serverRootCACertificate: ca, clientCertPair: pair } = tls;
  const own = serverNameOverride ? { servername: serverNameOverride } : {};
  return {
    ...own,
    ...(ca ? { ca: Buffer.from(ca) } : {}),
    ...(pair ? { cert: Buffer.from(pair.crt), key: Buffer.from(pair.key) } : {}),
  };
}

/** A client's first words in HTTP/2: the preface, and settings with nothing in them (RFC 9113, section 3.4). */
const HELLO = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/**
 * Says hello by hand: with TLS 1.3 a client certificate is refused after the handshake, and only who reads the bare
 * connection is told why.
 *
 * @returns a code of what went wrong; null where the other side said hello too
 */
function helloFault(host: string, port: number, tls: ConnectionOptions | null): Promise<string | null> {
  return new Promise((resolve) => {
    let socket: Socket;
    try {
      const name = isIP(host) === 0 ? { servername: host } : {};
      socket = tls ? connectTls({ host, port, ALPNProtocols: ['h2'], ...name, ...tls }) : connectTcp({ host, port });
    } catch (error) {
      return resolve(`own:${error instanceof Error ? error.message : String(error)}`);
    }
    const end = (code: string | null): void => {
      socket.destroy();
      resolve(code);
    };
    socket.setTimeout(KNOCK_MS, () => end('silent'));
    socket.once(tls ? 'secureConnect' : 'connect', () => socket.write(HELLO));
    socket.once('data', (data: Buffer) => end(data[3] === SETTINGS ? null : 'closed'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(`${error.code ?? ''} ${error.message}`));
    socket.once('close', () => end('closed'));
  });
}

/** OpenSSL's and Node's words for what can be wrong with certificates → ours. */
function tlsFault(code: string, host: string, hasPair: boolean): [why: string, advice: string] {
  const ca = 'Name the authority: TEMPORAL_TLS_SERVER_CA_CERT_PATH, or server_ca_cert_path of the profile.';
  const own = 'Check TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH, or the same in the profile.';
  const table: [RegExp, string, string][] = [
    [/CERT_HAS_EXPIRED/, 'its certificate has expired', 'Whoever runs the server has to renew it.'],
    [
      /ERR_TLS_CERT_ALTNAME_INVALID/,
      `its certificate is for another name than ${host}`,
      'Check the address; behind a proxy: TEMPORAL_TLS_SERVER_NAME, or server_name of the profile.',
    ],
    [/UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|UNTRUSTED/, 'its certificate is of an authority that is not trusted here', ca],
    [
      /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/i,
      'it does not speak TLS',
      'Leave TLS and TEMPORAL_API_KEY out, or take the port that has TLS.',
    ],
    [/CERTIFICATE_REQUIRED/i, 'it asks for a client certificate, and none is configured', own],
    [/ALERT|UNKNOWN_CA|BAD_CERTIFICATE|HANDSHAKE_FAILURE/i, 'it refuses our client certificate', own],
    [/^own:/, 'the configured certificate or key cannot be used', own],
  ];
  const [, why, advice] = table.find(([pattern]) => pattern.test(code)) ?? [];
  // Some servers close without a word of why.
  const guess = hasPair
    ? 'it ends the connection when it has our client certificate, and so most likely refuses it'
    : `it ends the TLS connection (${code}); perhaps it wants a client certificate`;
  return [why ?? guess, advice ?? own];
}
