/** What becomes of a generated artifact on this machine: it is checked against the disk, verified, and written. */
import { Context } from '@temporalio/activity';
import { diffLines } from 'diff';
import { fileDigest, sha256 } from '../plan/digest';
import { checkPaths } from '../plan/paths';
import { artifactRisk, riskAbove } from '../plan/risk';
import type {
  BegunFile,
  LogHead,
  MakeRequest,
  MakeResult,
  UndoRequest,
  UndoResult,
  VerifiedFile,
  VerifyAndWriteRequest,
  VerifyAndWriteResult,
  VerifyRequest,
  VerifyResult,
  WriteRequest,
  WriteResult,
} from '../plan/steps';
import type { ArtifactFile, GenerateRequest, GenerateResult } from '../plan/types';
import type { Skill } from '../skills/types';
import type { WorkspaceLayout } from '../store/layout';
import type { ObjectStore } from '../store/objects';
import type { Policy } from '../store/policy';
import type { ExternalSettings } from '../store/verifier-tools';
import { freeBackupPath } from './files/backup';
import { PathRefused } from './files/errors';
import { findJournal } from './files/journal';
import { readPath } from './files/target';
import { undoFiles } from './files/undo';
import { writeArtifactFiles } from './files/writer';
import { readOverlay, readSnapshot } from './llm/context';
import type { StoppedRuns } from './stopped-runs';
import { overallVerdict, verifyFiles } from './verify';

export interface ArtifactDeps {
  layout: WorkspaceLayout;
  objects: ObjectStore;
  skills(): Promise<Map<string, Skill>>;
  /** The policy in force at this moment. */
  policy(): Promise<Policy>;
  stopped: StoppedRuns;
  /** Where external verifiers may come from. */
  external: ExternalSettings;
}

/** Above this, line counts are not worth their time. */
const DIFF_EDITS = 4_000;

/**
 * Verifies an artifact against the base that generation saw, and says where the disk is another one by now.
 * @throws PathRefused before anything is looked at, so that nobody is asked about what cannot be written
 */
export async function verifyArtifact(deps: ArtifactDeps, request: VerifyRequest): Promise<VerifyResult> {
  const { verified } = await verifiedContents(deps, request);
  for (const file of request.files) {
    if ((await digestOnDisk(deps.layout.root, file.path)) !== file.preSha256) verified.stale.push(file.path);
  }
  if (request.preview) await addBackups(deps.layout.root, verified.files, request.preview.keepBackup);
  return verified;
}

/** As `verifyArtifact`, without a look at the disk, and with what was verified, by path. */
async function verifiedContents(
  deps: ArtifactDeps,
  request: VerifyRequest,
): Promise<{ verified: VerifyResult; contents: Map<string, Buffer> }> {
  const { objects } = deps;
  const skill = (await deps.skills()).get(request.tool);
  const policy = await deps.policy();
  refuseBadPaths(policy, request, skill?.scope);
  const snapshot = await readSnapshot(objects, request.workspace);
  const { existing } = await readOverlay(objects, snapshot, request.overlay);
  const contents = await Promise.all(
    request.files.map(async (file) => ({
      path: file.path,
      content: await objects.get(file.sha256),
      preContent: file.preSha256 === null ? null : await objects.text(file.preSha256),
    })),
  );
  const rows = await verifyFiles({
    files: contents,
    verifiers: skill?.verifiers ?? [],
    siblings: existing,
    listing: snapshot.facts.topLevel,
    fileBytes: policy.limits.fileBytes,
    external: deps.external,
    skipExternal: request.skipExternal,
    signal: Context.current().cancellationSignal,
  });
  // A verifier that the skill names is expected of one of its files, not of each.
  const ran = new Set(rows.filter(({ verdict }) => verdict !== 'skipped').map(({ verifier }) => verifier));
  const verification = rows.filter(({ verdict, verifier }) => verdict !== 'skipped' || !ran.has(verifier));
  const verdict = overallVerdict(verification);
  const files = request.files.map((file, index): VerifiedFile => {
    const text = contents[index]?.content.toString('utf8') ?? '';
    const { risk, reasons } = artifactRisk(file.path, text, skill?.risk ?? 'MEDIUM', contents[index]?.preContent);
    return {
      path: file.path,
      action: actionOf(file),
      digest: fileDigest(file),
      risk,
      riskReasons: reasons,
      diffStat: diffStat(contents[index]?.preContent ?? '', text),
    };
  });
  return {
    verified: { verdict, verification, files, stale: [] },
    contents: new Map(contents.map(({ path, content }) => [path, content])),
  };
}

