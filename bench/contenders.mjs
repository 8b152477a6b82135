/**
 * Who carries out the same tasks: Planwright, and the yardsticks. A contender has a `name`, `carryOut(tasks, latencyMs,
 * tag)`, which gives milliseconds, and `close()`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Installation, ROOT } from './installation.mjs';
import { descriptionOf } from './shapes.mjs';

const require = createRequire(import.meta.url);

export function planwright(options) {
  const installation = new Installation(options);
  return {
    name: 'planwright',
    installation,
    carryOut: (...args) => installation.carryOut(...args),
    close: () => installation.close(),
  };
}

/** Asks the model with the HTTP client of the product, and writes the file: what one task costs without an engine. */
function bareTask(url, folder) {
  const { OpenAI } = require('openai');
  const client = new OpenAI({ apiKey: 'sk-bench', baseURL: url, maxRetries: 0 });
  // About as long as the product's prompt for these tasks.
  const system = 'You write files for a project. Answer with JSON. '.repeat(80);
  return async (task, latencyMs, tag) => {
    const answer = await client.chat.completions.create({
      model: 'bench-1',
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: descriptionOf(task, latencyMs, tag) },
      ],
    });
    const { files } = JSON.parse(answer.choices[0].message.content);
    for (const { path, content } of files) await writeFile(join(folder, path), content);
  };
}

function scratch(name) {
  const folder = mkdtempSync(join(tmpdir(), `planwright-bench-${name}-`));
  mkdirSync(join(folder, '.github', 'workflows'), { recursive: true });
  return folder;
}

/** Plain promises: nothing is durable, nothing is verified. The floor. */
export function promises({ url }) {
  const folder = scratch('promises');
  const perform = bareTask(url, folder);
  return {
    name: 'promises',
    async carryOut(tasks, latencyMs, tag) {
      const started = performance.now();
      const done = new Map();
      for (const task of tasks) {
        const before = Promise.all(task.deps.map((dep) => done.get(dep)));
        done.set(
          task.id,
          before.then(() => perform(task, latencyMs, tag)),
        );
      }
      await Promise.all(done.values());
      return performance.now() - started;
    },
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** LangGraph JS with its SQLite checkpointer. Throws Error where it cannot be installed. */
export async function langgraph({ url, note }) {
  installYardsticks(note);
  const { Annotation, END, START, StateGraph } = await import('@langchain/langgraph');
  const { SqliteSaver } = await import('@langchain/langgraph-checkpoint-sqlite');
  const folder = scratch('langgraph');
  const perform = bareTask(url, folder);
  const saver = SqliteSaver.fromConnString(join(folder, 'checkpoints.db'));
  const State = Annotation.Root({ done: Annotation({ reducer: (a, b) => a.concat(b), default: () => [] }) });
  return {
    name: 'langgraph',
    async carryOut(tasks, latencyMs, tag) {
      const graph = new StateGraph(State);
      const needed = new Set(tasks.flatMap(({ deps }) => deps));
      for (const task of tasks) {
        graph.addNode(task.id, async () => {
          await perform(task, latencyMs, tag);
          return { done: [task.id] };
        });
      }
      for (const { id, deps } of tasks) {
        if (deps.length > 1) graph.addEdge(deps, id);
        else graph.addEdge(deps[0] ?? START, id);
        if (!needed.has(id)) graph.addEdge(id, END);
      }
      const compiled = graph.compile({ checkpointer: saver });
      const started = performance.now();
      const state = await compiled.invoke({ done: [] }, { configurable: { thread_id: tag }, recursionLimit: 10_000 });
      const took = performance.now() - started;
      if (state.done.length !== tasks.length)
        throw new Error(`LangGraph did ${state.done.length} of ${tasks.length} tasks`);
      return took;
    },
    close: async () => {
      saver.db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function installYardsticks(note) {
  const folder = join(ROOT, 'bench');
  if (existsSync(join(folder, 'node_modules', '@langchain', 'langgraph-checkpoint-sqlite'))) return;
  note('installing LangGraph JS into bench/node_modules (once) …');
  const npm = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], {
    cwd: folder,
    encoding: 'utf8',
    // Its SQLite is compiled where no binary fits.
    timeout: 10 * 60_000,
  });
  if (npm.status !== 0) throw new Error(`npm install failed: ${(npm.stderr ?? String(npm.error)).trim().slice(-500)}`);
}

/** The same plan, worker and command, on a `start-dev` server as it comes (but with its database in a file, as ours). */
export async function untuned({ url, temporal }) {
  const folder = mkdtempSync(join(tmpdir(), 'planwright-bench-untuned-'));
  const port = await freePort();
  const attributes = ['PlanState=Keyword', 'PlanRisk=Keyword', 'PlanWorkspace=Keyword', 'PlanWaitingSince=Datetime'];
  const server = spawn(
    temporal,
    [
      ...['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'error'],
      ...['--db-filename', join(folder, 'temporal.db'), '--namespace', 'planwright'],
      ...attributes.flatMap((attribute) => ['--search-attribute', attribute]),
    ],
    { stdio: 'ignore' },
  );
  const globals = ['--address', `127.0.0.1:${port}`, '--namespace', 'planwright'];
  const installation = new Installation({ url, temporal, globals });
  let worker = null;
  const close = async () => {
    worker?.kill('SIGTERM');
    if (worker) await Promise.race([new Promise((resolve) => worker.once('close', resolve)), sleep(10_000)]);
    installation.globals = [];
    await installation.close();
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    worker = await listeningWorker(installation);
  } catch (error) {
    await close();
    throw error;
  }
  return { name: 'untuned', installation, carryOut: (...args) => installation.carryOut(...args), close };
}

/** Starts a worker in the foreground; again while the server is not up yet. */
async function listeningWorker(installation) {
  for (let attempt = 1; ; attempt++) {
    const worker = installation.spawn(['worker']);
    let said = '';
    const listens = await new Promise((resolve) => {
      for (const stream of [worker.stdout, worker.stderr]) {
        stream.on('data', (data) => {
          said += said.length < 10_000 ? data : '';
          if (/listens for/.test(said)) resolve(true);
        });
      }
      worker.once('close', () => resolve(false));
    });
    if (listens) return worker;
    if (attempt === 20) throw new Error(`the worker on the untuned server does not start: ${said.slice(-500)}`);
    await sleep(500);
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
