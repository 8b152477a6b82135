import type { Finding, Verdict, Verification } from '../../plan/types';
import type { ExternalSettings } from '../../store/verifier-tools';
import { actionlintThread } from './actionlint';
import { EXTERNAL_IDS, externalFor } from './external';
import { tidyFindings } from './findings';
import { VERIFIERS } from './registry';
import { UNUSABLE_RULES } from './text';
import { closeToolThreads } from './tool-thread';
import type { Outcome, Subject, Verifier, VerifyContext } from './types';

export interface FileToVerify {
  path: string;
  content: string | Buffer;
  /** What stands at the path now; null where nothing does. */
  preContent: string | null;
}

export interface VerifyFilesRequest {
  files: readonly FileToVerify[];
  /** The names that the skill expects; every other verifier that applies to a file runs as well. */
  verifiers: readonly string[];
  /** Other files of the workspace and the overlay by path, for references across files. */
  siblings?: Readonly<Record<string, string>>;
  /** Names at the top of the workspace, directories with a slash; leave out where not known. */
  listing?: readonly string[];
  /** Most bytes of a file; one MiB unless told. */
  fileBytes?: number;
  /** Where external tools may come from; without it none is looked for. */
  external?: ExternalSettings;
  /** Leaves the external tools out (`--skip-verify`); the embedded verifiers always run. */
  skipExternal?: boolean;
  signal?: AbortSignal;
}

/**
 * Verifies generated files: the embedded verifiers first, then the external tools that are found. Nothing of the files is executed and nothing
 * is written beside a staged copy; tools get no network where that can be prevented.
 *
 * @returns one row a verifier and file: those that apply to the file, and those that the skill names. A named one that
 *   does not apply is `skipped`; an unknown name, a verifier that broke or ran out of time is `inconclusive`, never
 *   passed. Findings are masked, at most 300 characters each and 50 a row.
 * @throws the signal's reason when it is aborted
 */
export async function verifyFiles(request: VerifyFilesRequest): Promise<Verification[]> {
  const { files, verifiers: named, signal } = request;
  const siblings = new Map(Object.entries(request.siblings ?? {}));
  const subjects = files.map((file): Subject => {
    const bytes = typeof file.content === 'string' ? Buffer.from(file.content, 'utf8') : file.content;
    return { path: file.path, bytes, text: bytes.toString('utf8'), before: file.preContent };
  });
  // The files of one artifact see each other as they will be, not as they are on disk.
  for (const { path, text } of subjects) siblings.set(path, text);
  const { fileBytes } = request;
  const context: VerifyContext = { siblings, listing: request.listing ?? null, fileBytes, signal };
  const rows: Verification[] = [];
  for (const subject of subjects) {
    const embedded = await verifyFile(subject, named, context);
    rows.push(...embedded, ...(await externalRows(subject, request, embedded, context)));
  }
  signal?.throwIfAborted();
  return rows;
}

async function verifyFile(subject: Subject, named: readonly string[], context: VerifyContext): Promise<Verification[]> {
  const rows: Verification[] = [];
  let unusable = false;
  for (const verifier of VERIFIERS) {
    context.signal?.throwIfAborted();
    const applies = verifier.applies(subject.path, subject.text);
    if (!applies && !named.includes(verifier.id)) continue;
    const broken = verifier.after?.find((id) => rows.some((row) => row.verifier === id && row.verdict === 'failed'));
    const skip: string | null = !applies
      ? 'does not apply to this file'
      : unusable
        ? 'the content is not usable text'
        : broken !== undefined
          ? `the verifier "${broken}" failed on this file`
          : null;
    const row: Verification =
      skip === null ? await runOne(verifier, subject, context) : skipped(verifier, subject.path, skip);
    if (verifier.id === 'text') unusable = row.findings.some((finding) => UNUSABLE_RULES.has(finding.rule));
    rows.push(row);
  }
  for (const id of new Set(named)) {
    if (VERIFIERS.some((verifier) => verifier.id === id) || EXTERNAL_IDS.has(id)) continue;
    const reason = `there is no verifier "${id.slice(0, 60)}"`;
    rows.push({ verifier: id, version: 'unknown', path: subject.path, verdict: 'inconclusive', reason, findings: [] });
  }
  return rows;
}

