/**
 * `planwright codec-server`: Temporal's remote codec protocol (POST /encode and /decode, a list of payloads as JSON, the
 * namespace in a header), for the web UI and the command line of Temporal. It logs who asked and how much, never what.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { z } from 'zod';
import { PlanwrightError, UnreachableError, UsageError } from '../plan/errors';
import { codecsOf } from '../store/codec/codecs';
import type { KeyRing } from '../store/codec/keys';
import { sealOf } from '../store/codec/seal';
import { readKeyFile } from '../store/key-file';
import type { PlainPayload } from '../store/large-payloads';

/** A page of a history with large payloads has a few megabytes. */
const MOST_BYTES = 16 * 1024 * 1024;
const MOST_PAYLOADS = 5_000;
const TOKEN = 'PLANWRIGHT_CODEC_TOKEN';
const LEAST_TOKEN = 16;
/** Names the plan that /encode seals for: Temporal's protocol has no place for it. */
const WORKFLOW_HEADER = 'x-planwright-workflow';

const bodySchema = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), z.base64()).default({}), data: z.base64().default('') }))
    .max(MOST_PAYLOADS),
});

export interface CodecServerOptions {
  host: string;
  port: number;
  keys: KeyRing | null;
  /** Null: whoever reaches the address. */
  token: string | null;
  /** Origins whose pages may ask; exact. */
  origins: readonly string[];
  namespaces: readonly string[];
  /** Where log lines go; stdout unless told. */
  log?: { info(fields: object, message: string): void };
}

/** A refusal, with its HTTP status. Its message is all that the other side learns. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/** @throws UsageError where there is no token, unless nobody but this machine can reach the address and that is wanted */
export function serverToken(
  env: NodeJS.ProcessEnv,
  root: string | null,
  { host, tokenFile, noAuth }: { host: string; tokenFile: string | null; noAuth: boolean },
): string | null {
  const token = tokenFile ? readKeyFile(tokenFile, root) : env[TOKEN] || null;
  if (token !== null && noAuth) throw new UsageError('--no-auth and a token are both given.', 'Leave one of them out.');
  if (token !== null && token.length < LEAST_TOKEN) {
    throw new UsageError(
      `The codec server's token is shorter than ${LEAST_TOKEN} characters.`,
      'Make one: openssl rand -hex 32',
    );
  }
  if (token !== null || (noAuth && isLoopback(host))) return token;
  throw new UsageError(
    noAuth ? `--no-auth is for a loopback address, and ${host} is none.` : 'The codec server needs a token.',
    `Give --token-file FILE or set ${TOKEN}; or, for yourself alone on this machine, --no-auth with --listen 127.0.0.1:PORT.`,
  );
}

/** @throws UsageError without keys; UnreachableError where it cannot listen there */
export async function codecServer(options: CodecServerOptions): Promise<{ url: string; close(): Promise<void> }> {
  const { keys, host, port, log = pino({ base: { pid: process.pid } }) } = options;
  if (!keys) {
    throw new UsageError(
      'There are no keys: nothing could be decoded.',
      'Set PLANWRIGHT_CODEC_KEY_FILE. See docs/encryption.md.',
    );
  }
  const server = createServer((request, response) => {
    void answer(request, response, { ...options, keys }).then((line) => log.info(line, 'codec'));
  });
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(new UnreachableError(`${host}:${port} cannot be listened on: ${cause.code}.`, 'Choose another --listen.')),
    );
    server.listen(port, host, resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Serving = CodecServerOptions & { keys: KeyRing };

/** Answers one request. @returns what is logged of it */
async function answer(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<object> {
  const { method = '' } = request;
  const path = (request.url ?? '').split('?')[0] ?? '';
  const line = { method, path: path.slice(0, 40), from: request.socket.remoteAddress };
  const send = (status: number, body: object | null): void => {
    // What was refused may still be on its way: nothing else is to come over the same connection.
    const last = status >= 400 ? { connection: 'close' } : {};
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...last });
    response.end(body ? JSON.stringify(body) : undefined);
  };
  try {
    allowOrigin(request, response, serving.origins);
    if (method === 'OPTIONS') {
      send(204, null);
      return { ...line, status: 204 };
    }
    const verb = path.endsWith('/decode') ? 'decode' : path.endsWith('/encode') ? 'encode' : null;
    if (method !== 'POST' || verb === null) throw new Refusal(404, 'There are POST /encode and POST /decode.');
    authorise(request, serving.token);
    const namespace = namespaceOf(request, serving.namespaces);
    const payloads = await readPayloads(request);
    const done =
      verb === 'decode'
        ? await decode(payloads, namespace, serving.keys)
        : await encode(payloads, namespace, request, serving.keys);
    send(200, { payloads: done.map(toJson) });
    return { ...line, namespace, payloads: payloads.length, status: 200 };
  } catch (error) {
    const known =
      error instanceof Refusal ? error : error instanceof PlanwrightError ? new Refusal(400, error.message) : null;
    if (!response.headersSent) send(known?.status ?? 500, { message: known?.message ?? 'The codec server failed.' });
    // The message of an error that we do not know may quote what it choked on.
    return {
      ...line,
      status: known?.status ?? 500,
      why: known?.message ?? (error instanceof Error ? error.name : 'unknown'),
    };
  }
}

