/** What the answers of activities say for the audit log: calls of a model, verdicts, files written and taken back. */
import type { Actor, Fact } from '../plan/facts';
import type { Scheduled } from './history-events';
import * as shapes from './shapes';

/** An entry before it has its place: as a fact is. */
export type Told = Fact;

/** An entry has at most 16 KiB, and a path may be long. */
const ROWS = 25;
const STALE_SHOWN = 10;
const SHORT = 120;
const TEXT = 500;

const short = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most)}…` : text);

/** @param answer result, or the first detail of the failure */
export function callsOf({ request }: Scheduled, answer: unknown, actor: Actor): Told[] {
  const told = shapes.callsShape.safeParse(answer);
  // A failure that is not ours (a worker that died, a time-out) tells of no call.
  if (!told.success) return [];
  const { task, generation, attempt, settings } = shapes.questionShape.parse(request);
  const about = {
    task: task ? short(task.id, TEXT) : null,
    generation: generation ?? attempt ?? 0,
    provider: settings.provider,
    model: (task ? undefined : settings.planner) ?? settings.model,
  };
  return told.data.calls.map(({ outcome, prompt, startedAt, failure, provider, model, ...rest }): Told => {
    // The fallback was asked, where the call says so.
    const who = { provider: provider ?? about.provider, model: model ?? about.model };
    if (outcome === 'unknown') {
      const reason = 'the call was begun, and its end is not on record';
      return { event: 'llm.unknown', actor, data: { ...about, ...who, prompt, startedAt, reason } };
    }
    return { event: 'llm.called', actor, data: { ...about, ...who, ...rest, prompt, startedAt, outcome, failure } };
  });
}

export function verifiedOf({ type, request }: Scheduled, answer: unknown, actor: Actor): Told[] {
  if (type === 'writeFiles') return [];
  const { task } = shapes.aboutTaskShape.parse(request);
  const { verdict, verification, stale } =
    type === 'verify' ? shapes.verifyAnswer.parse(answer) : shapes.bothAnswer.parse(answer).verified;
  const rows = verification.slice(0, ROWS).map((row) => ({
    verifier: row.verifier,
    version: row.version,
    path: short(row.path, SHORT),
    verdict: row.verdict,
    errors: row.findings.filter(({ severity }) => severity === 'error').length,
    warnings: row.findings.filter(({ severity }) => severity === 'warning').length,
  }));
  const data = {
    task: short(task, TEXT),
    verdict,
    verifiers: rows,
    more: verification.length - rows.length,
    stale: stale.slice(0, STALE_SHOWN).map((path) => short(path, SHORT)),
  };
  return [{ event: 'verification.done', actor, data }];
}

export function writtenOf({ type, request }: Scheduled, answer: unknown, actor: Actor): Told[] {
  if (type === 'verify') return [];
  const { task } = shapes.aboutTaskShape.parse(request);
  const written = type === 'writeFiles' ? shapes.writeAnswer.parse(answer) : shapes.bothAnswer.parse(answer).written;
  return (written?.files ?? []).flatMap((file): Told[] => {
    const { path, action, sha256, bytes, preSha256, mode, backup } = file;
    if (action === 'unchanged') return [];
    const data = { task: short(task, TEXT), path, action, sha256, bytes, preSha256, mode, backup };
    return [{ event: 'file.written', actor, data }];
  });
}

/** A whole task in one step: its calls, and where it got so far what was verified and written. */
export function madeOf(schedule: Scheduled, answer: unknown, completed: boolean, actor: Actor): Told[] {
  const { generate } = shapes.makeRequest.parse(schedule.request);
  const asked = { ...schedule, type: 'generate', request: generate };
  if (!completed) return callsOf(asked, answer, actor);
  const { generated, done } = shapes.makeAnswer.parse(answer);
  const calls = callsOf(asked, generated, actor);
  if (done === null) return calls;
  const both = { ...schedule, type: 'verifyAndWrite', request: { task: generate.task.id } };
  return [...calls, ...verifiedOf(both, done, actor), ...writtenOf(both, done, actor)];
}

export function undoneOf({ request }: Scheduled, answer: unknown, actor: Actor): Told[] {
  const { kind: undo, files } = shapes.undoRequest.parse(request);
  const steps = new Map(files.map((file) => [file.path, file.steps]));
  return shapes.undoAnswer.parse(answer).files.map(({ path, outcome, undone, reason, kept }): Told => {
    const own = steps.get(path) ?? [];
    const [newest] = own;
    const about = { task: newest ? short(newest.task, TEXT) : null, path, undo };
    // What stood there: what we wrote last, or what a person made of it, which is kept as an object.
    const preSha256 = kept ?? newest?.sha256 ?? null;
    if (outcome === 'deleted') return { event: 'file.removed', actor, data: { ...about, preSha256, kept } };
    if (outcome === 'restored') {
      const sha256 = own[undone - 1]?.preSha256 ?? null;
      return { event: 'file.restored', actor, data: { ...about, sha256, preSha256, kept } };
    }
    const why = reason === null ? null : short(reason, TEXT);
    return { event: 'file.kept', actor, data: { ...about, outcome, reason: why } };
  });
}

export function exportedOf(answer: unknown, actor: Actor): Told[] {
  const { execution, object, bytes, events } = shapes.exportAnswer.parse(answer);
  return [{ event: 'history.exported', actor, data: { execution, object, bytes, events } }];
}