/** The name that a write would choose at this moment; it makes a backup only of what was not backed up before. */
async function addBackups(root: string, files: VerifiedFile[], kept: { [path: string]: string | null }): Promise<void> {
  for (const file of files) {
    const makes = file.action === 'modify' && !Object.hasOwn(kept, file.path);
    file.wouldBackUp = makes ? await freeBackupPath(root, file.path) : null;
  }
}

function refuseBadPaths(policy: Policy, request: VerifyRequest, scope: readonly string[] | undefined): void {
  const faults = checkPaths(
    request.files.map(({ path }) => path),
    {
      allowlist: policy.write.allow,
      allowAllPaths: request.allowAllPaths,
      scope: request.allowAllPaths ? undefined : scope,
    },
  );
  if (faults.length > 0) {
    const advice = 'Nothing was written. The write allowlist is in .planwright/policy.yaml (write.allow).';
    throw new PathRefused(faults.map(({ reason }) => reason).join('\n'), advice);
  }
}

function actionOf({ preSha256, sha256: after }: ArtifactFile): VerifiedFile['action'] {
  if (preSha256 === null) return 'create';
  return preSha256 === after ? 'unchanged' : 'modify';
}

async function digestOnDisk(root: string, path: string): Promise<string | null> {
  const { found } = await readPath(root, path);
  return found === null ? null : sha256(found.content);
}

function diffStat(before: string, after: string): { added: number; removed: number } {
  const changes = diffLines(before, after, { maxEditLength: DIFF_EDITS });
  const lines = (text: string): number => (text === '' ? 0 : text.replace(/\n$/, '').split('\n').length);
  if (!changes) return { added: lines(after), removed: lines(before) };
  const count = (kind: 'added' | 'removed'): number =>
    changes.filter((change) => change[kind]).reduce((sum, change) => sum + (change.count ?? 0), 0);
  return { added: count('added'), removed: count('removed') };
}

/**
 * Names a write or an undo: the same for every attempt, also for one that was scheduled anew after its worker died; and
 * another one for a plan that Temporal lost and that was taken up: its runs may get numbers that were given before.
 */
const journalKey = (plan: string, write: string): string => `${plan}/${write}`;

/** The name of what the activity under way writes, as the workflow notes it (workflows/writing.ts). @param step its own id unless told */
function writeName(step?: string): { plan: string; write: string } {
  const { workflowExecution, activityId } = Context.current().info;
  const write = `${workflowExecution?.runId ?? ''}/${step ?? activityId.replace(/(?:-again\d+)+$/, '')}`;
  return { plan: workflowExecution?.workflowId ?? '', write };
}

/** Takes back what a plan wrote; errors as `undoFiles`. */
export async function undoPlan(
  deps: Pick<ArtifactDeps, 'layout' | 'objects'>,
  request: UndoRequest,
): Promise<UndoResult> {
  const { plan, write: undo } = writeName();
  return undoFiles({
    root: deps.layout.root,
    key: journalKey(plan, undo),
    kind: request.kind,
    files: request.files,
    directories: request.directories,
    overwriteChanged: request.overwriteChanged,
    objects: deps.objects,
    journalKey: (write) => journalKey(plan, write),
  });
}

