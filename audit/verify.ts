/** Verifies a log in one pass and constant memory, against whatever evidence can be had. */
import { readFile } from 'node:fs/promises';
import type { WorkspaceLayout } from '../store/layout';
import type { LogId } from './append';
import { openCheckpoint } from './checkpoint';
import type { DataCheck } from './entry';
import { CorruptLog } from './errors';
import { type Batch, readLines } from './forward';
import { publicKey } from './key';
import { breakOf, checkLocalData, isLocal } from './local';
import { hasFolder, type LogPaths, logPaths, segmentsOf } from './log-files';
import { verifierKey } from './note';
import { broken, type DeclaredBreak, type Finding, held, type Level, missing, type Report } from './report';
import { Structure } from './structure';
import type { Entry, Head, ProjectedEntry } from './types';
import { FilesOnRecord } from './verify-files';
import { headLevel, type KnownHeads, sizesOf, type Then } from './verify-head';
import { HistoryComparison, type HistoryRange, NO_HISTORY, WHOLE_HISTORY } from './verify-history';
import { readWitness } from './witness';

export interface Evidence {
  /** The user's state directory, with key and witness; null: neither is looked at. */
  state: string | null;
  /** In the workflow's state; null where it cannot be asked. */
  workflowHead?: Head | null;
  /** The projection of the whole event history; null where it cannot be had. */
  history?: AsyncIterable<ProjectedEntry> | null;
  /** What the history tells of; all of it unless told. */
  historyRange?: Partial<HistoryRange>;
  /** Compare the files of the workspace too. */
  files?: boolean;
  /** The rules for each event's `data`. */
  checkData?: DataCheck;
}

/** Verifies one plan's log. What is wrong is told in the report and never thrown; errors of the system are thrown. */
export async function verifyLog(layout: WorkspaceLayout, id: LogId, evidence: Evidence): Promise<Report> {
  const paths = logPaths(layout, id.plan);
  const known = await knownHeads(paths, id.log, evidence);
  const pass = new Pass(id.log, known, evidence);
  try {
    await pass.over(paths, layout);
    return await pass.report(layout);
  } finally {
    await pass.history?.close();
  }
}

class Pass {
  readonly structure: Structure;
  readonly history: HistoryComparison | null;
  /** Null where they are not asked for: it remembers every path. */
  private readonly files: FilesOnRecord | null;
  private readonly past = new Map<number, Then>();
  private readonly repairs: number[] = [];
  private readonly breaks: DeclaredBreak[] = [];
  private readonly sizes: Set<number>;
  /** What stands where the log should be, or null; nothing at all where there is no line of one. */
  private obstacle: Finding | null = null;
  private isThere = false;

  constructor(
    private readonly log: string,
    private readonly known: KnownHeads,
    { history, historyRange, checkData, files }: Evidence,
  ) {
    this.structure = new Structure(
      log,
      (event, data) => checkLocalData(event, data) ?? checkData?.(event, data) ?? null,
    );
    this.history = history ? new HistoryComparison(history, log, { ...WHOLE_HISTORY, ...historyRange }) : null;
    this.files = files ? new FilesOnRecord() : null;
    this.sizes = sizesOf(known);
  }

  async over(paths: LogPaths, layout: WorkspaceLayout): Promise<void> {
    try {
      if (!hasFolder(layout, paths)) return;
      for await (const batch of readLines(paths.folder, segmentsOf(paths))) {
        await this.take(batch);
        if (this.structure.fault) return;
      }
    } catch (error) {
      if (!(error instanceof CorruptLog)) throw error;
      this.obstacle = {
        what: 'the log',
        seq: null,
        segment: null,
        offset: null,
        expected: 'files',
        actual: error.message,
      };
    }
  }

  private async take(batch: Batch): Promise<void> {
    const { structure } = this;
    for (const piece of batch.pieces) {
      this.isThere = true;
      const { head } = structure;
      const entry = structure.take(batch, piece);
      if (entry) this.remember(entry);
      const isOfHistory = entry === null ? structure.fault !== null : !isLocal(entry.body.event);
      if (this.history && isOfHistory) {
        const place = { segment: batch.segment, offset: piece.offset };
        await this.history.take(head, piece.bytes, place, entry?.body.run ?? null);
      }
      if (structure.fault) return;
    }
  }

  private remember(entry: Entry): void {
    const { size } = this.structure.head;
    if (this.sizes.has(size))
      this.past.set(size, { hash: entry.hash, root: this.structure.tree.root().toString('hex') });
    this.files?.take(entry);
    const { event, seq, at, data } = entry.body;
    if (event === 'audit.repaired') this.repairs.push(seq);
    if (event !== 'audit.break') return;
    const declared = breakOf(data);
    this.breaks.push({ seq, at, quarantine: declared?.quarantine ?? '', lost: declared?.lost ?? null });
  }

  async report(layout: WorkspaceLayout): Promise<Report> {
    const { head, tree, torn } = this.structure;
    const structure = this.structureLevel();
    return {
      schema: 'planwright.verification/1',
      log: this.log,
      head,
      root: tree.root().toString('hex'),
      levels: {
        structure,
        head: headLevel(this.known, this.past, head.size),
        history: (await this.history?.end(head)) ?? NO_HISTORY,
        files: await this.filesLevel(layout, structure),
      },
      repairs: this.repairs,
      breaks: this.breaks,
      torn,
    };
  }

  private structureLevel(): Level {
    const { fault, head, torn } = this.structure;
    if (this.obstacle) return broken(this.obstacle);
    if (fault) {
      const { what, seq, segment, offset, expected, actual } = fault;
      return broken({ what, seq, segment, offset, expected, actual });
    }
    if (!this.isThere) return missing('There is no log.');
    const rest = torn ? [`a writer was killed in the line behind: ${torn.bytes} bytes, not an entry`] : [];
    return held(`${head.size} entries`, ...rest);
  }

  private async filesLevel(layout: WorkspaceLayout, structure: Level): Promise<Level> {
    if (!this.files) return missing('The files were not asked for.');
    if (structure.state === 'broken') return missing('The log does not hold, so it says nothing of the files.');
    return this.files.compare(layout.root);
  }
}

async function knownHeads(paths: LogPaths, log: string, { state, workflowHead = null }: Evidence): Promise<KnownHeads> {
  if (state === null) return { checkpoint: null, witness: null, workflow: workflowHead };
  const key = await publicKey(state);
  // A witness whose key is gone witnesses nothing any more, and that is told; a checkpoint alone may be another user's.
  if (key === null) return { checkpoint: null, witness: await readWitness(state, log, ''), workflow: workflowHead };
  const verifier = verifierKey(log, key);
  const note = await readFile(paths.checkpoint, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
  return {
    checkpoint: note === null ? null : openCheckpoint(note, log, verifier),
    witness: await readWitness(state, log, verifier),
    workflow: workflowHead,
  };
}