/** A page of another origin is refused, whatever it asks: with --no-auth that is all that keeps a foreign website out. */
function allowOrigin({ headers }: IncomingMessage, response: ServerResponse, origins: readonly string[]): void {
  response.setHeader('vary', 'Origin');
  const { origin } = headers;
  if (origin === undefined) return;
  if (!origins.includes(origin)) throw new Refusal(403, 'Pages of this origin may not ask; see --origin.');
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-methods', 'POST, OPTIONS');
  response.setHeader('access-control-allow-headers', 'content-type, authorization, x-namespace, x-planwright-workflow');
  response.setHeader('access-control-allow-credentials', 'true');
}

/** Compares digests, so that neither the length nor a common beginning of the token shows in the time it takes. */
function authorise({ headers }: IncomingMessage, token: string | null): void {
  if (token === null) return;
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const given = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
  if (!timingSafeEqual(digest(given), digest(token))) throw new Refusal(401, 'The token is missing or another one.');
}

function namespaceOf({ headers }: IncomingMessage, namespaces: readonly string[]): string {
  const given = headers['x-namespace'];
  if (typeof given !== 'string' || given === '') throw new Refusal(400, 'The header X-Namespace is missing.');
  if (!namespaces.includes(given)) throw new Refusal(403, 'This namespace is not served; see --namespaces.');
  return given;
}

async function readPayloads(request: IncomingMessage): Promise<PlainPayload[]> {
  if (!(request.headers['content-type'] ?? '').startsWith('application/json'))
    throw new Refusal(415, 'Send application/json.');
  const tooMuch = new Refusal(413, `More than ${MOST_BYTES} bytes at once.`);
  if (Number(request.headers['content-length'] ?? 0) > MOST_BYTES) throw tooMuch;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MOST_BYTES) throw tooMuch;
    chunks.push(bytes);
  }
  const parsed = bodySchema.safeParse(parseJson(Buffer.concat(chunks).toString('utf8')));
  if (!parsed.success) throw new Refusal(400, `No list of at most ${MOST_PAYLOADS} payloads.`);
  return parsed.data.payloads.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')])),
    data: Buffer.from(data, 'base64'),
  }));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * What cannot be opened comes back as it is, and what was never sealed as well (search attributes are among what the UI sends): the
 * others shall still be read. That is for looking only; workers and commands refuse both.
 */
async function decode(payloads: readonly PlainPayload[], namespace: string, keys: KeyRing): Promise<PlainPayload[]> {
  const codecs = codecsOf(keys, namespace).reverse();
  const one = async (payload: PlainPayload): Promise<PlainPayload> => {
    if (sealOf(payload)?.namespace !== namespace) return payload;
    let opened = [payload];
    for (const codec of codecs) opened = await codec.decode(opened);
    return opened[0] ?? payload;
  };
  return Promise.all(payloads.map((payload) => one(payload).catch(() => payload)));
}

async function encode(
  payloads: PlainPayload[],
  namespace: string,
  { headers }: IncomingMessage,
  keys: KeyRing,
): Promise<PlainPayload[]> {
  const workflowId = headers[WORKFLOW_HEADER];
  if (typeof workflowId !== 'string' || workflowId === '') {
    throw new Refusal(400, 'Name the plan that it is for: --codec-header X-Planwright-Workflow=<plan>.');
  }
  let sealed = payloads;
  for (const codec of codecsOf(keys, namespace)) sealed = await codec.encode(sealed, { namespace, workflowId });
  return sealed;
}

const toJson = ({ metadata, data }: PlainPayload): object => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});