/** Writes an artifact as it was approved; errors as `writeArtifactFiles`. */
export async function writeArtifact(
  deps: ArtifactDeps,
  request: WriteRequest,
  given: { step?: string; contents?: Map<string, Buffer> } = {},
): Promise<WriteResult> {
  const policy = await deps.policy();
  const skill = (await deps.skills()).get(request.tool);
  const { plan, write } = writeName(given.step);
  return writeArtifactFiles({
    root: deps.layout.root,
    key: journalKey(plan, write),
    files: request.files,
    objects: deps.objects,
    contents: given.contents,
    allowlist: policy.write.allow,
    allowAllPaths: request.allowAllPaths,
    scope: request.allowAllPaths ? undefined : skill?.scope,
    keepBackup: request.keepBackup,
    limits: policy.limits,
  });
}

/** What a write waits for, and what it is called. */
export interface WriteRules {
  /** Resolves once the audit log tells of what allowed the write; where it rejects, nothing is written. */
  logged: Promise<LogHead | null>;
  /** Name of the write in its journal; the activity's own id unless told. */
  step?: string;
  /** Called just before; throws where it must not be. */
  mayWrite?(): void;
}

/** Both in one step; nothing is written where verification failed, a base is stale, or a file is too risky. */
export async function verifyAndWriteArtifact(
  deps: ArtifactDeps,
  request: VerifyAndWriteRequest,
  { logged, step, mayWrite }: WriteRules,
): Promise<VerifyAndWriteResult> {
  const { verified, contents } = await verifiedContents(deps, request);
  const tooRisky = verified.files.some(
    ({ risk, action }) => action !== 'unchanged' && riskAbove(risk, request.riskPassed),
  );
  // Whether a base is stale is the writer's to say: it may be our own write, done by an attempt that died before it could.
  if (verified.verdict === 'failed' || tooRisky) return { verified, written: null };
  const audit = await logged;
  mayWrite?.();
  const written = await writeArtifact(deps, request, { step, contents });
  return { verified, written: { ...written, ...(audit ? { audit } : {}) } };
}

/**
 * A whole task. Its answer is on record, synced, before anything is looked at, so an attempt after a crash asks no model
 * and makes the same artifact; its write has the name that the next step would give it, so that either goes on with
 * what the other began.
 *
 * @throws what `generate` throws
 */
export async function makeArtifact(
  deps: ArtifactDeps,
  generate: (request: GenerateRequest) => Promise<GenerateResult>,
  { generate: question, write, run, ...rules }: MakeRequest,
  logged: WriteRules['logged'],
): Promise<MakeResult> {
  const generated = await generate(question);
  const { plan, task, workspace, overlay } = question;
  const { id, tool } = task;
  const request = { ...rules, plan, task: id, tool, files: generated.files, workspace, overlay };
  // A cancel that came before the write holds; one that comes later finds the write done.
  const mayWrite = (): void => {
    Context.current().cancellationSignal.throwIfAborted();
    deps.stopped.check(plan, run);
  };
  try {
    return {
      generated,
      done: await verifyAndWriteArtifact(deps, request, { logged, step: write, mayWrite }),
      begun: true,
    };
  } catch {
    return { generated, done: null, begun: (await begunWrite(deps, write)).length > 0 };
  }
}

/**
 * What a write of the workflow run under way noted in its journal, which it does before it touches anything. Modes are not
 * kept there: a rollback asks for one only where neither the backup nor the file has it.
 */
export async function begunWrite(deps: Pick<ArtifactDeps, 'layout'>, step: string): Promise<BegunFile[]> {
  const { plan, write } = writeName(step);
  const journal = await findJournal(deps.layout.root, journalKey(plan, write));
  return (journal?.files ?? []).map(([path, sha256, preSha256]) => ({ path, sha256, preSha256, mode: '0644' }));
}