/** What external tools say of a file. One that failed already is not given to them: they would only say so again. */
async function externalRows(
  subject: Subject,
  { verifiers: named, external, skipExternal = false }: VerifyFilesRequest,
  embedded: readonly Verification[],
  context: VerifyContext,
): Promise<Verification[]> {
  const rows: Verification[] = [];
  if (!external || skipExternal) {
    const reason = skipExternal ? '--skip-verify leaves external tools out' : 'external tools are not looked for here';
    for (const id of named.filter((one) => EXTERNAL_IDS.has(one))) {
      rows.push({ verifier: id, version: 'not run', path: subject.path, verdict: 'skipped', reason, findings: [] });
    }
    return rows;
  }
  const failed = embedded.find(({ verdict }) => verdict === 'failed');
  for (const one of await externalFor(subject, named, external)) {
    context.signal?.throwIfAborted();
    if (!('run' in one)) rows.push(one);
    else if (failed) rows.push(skipped(one, subject.path, `the verifier "${failed.verifier}" failed on this file`));
    else rows.push(await runOne(one, subject, context));
  }
  return rows;
}

async function runOne(verifier: Verifier, subject: Subject, context: VerifyContext): Promise<Verification> {
  let outcome: Outcome;
  try {
    outcome = await verifier.run(subject, context);
  } catch (error) {
    // A parser that breaks on hostile input has not said that the file is good.
    const message = error instanceof Error ? error.message : String(error);
    outcome = { findings: [], inconclusive: `the verifier broke: ${message}` };
  }
  if (outcome.notApplicable !== undefined) return skipped(verifier, subject.path, outcome.notApplicable);
  const judged = outcome.findings.some(({ severity }) => severity === 'error')
    ? leniently(outcome.findings, await foundBefore(verifier, subject, context))
    : outcome.findings;
  const findings = tidyFindings(judged, subject.path);
  const failed = judged.some((finding) => finding.severity === 'error');
  const base = { verifier: verifier.id, version: verifier.version, path: subject.path, findings };
  if (failed) return { ...base, verdict: 'failed' };
  if (outcome.inconclusive === undefined) return { ...base, verdict: 'passed' };
  const [reason] = tidyFindings([{ rule: '', severity: 'info', message: outcome.inconclusive }], subject.path);
  return { ...base, verdict: 'inconclusive', reason: reason?.message };
}

/** What the same verifier says of the file as it stood there before; nothing where there was none, or where it breaks on that. */
async function foundBefore(verifier: Verifier, subject: Subject, context: VerifyContext): Promise<Finding[]> {
  const { before, path } = subject;
  if (before === null || !verifier.applies(path, before)) return [];
  const siblings = new Map(context.siblings).set(path, before);
  try {
    const earlier = { path, bytes: Buffer.from(before, 'utf8'), text: before, before };
    return (await verifier.run(earlier, { ...context, siblings })).findings;
  } catch {
    return [];
  }
}

/**
 * Takes errors that the file had before for warnings: a maintainer's file with a fault of its own may still be kept, or get an
 * addition. Each old finding excuses one new one. A text that cannot be shown truthfully is excused by nothing.
 */
function leniently(findings: readonly Finding[], old: readonly Finding[]): Finding[] {
  const key = ({ rule, message }: Finding): string => `${rule}\n${message}`;
  const left = new Map<string, number>();
  for (const finding of old) left.set(key(finding), (left.get(key(finding)) ?? 0) + 1);
  return findings.map((finding): Finding => {
    const count = left.get(key(finding)) ?? 0;
    if (finding.severity !== 'error' || count === 0 || UNUSABLE_RULES.has(finding.rule)) return finding;
    left.set(key(finding), count - 1);
    return { ...finding, severity: 'warning', message: `${finding.message} (It was there before.)` };
  });
}

function skipped(verifier: Verifier, path: string, reason: string): Verification {
  return { verifier: verifier.id, version: verifier.version, path, verdict: 'skipped', reason, findings: [] };
}

/** `failed` where any row has an error finding; else `inconclusive` where any verifier could not do its work; else `passed`. */
export function overallVerdict(rows: readonly Verification[]): Verdict {
  const failed = rows.some(
    (row) => row.verdict === 'failed' || row.findings.some((finding) => finding.severity === 'error'),
  );
  if (failed) return 'failed';
  return rows.some((row) => row.verdict === 'inconclusive') ? 'inconclusive' : 'passed';
}

/** Starts what these verifiers need and is slow to start (actionlint: a quarter of a second), without waiting for it. */
export function warmVerifiers(named: readonly string[]): void {
  if (named.includes('actionlint')) actionlintThread.warm();
}

/** Ends what verifiers keep running between calls; they start again when needed. For shutdown and tests. */
export async function closeVerifiers(): Promise<void> {
  await closeToolThreads();
}
