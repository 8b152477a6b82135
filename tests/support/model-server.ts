/**
 * An OpenAI-compatible server for tests: `POST /v1/chat/completions`, streamed where it is asked to. It counts calls,
 * answers by script or by its defaults, and fails on demand. Alone: compile, then `node dist/tests/support/model-server.js`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/** A question as it came. `task` is the skill or schema that it is about. */
export interface ModelCall {
  at: number;
  schemaName: string;
  /** For `generated_files`: the skill that the prompt names; null where none of the known ones is named. */
  skill: string | null;
  system: string;
  user: string;
  body: Record<string, unknown>;
  headers: IncomingMessage['headers'];
  /** Path with query, as it was asked for. */
  path: string;
  /** When the answer was sent; null: not (yet). */
  answeredAt: number | null;
}

/** What to do with one call. Without any of these the default answer is given. */
export interface ModelReply {
  /** The answer's text, or a value that is sent as JSON. */
  content?: unknown;
  status?: number;
  headers?: { [name: string]: string };
  /** Body of the answer, with `status`; an OpenAI error with this text where it is a string. */
  error?: string | { [key: string]: unknown };
  finishReason?: string;
  refusal?: string;
  /** No choice in the answer. */
  empty?: boolean;
  /** Never answers. */
  hang?: boolean;
  /** Sends the headers and the begin of a body, then never goes on. */
  stall?: boolean;
  /** Closes the connection without an answer. */
  close?: boolean;
  /** Sends this instead of a completion, with `status` or 200. */
  body?: string;
  latencyMs?: number;
  /** Members of the message besides its content, such as `reasoning_content` or `tool_calls`; `content: null` empties it. */
  message?: { [name: string]: unknown };
  /** Members of the answer in the place of the usual ones; `usage: undefined` leaves it out. */
  envelope?: { [name: string]: unknown };
  /** How a stream is cut into pieces of bytes; the usual cut is one event a piece. */
  pieceBytes?: number;
  /** Milliseconds between two pieces. */
  pieceMs?: number;
  /** Lines that stand before each event, such as comments. */
  comment?: string;
  /** Ends the stream after this many events, without `[DONE]`: by its end, or by closing the connection. */
  cut?: { after: number; how: 'end' | 'close' };
  /** Sends the stream's events as they are, in the place of the answer's. */
  events?: string[];
  /** Called before each piece of a stream but the first. */
  beforePiece?: () => Promise<void>;
  gzip?: boolean;
}

export interface ModelServerOptions {
  port?: number;
  latencyMs?: number;
  /** Replies in order, each used once, before `reply` and the defaults. */
  script?: ModelReply[];
  /** Replies by call; undefined: the default. */
  reply?: (call: ModelCall, number: number) => ModelReply | undefined;
  /** Key that must be sent; otherwise 401. */
  apiKey?: string;
  jsonSchema?: boolean;
  jsonObject?: boolean;
  temperature?: boolean;
  seed?: boolean;
  /** false: `stream` is refused; "ignored": the answer comes in one piece all the same. */
  stream?: boolean | 'ignored';
  streamOptions?: boolean;
  maxCompletionTokens?: boolean;
  maxTokens?: boolean;
  /** Path below which it answers; `/v1` unless told. */
  base?: string;
  model?: string;
}

export interface ModelServer {
  /** Base URL, with `/v1`. */
  url: string;
  calls: ModelCall[];
  /** Replaces `options.reply` from now on. */
  reply?: ModelServerOptions['reply'];
  /** Appends replies to the script. */
  push(...replies: ModelReply[]): void;
  close(): Promise<void>;
}

