/**
 * What an entry of the audit log can be about, and the shape of its `data`: one strict schema an event, and no other
 * event. Additive changes only: an entry that was written once must stay readable for ever. docs/audit-log.md shows
 * the same as a table.
 */
import { z } from 'zod';
import { AUDIT_EVENTS, type AuditEvent } from '../plan/facts';
import type { JsonObject } from '../plan/types';

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const text = z.string();
const maybe = text.nullable();
const count = z.number().int().nonnegative();
const run = z.number().int().positive().nullable();
const risk = z.enum(['LOW', 'MEDIUM', 'HIGH']);
const gateKind = z.enum(['file', 'tool', 'risk', 'drift', 'budget', 'stuck', 'dirty']);
const way = z.enum(['update', 'signal']);
const counts = z.record(text, count);

/** What every entry about a gate says of it. */
const gate = { gate: text, kind: gateKind, task: maybe, path: maybe };
const tasks = z.strictObject({
  tasks: z.array(z.strictObject({ task: text, number: count })),
  run,
  reason: maybe,
});
const task = { task: text, number: count, run, generation: count };
const file = { task: maybe, path: text };
/** `channel`: the sink; `about`: the event that it was told of; `id` and `seq` as in the notification itself. */
const message = { channel: text, about: text, gate: maybe, id: text, seq: count };

