/**
 * What the workflow puts into its own history because nothing else there tells it: a gate that opened, a ruling with
 * its actor and way in, a refused decision, a cascade, a run's end. One memo upsert (key `facts`) carries the facts of
 * one moment, in order. The audit log is projected from these and from what the activities returned.
 */
import type { JsonObject } from './types';

/** The memo key that carries them. */
export const FACTS_MEMO = 'facts';

/** Type of the failure of an activity that found the log unwritable and therefore changed nothing. */
export const AUDIT_UNWRITABLE = 'AuditUnwritable';

/** Everything that an entry of the audit log can be about. Closed: an unknown one is an error, never skipped. */
export const AUDIT_EVENTS = [
  'plan.created',
  'plan.replanned',
  'plan.ready',
  'plan.failed',
  'plan.taken_up',
  'plan.continued',
  'plan.paused',
  'plan.unpaused',
  'plan.cancelled',
  'plan.deleted',
  'run.started',
  'run.refused',
  'run.finished',
  'llm.called',
  'llm.unknown',
  'verification.done',
  'gate.opened',
  'gate.decided',
  'gate.passed',
  'gate.withdrawn',
  'gate.reminded',
  'gate.escalated',
  'gate.expired',
  'decision.voted',
  'decision.refused',
  'file.written',
  'file.restored',
  'file.removed',
  'file.kept',
  'task.completed',
  'task.declined',
  'task.failed',
  'task.skipped',
  'task.cancelled',
  'task.retried',
  'budget.reached',
  'budget.raised',
  'undo.started',
  'undo.finished',
  'notification.sent',
  'notification.failed',
  'history.exported',
  'history.unexported',
  'audit.unwritable',
  'audit.repaired',
  'audit.break',
] as const;
export type AuditEvent = (typeof AUDIT_EVENTS)[number];

/**
 * Who did it. `claimed`: the name that somebody gave (a user of the shell, `--as`), not proven; `signed`: proven by a
 * key that the policy names; `process`: our own worker or workflow, as Temporal's history names it.
 */
export interface Actor {
  kind: 'user' | 'worker' | 'workflow' | 'temporal';
  id: string;
  auth: 'claimed' | 'signed' | 'process';
}

/** Contents never stand in `data`: digests and sizes do. */
export interface Fact {
  event: AuditEvent;
  actor: Actor;
  data: JsonObject;
}

/** A person, by the name that was given. */
export const claimedBy = (id: string): Actor => ({ kind: 'user', id, auth: 'claimed' });
/** A person whom a key of the policy's approvers has proven. */
export const signedBy = (id: string): Actor => ({ kind: 'user', id, auth: 'signed' });
/** The plan's workflow: what follows from its rules and from nobody's word. */
export const BY_WORKFLOW: Actor = { kind: 'workflow', id: 'planwright', auth: 'process' };
/** Temporal's own tools: a cancel, a termination. Who used them is not told. */
export const BY_TEMPORAL: Actor = { kind: 'temporal', id: 'temporal', auth: 'process' };