export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const calls: ModelCall[] = [];
  const script = [...(options.script ?? [])];
  const sockets = new Set<Socket>();
  let made: ModelServer | undefined;
  const server = createServer((request, response) => {
    answer(request, response, { ...options, reply: made?.reply }, calls, script).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  made = {
    reply: options.reply,
    url: `http://127.0.0.1:${portOf(server)}${options.base ?? '/v1'}`,
    calls,
    push: (...replies) => {
      script.push(...replies);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return made;
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ModelServerOptions,
  calls: ModelCall[],
  script: ModelReply[],
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const { pathname } = new URL(request.url ?? '/', 'http://host');
  if (request.method !== 'POST' || pathname !== `${options.base ?? '/v1'}/chat/completions`) {
    return send(response, 404, { error: { message: `no such path: ${request.url}` } });
  }
  const body: Record<string, unknown> = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  const call = callOf(body, request);
  calls.push(call);
  const reply = script.shift() ?? options.reply?.(call, calls.length) ?? {};
  const latency = reply.latencyMs ?? options.latencyMs ?? 0;
  if (latency > 0) await new Promise((resolve) => setTimeout(resolve, latency));
  const refused = refusal(body, request.headers, options);
  if (refused) return send(response, refused.status, { error: refused.error });
  if (reply.hang) return;
  if (reply.close) return void response.destroy();
  if (reply.stall) return void response.writeHead(200, { 'content-type': 'application/json' }).write('{"id":"x"');
  if (reply.body !== undefined) return sendText(response, reply.status ?? 200, reply.body, reply.headers);
  if (reply.status !== undefined && reply.status >= 400) {
    const error = typeof reply.error === 'object' ? reply.error : { message: reply.error ?? `status ${reply.status}` };
    return send(response, reply.status, { error }, reply.headers);
  }
  const whole = completion(call, reply, options, calls.length);
  call.answeredAt = Date.now();
  if (body.stream === true && options.stream !== 'ignored') return sendStream(response, body, whole, reply);
  if (!reply.gzip) return send(response, 200, whole, reply.headers);
  response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
  response.end(gzipSync(JSON.stringify(whole)));
}

/** The answer as chunks: the head, the message in pieces of forty characters or five hundred pieces, the finish reason, and the usage where it was asked for. */
function eventsOf(whole: Completion, withUsage: boolean): string[] {
  const { choices, usage, ...head } = whole;
  const chunk = (rest: object): string => JSON.stringify({ ...head, object: 'chat.completion.chunk', ...rest });
  const delta = (message: object, finish_reason: string | null = null): string =>
    chunk({ choices: [{ index: 0, delta: message, finish_reason }] });
  const [choice] = choices;
  const events = [];
  if (choice) {
    const { content, ...others } = choice.message;
    events.push(delta({ role: 'assistant', ...others }));
    const size = Math.max(40, Math.ceil((content?.length ?? 0) / 500));
    for (const piece of content?.match(new RegExp(`[\\s\\S]{1,${size}}`, 'gu')) ?? [])
      events.push(delta({ content: piece }));
    events.push(delta({}, choice.finish_reason));
  }
  if (withUsage && usage !== undefined) events.push(chunk({ choices: [], usage }));
  return events;
}

async function sendStream(
  response: ServerResponse,
  body: Record<string, unknown>,
  whole: Completion,
  reply: ModelReply,
): Promise<void> {
  const all = reply.events ?? eventsOf(whole, JSON.stringify(body.stream_options ?? '').includes('include_usage'));
  const events = reply.cut ? all.slice(0, reply.cut.after) : [...all, ...(reply.events ? [] : ['[DONE]'])];
  const texts = events.map((event) => `${reply.comment ?? ''}data: ${event}\n\n`);
  const bytes = Buffer.from(texts.join(''));
  const pieces = reply.pieceBytes ? cutUp(bytes, reply.pieceBytes) : texts.map((text) => Buffer.from(text));
  const type = { 'content-type': 'text/event-stream; charset=utf-8', ...reply.headers };
  response.on('error', () => undefined);
  if (reply.gzip) {
    response.writeHead(200, { ...type, 'content-encoding': 'gzip' }).end(gzipSync(bytes));
    return;
  }
  response.writeHead(200, type);
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await reply.beforePiece?.();
    if (reply.pieceMs) await new Promise((resolve) => setTimeout(resolve, reply.pieceMs));
    if (response.destroyed) return;
    await new Promise<void>((resolve) => response.write(piece, () => resolve()));
  }
  if (reply.cut?.how === 'close') response.destroy();
  else response.end();
}

function cutUp(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

function callOf(body: Record<string, unknown>, { headers, url: path = '' }: IncomingMessage): ModelCall {
  const messages = Array.isArray(body.messages) ? body.messages : [];
  const text = (role: string): string =>
    messages
      .filter((message) => message?.role === role)
      .map((message) => String(message.content))
      .join('\n');
  const system = text('system');
  const schemaName = /"?(task_graph|generated_files)"?/.exec(
    `${JSON.stringify(body.response_format ?? '')}\n${system}`,
  )?.[1];
  const user = text('user');
  const skill = schemaName === 'generated_files' ? skillIn(system, user) : null;
  const about = { schemaName: schemaName ?? 'unknown', skill, system, user };
  return { at: Date.now(), ...about, body, headers, path, answeredAt: null };
}

function skillIn(system: string, user: string): string | null {
  const scope = /Write only paths that match: (.*)/.exec(system)?.[1] ?? `${system}\n${user}`;
  if (/compose/i.test(scope)) return 'docker-compose';
  if (/\.github/i.test(scope)) return 'github-actions';
  if (/dockerfile/i.test(scope)) return 'dockerfile';
  return /makefile/i.test(scope) ? 'makefile' : null;
}

interface Refusal {
  status: number;
  error: { message: string; code?: string; param?: string };
}

function refusal(
  body: Record<string, unknown>,
  headers: IncomingMessage['headers'],
  options: ModelServerOptions,
): Refusal | null {
  const format = JSON.stringify(body.response_format ?? '');
  if (options.apiKey !== undefined && headers.authorization !== `Bearer ${options.apiKey}`) {
    return {
      status: 401,
      error: { message: `Incorrect API key provided: ${headers.authorization}`, code: 'invalid_api_key' },
    };
  }
  if (options.jsonSchema === false && format.includes('json_schema')) {
    return {
      status: 400,
      error: { message: "'response_format.type' must be 'json_object'", param: 'response_format' },
    };
  }
  if (options.jsonObject === false && format.includes('json_object')) {
    return { status: 400, error: { message: 'response_format is not supported', param: 'response_format' } };
  }
  if (options.temperature === false && 'temperature' in body) {
    return {
      status: 400,
      error: { message: "Unsupported value: 'temperature' does not support it", param: 'temperature' },
    };
  }
  const named = (name: string): Refusal => ({
    status: 400,
    error: { message: `Unrecognized request argument supplied: ${name}`, param: name },
  });
  if (options.stream === false && 'stream' in body) return named('stream');
  if (options.streamOptions === false && 'stream_options' in body) return named('stream_options');
  if (options.maxCompletionTokens === false && 'max_completion_tokens' in body) return named('max_completion_tokens');
  if (options.maxTokens === false && 'max_tokens' in body) return named('max_tokens');
  if (options.seed === false && 'seed' in body)
    return { status: 422, error: { message: 'Extra inputs are not permitted: seed' } };
  return null;
}

interface Completion {
  choices: { index: number; message: { content: string | null }; finish_reason: string | null; logprobs: null }[];
  usage?: unknown;
  [name: string]: unknown;
}

function completion(call: ModelCall, reply: ModelReply, options: ModelServerOptions, number: number): Completion {
  const content = reply.content === undefined ? JSON.stringify(defaultAnswer(call)) : asText(reply.content);
  const message = {
    role: 'assistant',
    content: reply.refusal === undefined ? content : null,
    refusal: reply.refusal ?? null,
    ...reply.message,
  };
  return {
    id: `chatcmpl-test-${number}`,
    object: 'chat.completion',
    created: 1,
    model: options.model ?? 'test-model-1',
    choices: reply.empty ? [] : [{ index: 0, message, finish_reason: reply.finishReason ?? 'stop', logprobs: null }],
    usage: { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 },
    ...reply.envelope,
  };
}

const asText = (content: unknown): string => (typeof content === 'string' ? content : JSON.stringify(content));

/** A plan of three tasks for every goal, and one good file for every skill. */
export function defaultAnswer(call: Pick<ModelCall, 'schemaName' | 'skill'>): unknown {
  if (call.schemaName === 'task_graph') return DEFAULT_GRAPH;
  const file = DEFAULT_FILES[call.skill ?? 'makefile'] ?? DEFAULT_FILES.makefile;
  return { files: [file], summary: `Wrote ${file?.path}.` };
}

const task = (id: string, tool: string, deps: string[]): object => {
  return { id, tool, description: `Write the ${tool} files of this project`, input: '{}', deps };
};

export const DEFAULT_GRAPH = {
  nodes: [task('1', 'github-actions', []), task('2', 'dockerfile', []), task('3', 'docker-compose', ['2'])],
};

export const DEFAULT_FILES: { [skill: string]: { path: string; content: string } } = {
  'github-actions': {
    path: '.github/workflows/ci.yml',
    content: `name: CI
on:
  push:
  pull_request:
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 20
      - run: npm ci
      - run: npm test
`,
  },
  dockerfile: {
    path: 'Dockerfile',
    content: `FROM node:20-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package*.json ./
RUN npm ci --omit=dev
COPY . .
USER node
EXPOSE 3000
CMD ["node", "server.js"]
`,
  },
  'docker-compose': {
    path: 'docker-compose.yml',
    content: `services:
  app:
    build: .
    ports:
      - "127.0.0.1:3000:3000"
    restart: unless-stopped
`,
  },
  makefile: { path: 'Makefile', content: '.PHONY: test\n\ntest:\n\tnpm test\n' },
};

function send(response: ServerResponse, status: number, body: unknown, headers: { [name: string]: string } = {}): void {
  sendText(response, status, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
}

function sendText(
  response: ServerResponse,
  status: number,
  body: string,
  headers: { [name: string]: string } = {},
): void {
  response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(body);
}

if (require.main === module) {
  startModelServer({ port: Number(process.env.PORT ?? 0), latencyMs: Number(process.env.LATENCY_MS ?? 0) }).then(
    ({ url }) => process.stdout.write(`${url}\n`),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exitCode = 1;
    },
  );
}