const SHAPES = {
  'plan.created': z.strictObject({
    plan: text,
    name: text,
    goal: digest,
    goalBytes: count,
    workspace: text,
    provider: text,
    model: text,
    temperature: z.number().nullable(),
    planwright: text,
    /** A graph came with the goal, and no model was asked for one. */
    graphGiven: z.boolean(),
    /** True: Temporal had lost the plan, and this is another history of it. */
    takenUp: z.boolean(),
  }),
  'plan.replanned': z.strictObject({
    revision: count,
    task: maybe,
    instruction: maybe,
    taskRevision: count.nullable(),
  }),
  'plan.ready': z.strictObject({
    graph: digest.nullable(),
    tasks: count,
    skills: z.record(text, z.strictObject({ version: text, digest: text, prompt: text })),
    policy: text,
    workspace: digest.nullable(),
    risk,
    rules: z.array(text),
    modelReturned: text,
  }),
  'plan.failed': z.strictObject({ type: text, message: text }),
  'plan.taken_up': z.strictObject({ status: text, completed: count, runs: count }),
  'plan.continued': z.strictObject({ previous: text, state: digest }),
  'plan.paused': z.strictObject({ run, reason: maybe }),
  'plan.unpaused': z.strictObject({ run, reason: maybe }),
  'plan.cancelled': z.strictObject({ run, reason: maybe }),
  'plan.deleted': z.strictObject({}),
  'run.started': z.strictObject({
    run: count,
    kind: z.enum(['apply', 'dry-run', 'resume', 'retry', 'replay', 'task']),
    flags: z.array(text),
    tasks: count,
    task: maybe,
    instruction: maybe,
    only: count.nullable(),
    exclude: count.nullable(),
    provider: text,
    model: text,
    temperature: z.number().nullable(),
    timeoutMs: count,
    concurrency: count.nullable(),
    /** Absent in entries from before they were told. */
    maxTokens: count.nullable().optional(),
    onFailure: z.enum(['stop', 'wait']).nullable().optional(),
  }),
  'run.refused': z.strictObject({ run: count, kind: text, reason: maybe }),
  'run.finished': z.strictObject({ run: count, kind: text, status: text, reason: maybe, counts, files: count }),
  'llm.called': z.strictObject({
    /** Null: the decomposition. */
    task: maybe,
    generation: count,
    startedAt: maybe,
    provider: text,
    model: text,
    modelReturned: maybe,
    temperature: z.number().nullable(),
    seed: z.number().nullable(),
    prompt: digest,
    /** Digest of the answer as it came; null where none did. */
    output: digest.nullable(),
    promptTokens: count,
    completionTokens: count,
    finishReason: maybe,
    responseId: maybe,
    outcome: z.enum(['answered', 'failed', 'refused']),
    /** Why there is no answer, or why it could not be used. */
    failure: maybe,
    /** True: it had been answered before, and nobody was asked again. */
    fromRecord: z.boolean(),
  }),
  'llm.unknown': z.strictObject({
    task: maybe,
    generation: count,
    provider: text,
    model: text,
    prompt: digest.nullable(),
    startedAt: maybe,
    reason: text,
  }),
  'verification.done': z.strictObject({
    task: text,
    verdict: z.enum(['passed', 'failed', 'inconclusive', 'skipped']),
    verifiers: z.array(
      z.strictObject({ verifier: text, version: text, path: text, verdict: text, errors: count, warnings: count }),
    ),
    /** How many rows were left out. */
    more: count,
    /** Paths whose content on disk was no longer the one that generation had seen. */
    stale: z.array(text),
  }),
  'gate.opened': z.strictObject({
    ...gate,
    digest: digest.nullable(),
    risk,
    sha256: digest.nullable(),
    preSha256: digest.nullable(),
    run,
  }),
  'gate.decided': z.strictObject({ ...gate, digest: digest.nullable(), decision: text, reason: maybe, way }),
  'gate.passed': z.strictObject({
    gate: maybe,
    kind: gateKind,
    task: maybe,
    run,
    how: z.enum(['force', 'yes', 'policy']),
    upTo: risk.nullable(),
    what: text,
  }),
  'gate.withdrawn': z.strictObject({ ...gate, reason: text }),
  'gate.reminded': z.strictObject({ ...gate, reason: maybe }),
  'gate.escalated': z.strictObject({ ...gate, reason: maybe, to: z.array(text) }),
  'gate.expired': z.strictObject({ ...gate, reason: maybe }),
  'decision.voted': z.strictObject({
    ...gate,
    digest: digest.nullable(),
    decision: text,
    reason: maybe,
    way,
    votes: count,
    needed: count,
  }),
  'decision.refused': z.strictObject({
    gate: text,
    decision: text,
    digest: maybe,
    reason: maybe,
    way,
    type: text,
    message: text,
  }),
  'file.written': z.strictObject({
    ...file,
    action: z.enum(['create', 'modify']),
    sha256: digest,
    bytes: count,
    preSha256: digest.nullable(),
    mode: text,
    backup: maybe,
  }),
  'file.restored': z.strictObject({
    ...file,
    undo: text,
    sha256: digest.nullable(),
    preSha256: digest.nullable(),
    kept: digest.nullable(),
  }),
  'file.removed': z.strictObject({ ...file, undo: text, preSha256: digest.nullable(), kept: digest.nullable() }),
  'file.kept': z.strictObject({ ...file, undo: text, outcome: text, reason: maybe }),
  'task.completed': z.strictObject({ ...task, files: count }),
  'task.declined': z.strictObject({ ...task, files: count }),
  'task.failed': z.strictObject({ ...task, type: text, message: text }),
  'task.skipped': tasks,
  'task.cancelled': tasks,
  'task.retried': tasks,
  'budget.reached': z.strictObject({ gate: maybe, run, limit: text, at: z.number(), most: z.number() }),
  'budget.raised': z.strictObject({ gate: maybe, run, limit: text, from: z.number(), to: z.number(), reason: maybe }),
  'undo.started': z.strictObject({ number: count, kind: text, overwriteChanged: z.boolean(), files: count }),
  'undo.finished': z.strictObject({ number: count, kind: text, status: text, counts, error: maybe }),
  'notification.sent': z.strictObject(message),
  'notification.failed': z.strictObject({ ...message, reason: text }),
  'history.exported': z.strictObject({ execution: text, object: digest, bytes: count, events: count }),
  'history.unexported': z.strictObject({ execution: text, reason: text }),
  'audit.unwritable': z.strictObject({ task: maybe, reason: text }),
  'audit.repaired': z.looseObject({}),
  'audit.break': z.looseObject({}),
} satisfies { [event in AuditEvent]: z.ZodType };

/** The schemas by event, for documents and tests. */
export const EVENT_SHAPES: { readonly [event in AuditEvent]: z.ZodType } = SHAPES;

export function isAuditEvent(name: string): name is AuditEvent {
  return (AUDIT_EVENTS as readonly string[]).includes(name);
}

/**
 * Checks what an entry says of its event.
 * @returns null where it is as it should be, otherwise what is not, in one line
 */
export function checkData(event: AuditEvent, data: JsonObject): string | null {
  const parsed = EVENT_SHAPES[event].safeParse(data);
  if (parsed.success) return null;
  return parsed.error.issues
    .slice(0, 5)
    .map(({ path, message: what }) => `${event}${path.length > 0 ? ` ${path.join('.')}` : ''}: ${what}`)
    .join('; ');
}
