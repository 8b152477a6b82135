/**
 * Event histories that were exported: for the day when Temporal has forgotten them. One file for each execution, in the
 * form that `temporal workflow show --output json` prints, so that either can be read by whoever reads the other.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type History, historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils';
import { runOf } from '../../audit/history';
import { UsageError } from '../../plan/errors';
import { replaceFile } from '../../store/durable';
import type { WorkspaceLayout } from '../../store/layout';
import type { PlanHistories } from '../histories';

export interface KeptHistory {
  /** The execution's own id. */
  run: string;
  history: History;
}

/** What became of each execution when it was kept. */
export interface Kept {
  run: string;
  events: number;
  /** Absolute. */
  file: string;
}

const RUN_FILE = /^[\w-]{1,64}\.json$/;

const folderOf = ({ histories }: WorkspaceLayout, plan: string): string => join(histories, plan);

/** Keeps the histories in the workspace, durably. Executions that were kept before and are not among them stay. */
export async function keepHistories(
  layout: WorkspaceLayout,
  plan: string,
  { executions }: PlanHistories,
): Promise<Kept[]> {
  const kept: Kept[] = [];
  for (const { run, history } of executions) {
    const file = join(folderOf(layout, plan), `${run}.json`);
    await replaceFile(file, `${historyToJSON(history)}\n`);
    kept.push({ run, events: history.events?.length ?? 0, file });
  }
  return kept;
}

/** Histories of a plan that were kept in the workspace; none where none were. Errors as `readHistoryFile`. */
export async function keptHistories(layout: WorkspaceLayout, plan: string): Promise<KeptHistory[]> {
  const folder = folderOf(layout, plan);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const files = names.filter((name) => RUN_FILE.test(name)).sort();
  return (await Promise.all(files.map((name) => readHistoryFile(join(folder, name), plan)))).flat();
}

/**
 * What Temporal has of a plan's executions, and before them those that were kept: each leads to the one before it.
 * @param temporal null where it has none, or cannot be asked
 */
export function withKept(temporal: PlanHistories | null, kept: readonly KeptHistory[]): PlanHistories {
  const executions = [...(temporal?.executions ?? [])];
  let missing = temporal ? temporal.missing : (newestOf(kept)?.run ?? null);
  for (let own = runIn(kept, missing); own; own = runIn(kept, missing)) {
    executions.unshift(own);
    const started = own.history.events?.[0]?.workflowExecutionStartedEventAttributes;
    const before = started?.continuedExecutionRunId || null;
    // A file says what it likes: one that leads back to itself would never end.
    missing = executions.some(({ run }) => run === before) ? null : before;
  }
  return { executions, missing };
}

const runIn = (kept: readonly KeptHistory[], run: string | null): KeptHistory | undefined =>
  kept.find((one) => one.run === run);

/** When an execution began, in seconds since the epoch. */
export const startOf = ({ history }: KeptHistory): number =>
  Number(String(history.events?.[0]?.eventTime?.seconds ?? 0));

export function newestOf(kept: readonly KeptHistory[]): KeptHistory | undefined {
  return [...kept].sort((a, b) => startOf(a) - startOf(b)).at(-1);
}

/** All of them as one document, for `readHistoryFile`. */
export function historiesText(histories: readonly KeptHistory[]): string {
  const executions = histories.map(({ history }) => historyToJSON(history));
  return `{"schema":"planwright.histories/1","executions":[${executions.join(',')}]}\n`;
}

/**
 * Reads what `history export --history` wrote, or what `temporal workflow show --output json` printed.
 * @throws UsageError where it is neither, or of another plan
 */
export async function readHistoryFile(path: string, plan: string): Promise<KeptHistory[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The history ${path} cannot be read: ${error.code}.`);
  });
  return documentsIn(text, path).map((document) => {
    const history = parsed(document, path);
    const events = history.events ?? [];
    const started = events[0]?.workflowExecutionStartedEventAttributes;
    const run = runOf(events);
    if (run === '') throw notAHistory(path, 'it does not begin with the start of an execution');
    if (started?.workflowId && started.workflowId !== plan) {
      throw new UsageError(`The history ${path} is of ${started.workflowId}, and not of ${plan}.`);
    }
    return { run, history };
  });
}

function documentsIn(text: string, path: string): unknown[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw notAHistory(path, 'it is no JSON');
  }
  if (typeof document !== 'object' || document === null || !('executions' in document)) return [document];
  if (!Array.isArray(document.executions)) throw notAHistory(path, 'its executions are no list');
  return document.executions;
}

function parsed(document: unknown, path: string): History {
  try {
    return historyFromJSON(document);
  } catch (error) {
    throw notAHistory(path, error instanceof Error ? error.message : String(error));
  }
}

function notAHistory(path: string, why: string): UsageError {
  return new UsageError(
    `${path} is no event history: ${why}.`,
    'Such files are written by `planwright history export --history` and `temporal workflow show --output json`.',
  );
}
