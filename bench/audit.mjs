/**
 * `npm run bench:audit [-- --entries N]`: what the audit log costs. Verification against reading the same lines with
 * nothing but SHA-256 and JSON.parse, a durable append against a bare write and fdatasync of the same bytes, both in turns on
 * the same machine; and the memory that verification takes of a short log and of a long one. It never fails for being slow.
 */
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { median } from './report.mjs';

const require = createRequire(import.meta.url);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = process.env.BENCH_DIST ?? join(root, 'dist');
if (!existsSync(join(dist, 'audit'))) throw new Error('There is no dist/audit: run `npm run build` first.');
const room = (name) => require(join(dist, name));

const { appendEntries, lastMirrored } = room('audit/append.js');
const { chain, EMPTY, nextLine, headAfter } = room('audit/chain.js');
const { SegmentWriter } = room('audit/segment-writer.js');
const { verifyLog } = room('audit/verify.js');
const { checkData } = (() => {
  try {
    return room('audit/events.js');
  } catch {
    return {};
  }
})();
const { workspaceLayout } = room('store/layout.js');

const ID = { plan: 'plan-0a1b2c3d', log: 'planwright/default/plan-0a1b2c3d' };
const SEGMENT_BYTES = 64 * 1024 * 1024;
const digest = (text) => createHash('sha256').update(text).digest('hex');

/** Milliseconds of processor time of this process: other work on the machine does not count. */
function spent() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** An entry as most are: a file that was written. */
function entry(index) {
  return {
    run: '0198f7aa-0000-7000-8000-000000000001',
    eventId: index + 1,
    at: new Date(Date.UTC(2026, 10, 21) + index).toISOString(),
    event: 'file.written',
    actor: { kind: 'worker', id: 'worker@host', auth: 'process' },
    data: {
      task: `task-${index % 50}`,
      path: `deploy/service-${index}.yml`,
      action: 'create',
      sha256: digest(String(index)),
      bytes: 1000 + (index % 977),
      preSha256: null,
      mode: '0644',
      backup: null,
    },
  };
}

function workspace() {
  const folder = mkdtempSync(join(tmpdir(), 'planwright-bench-audit-'));
  return { folder, layout: workspaceLayout(folder), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

async function writeLog(layout, count) {
  const folder = join(layout.audit, ID.plan);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const writer = new SegmentWriter(folder, SEGMENT_BYTES);
  let head = EMPTY;
  for (let index = 0; index < count; index += 1) {
    const line = nextLine(head, ID.log, entry(index));
    await writer.write(line.bytes);
    head = headAfter(line.entry);
  }
  return (await writer.close()).map((name) => join(folder, name));
}

async function verify(layout, count) {
  const started = spent();
  const { levels, head } = await verifyLog(layout, ID, { state: null, checkData });
  if (levels.structure.state !== 'held' || head.size !== count) throw new Error('the log does not hold');
  return spent() - started;
}

/** The least that any reader does with the same lines: hash and parse. */
function readBarely(files) {
  const started = spent();
  for (const file of files) {
    for (const line of readFileSync(file, 'utf8').split('\n')) if (line !== '') JSON.parse(line) && digest(line);
  }
  return spent() - started;
}

async function rates(count) {
  const { layout, remove } = workspace();
  try {
    const files = await writeLog(layout, count);
    const [ours, bare] = [[], []];
    for (let round = 0; round < 5; round += 1) {
      ours.push(await verify(layout, count));
      bare.push(readBarely(files));
    }
    const perSecond = Math.round(count / (median(ours) / 1000));
    return [
      `verification, strict, one thread      ${perSecond} entries a second of processor time (aim 80000)`,
      `  against hashing and parsing alone    x ${(median(ours) / median(bare)).toFixed(2)}`,
    ];
  } finally {
    remove();
  }
}

/** Peak memory, in MB, of a process that verifies a log of so many entries, and how long it took. */
async function memory(count) {
  const { folder, layout, remove } = workspace();
  try {
    await writeLog(layout, count);
    const child = fork(fileURLToPath(import.meta.url), ['--child', folder, String(count)]);
    return await new Promise((resolve, reject) => {
      child.on('message', resolve);
      child.on('exit', (code) => code !== 0 && reject(new Error(`the process ended with ${code}`)));
    });
  } finally {
    remove();
  }
}

async function child(folder, count) {
  const took = await verify(workspaceLayout(folder), count);
  process.send({ megabytes: process.resourceUsage().maxRSS / 1024, seconds: took / 1000 });
}

/**
 * Medians in milliseconds: an append of `batch` new entries, the same bytes written and synced barely, and the same again with
 * the sync in the pool of threads, as everyone must who has something else to do meanwhile.
 */
async function appends(batch, rounds) {
  const { folder, layout, remove } = workspace();
  const bare = openSync(join(folder, 'bare'), 'w');
  const took = { ours: [], bare: [], pool: [] };
  try {
    let head = EMPTY;
    for (let round = 0; round < rounds; round += 1) {
      const from = Math.max(0, round * batch - 1);
      const entries = Array.from({ length: (round + 1) * batch - from }, (_, index) => entry(from + index));
      const { lines, head: after } = chain(head, ID.log, entries.slice(round === 0 ? 0 : 1));
      const bytes = Buffer.concat(lines.map((line) => Buffer.concat([line.bytes, Buffer.of(10)])));
      head = after;
      let started = performance.now();
      await appendEntries(layout, ID, entries);
      took.ours.push(performance.now() - started);
      started = performance.now();
      writeSync(bare, bytes);
      fdatasyncSync(bare);
      took.bare.push(performance.now() - started);
      started = performance.now();
      writeSync(bare, bytes);
      await promisify(fdatasync)(bare);
      took.pool.push(performance.now() - started);
    }
    const last = await lastMirrored(layout, ID.plan);
    if (last.seq !== rounds * batch - 1) throw new Error('entries are missing');
    return { ours: median(took.ours), bare: median(took.bare), pool: median(took.pool) };
  } finally {
    closeSync(bare);
    remove();
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { entries: { type: 'string', default: '1000000' }, child: { type: 'boolean' } },
  });
  if (values.child) return child(positionals[0], Number(positionals[1]));
  const long = Number(values.entries);
  for (const line of await rates(100_000)) console.log(line);
  for (const batch of [1, 8, 64]) {
    const { ours, bare, pool } = await appends(batch, 300);
    const [a, b, c] = [ours, bare, pool].map((value) => value.toFixed(2));
    console.log(
      `durable append of ${String(batch).padStart(2)}                  x ${(ours / bare).toFixed(2)} of a bare fdatasync (${a} ms, ${b} ms; ${c} ms in the pool)`,
    );
  }
  for (const count of [10_000, long]) {
    const { megabytes, seconds } = await memory(count);
    console.log(
      `verification of ${String(count).padStart(9)} entries     ${Math.round(megabytes)} MB at most, ${seconds.toFixed(1)} s`,
    );
  }
}

await main();
