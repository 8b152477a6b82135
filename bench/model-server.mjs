/**
 * An OpenAI-compatible server in a process of its own: it answers what `descriptionOf` asks for, after the latency
 * that stands in the prompt. `GET /calls` tells when each question came (ms since 1970).
 */
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { askedFor, contentOf } from './shapes.mjs';

const calls = [];

function answer(body) {
  const { messages } = JSON.parse(body);
  const asked = askedFor(messages.map(({ content }) => content).join('\n'));
  calls.push({ at: Date.now(), task: asked?.id ?? null, tag: asked?.tag ?? null });
  const bytes = Number(process.env.BENCH_FILE_BYTES) || undefined;
  const files = asked ? [{ path: asked.path, content: contentOf(asked.id, asked.tag, bytes) }] : [];
  return {
    latencyMs: asked?.latencyMs ?? 0,
    text: JSON.stringify({
      id: `chatcmpl-${calls.length}`,
      object: 'chat.completion',
      created: 1,
      model: 'bench-1',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: JSON.stringify({ files, summary: 'Wrote it.' }), refusal: null },
          finish_reason: 'stop',
          logprobs: null,
        },
      ],
      usage: { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 },
    }),
  };
}

function serve() {
  const server = createServer((request, response) => {
    if (request.method === 'GET') return response.end(JSON.stringify(calls));
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { latencyMs, text } = answer(Buffer.concat(chunks).toString('utf8'));
      setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(text), latencyMs);
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}`));
  // Its parent is gone: so is its purpose.
  process.on('disconnect', () => process.exit(0));
}

/** Starts it. @returns `{ url, calls(), close() }`; `url` ends in /v1 */
export async function startModelServer(env = {}) {
  const child = fork(fileURLToPath(import.meta.url), ['--serve'], { env: { ...process.env, ...env } });
  const base = await new Promise((resolve, reject) => {
    child.once('message', resolve).once('error', reject);
    child.once('exit', () => reject(new Error('the model server of the bench ended at once')));
  });
  return {
    url: `${base}/v1`,
    calls: async () => (await fetch(`${base}/calls`)).json(),
    close: () => child.kill(),
  };
}

if (process.argv.includes('--serve')) serve();
