import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogId } from '../../../audit/append';
import { chain, EMPTY } from '../../../audit/chain';
import { leafHashOf } from '../../../audit/entry';
import type { ProjectedEntry } from '../../../audit/types';
import { type WorkspaceLayout, workspaceLayout } from '../../../store/layout';
import { randomFrom } from '../../support/random';

export const ID: LogId = { plan: 'plan-0a1b2c3d', log: 'planwright/default/plan-0a1b2c3d' };

const RUNS = ['0198f7aa-0000-7000-8000-000000000001', '0198f7aa-0000-7000-8000-000000000002'];
const EVENTS = [
  'plan.created',
  'llm.called',
  'verification.done',
  'gate.opened',
  'file.written',
  'task.completed',
] as const;

/**
 * What a projection of a history of two runs could be: several entries of some events, words beyond ASCII, and nothing
 * of a domain that a log would have to know.
 */
export function projection(count: number, seed = 1): ProjectedEntry[] {
  const random = randomFrom(seed);
  const entries: ProjectedEntry[] = [];
  let eventId = 1;
  for (let index = 0; index < count; index += 1) {
    const run = RUNS[index < count / 2 ? 0 : 1] ?? '';
    if (entries.at(-1)?.run !== run) eventId = 1;
    else if (random.next() < 0.7) eventId += random.between(1, 5);
    entries.push({
      run,
      eventId,
      at: new Date(Date.UTC(2026, 10, 21) + index * 1000).toISOString(),
      event: index === 0 ? 'plan.created' : random.pick(EVENTS),
      actor: { kind: 'user', id: 'ana', auth: 'claimed' },
      data: {
        path: `deploy/${index}.yml`,
        sha256: random.next().toString(16).slice(2).padEnd(64, '0'),
        weight: random.next() * 1e6,
        why: random.pick(['', 'too wide', 'größer — 大', 'tab\there', '\u2028']),
        tokens: { prompt: random.between(0, 9000), kept: random.pick([true, false, null]) },
      },
    });
  }
  return entries;
}

/** A workspace in a temporary directory, with one plan's log. */
export class Logs {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'planwright-audit-')));
  /** The user's state directory. */
  readonly state = join(this.root, 'state');
  readonly layout: WorkspaceLayout = workspaceLayout(this.root);
  readonly folder = join(this.layout.audit, ID.plan);

  file(name: string): string {
    return join(this.folder, name);
  }

  /** Of all segments together. */
  bytes(): Buffer {
    return Buffer.concat(this.segments().map((name) => readFileSync(this.file(name))));
  }

  lines(): string[] {
    return this.bytes().toString('utf8').split('\n').slice(0, -1);
  }

  segments(): string[] {
    return readdirSync(this.folder)
      .filter((name) => /^\d+\.jsonl$/.test(name))
      .sort();
  }

  put(content: string | Buffer, name = '000001.jsonl'): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    writeFileSync(this.file(name), content, { mode: 0o600 });
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The same entries, as a history gives them. */
export async function* historyOf(entries: readonly ProjectedEntry[]): AsyncGenerator<ProjectedEntry> {
  yield* entries;
}

export function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

/** A line (its bytes as latin1) whose body is spelt otherwise, with the hash that belongs to it: what someone can do who knows the format. */
export function respelt(line: string, change: (body: string) => string): Buffer {
  const body = Buffer.from(change(line.slice('{"body":'.length, -75)), 'latin1');
  return Buffer.concat([Buffer.from('{"body":'), body, Buffer.from(`,"hash":"${leafHashOf(body)}"}`)]);
}

/** A log whose entry `at` says something else, with every hash from there on made to fit. */
export function rewritten(entries: readonly ProjectedEntry[], at: number): string[] {
  const changed = entries.map((entry, index) => (index === at ? { ...entry, data: { path: 'forged' } } : entry));
  return chain(EMPTY, ID.log, changed).lines.map(({ bytes }) => bytes.toString('utf8'));
}
