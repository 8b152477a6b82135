/**
 * Decisions on gates: what arrives is checked, ruled on once, and recorded. Plain functions over the
 * carried state, so that every way in (Update, Signal, later HTTP) meets the same rule.
 */
import { claimedBy, signedBy } from '../plan/facts';
import { DECISIONS } from '../plan/gates';
import type { Decide, DecideAnswer, GateView } from '../plan/view';
import type { PlanContext } from './context';
import { said } from './facts';
import { identify } from './identity';
import { RulingRefused } from './refused';
import { KEPT_DECIDED_GATES, KEPT_REFUSALS, type PlanState } from './state';

export { RulingRefused } from './refused';

const SHOWN_REFUSALS = 20;
const ANY_DECISION = new Set(Object.values(DECISIONS).flat());

/**
 * Form alone; called by the update validator, so a malformed decision leaves no event.
 * @throws RulingRefused of type BadInput
 */
export function checkDecide(input: unknown): asserts input is Decide {
  if (typeof input !== 'object' || input === null) throw new RulingRefused('BadInput', 'A decision is a JSON object.');
  const decide = input as { [key: string]: unknown };
  for (const key of ['gate', 'decision', 'by'] as const) {
    const value = decide[key];
    if (typeof value !== 'string' || value.length === 0 || value.length > 200) {
      throw new RulingRefused('BadInput', `A decision needs "${key}": a string of 1 to 200 characters.`);
    }
  }
  if (!ANY_DECISION.has(decide.decision as string)) {
    throw new RulingRefused(
      'BadInput',
      `Unknown decision "${decide.decision}"; one of ${[...ANY_DECISION].join(', ')}.`,
    );
  }
  for (const key of ['reason', 'digest'] as const) {
    const value = decide[key];
    if (value !== undefined && value !== null && (typeof value !== 'string' || value.length > 4000)) {
      throw new RulingRefused('BadInput', `"${key}" is a string of at most 4,000 characters.`);
    }
  }
}

/** How a decision came in. */
export type Way = 'update' | 'signal';

/**
 * Rules on a decision. The first valid one settles the gate; the same one again gets the first answer.
 * The gate moves from `view.gates` to `decided`, and the task keeps the decision. The ruling is a fact of the history,
 * whichever way it went.
 *
 * @throws RulingRefused, after the refusal was recorded
 */
export function rule(context: PlanContext, decide: Decide, way: Way): DecideAnswer {
  const { state } = context;
  const at = context.at();
  try {
    return settle(context, decide, way, at);
  } catch (error) {
    if (error instanceof RulingRefused) {
      const { type, message } = error;
      state.refused = [...state.refused, { at, gate: decide.gate, by: decide.by, type, message }].slice(-KEPT_REFUSALS);
      state.view.refusals = state.refused.slice(-SHOWN_REFUSALS);
      recordRefusal(context, decide, error, way);
    }
    throw error;
  }
}

/**
 * Rules on a decision that nobody waits for the answer of. Temporal accepts a signal whatever it says, so that one
 * without the form of a decision is a fact too.
 */
export function ruleOnSignal(context: PlanContext, decide: unknown): void {
  try {
    if (isFormed(context, decide)) rule(context, decide, 'signal');
  } catch (error) {
    if (!(error instanceof RulingRefused)) throw error;
  }
}

function isFormed(context: PlanContext, decide: unknown): decide is Decide {
  try {
    checkDecide(decide);
    return true;
  } catch (error) {
    if (!(error instanceof RulingRefused)) throw error;
    const claims = typeof decide === 'object' && decide !== null ? (decide as { [key: string]: unknown }) : {};
    const text = (key: string): string => (typeof claims[key] === 'string' ? claims[key] : '');
    recordRefusal(context, { gate: text('gate'), decision: text('decision'), by: text('by') }, error, 'signal');
    return false;
  }
}

function recordRefusal(context: PlanContext, decide: Decide, refusal: RulingRefused, way: Way): void {
  const { gate, decision, by, reason, digest } = decide;
  context.record('decision.refused', claimedBy(by || 'unknown'), {
    gate: said(gate),
    decision: said(decision),
    digest: said(digest),
    reason: said(reason),
    way,
    type: refusal.type,
    message: said(refusal.message),
  });
}

function settle(context: PlanContext, decide: Decide, way: Way, at: string): DecideAnswer {
  const { state } = context;
  const gate = state.view.gates.find((open) => open.gate === decide.gate);
  const about = gate ?? state.decided.findLast((decided) => decided.gate === decide.gate);
  const auth = about ? identify(state, decide, about, at) : 'claimed';
  if (!gate) return answerAgain(state, decide);
  if (!DECISIONS[gate.kind].includes(decide.decision)) {
    throw new RulingRefused(
      'BadInput',
      `A ${gate.kind} gate takes ${DECISIONS[gate.kind].join(', ')}; not "${decide.decision}".`,
    );
  }
  if (decide.digest && gate.digest && decide.digest !== gate.digest) {
    throw new RulingRefused(
      'StaleDigest',
      `Gate ${gate.gate} is about ${gate.digest}; the decision is about ${decide.digest}. Look again, then decide.`,
    );
  }
  if (decide.decision === 'request-changes' && !decide.reason?.trim()) {
    throw new RulingRefused('BadInput', 'request-changes needs a reason: it is what the next generation is told.');
  }
  const proven = auth === 'signed' ? { auth } : {};
  const outcome = { decision: decide.decision, by: decide.by, reason: decide.reason ?? null, at, ...proven };
  close(state, gate, outcome);
  const { kind, task, path, digest } = gate;
  const { decision, by } = outcome;
  const reason = said(outcome.reason);
  const actor = auth === 'signed' ? signedBy(by) : claimedBy(by);
  context.record('gate.decided', actor, { gate: gate.gate, kind, task, path, digest, decision, reason, way });
  return { gate: gate.gate, decision: outcome.decision, by: outcome.by, at };
}

/** Closes a gate with an outcome, by a person's ruling or because its run ended. */
export function close(state: PlanState, gate: GateView, outcome: NonNullable<GateView['outcome']>): void {
  state.view.gates = state.view.gates.filter((open) => open.gate !== gate.gate);
  state.decided = [...state.decided, { ...gate, outcome }].slice(-KEPT_DECIDED_GATES);
  const decisions = gate.task === null ? state.view.decisions : state.view.tasks[gate.task]?.decisions;
  decisions?.push({ gate: gate.gate, kind: gate.kind, path: gate.path, ...outcome });
  if (gate.task !== null && gate.digest !== null) remember(state, gate.task, gate.digest, outcome);
}

function remember(state: PlanState, task: string, digest: string, outcome: NonNullable<GateView['outcome']>): void {
  const own = state.internals[task];
  if (!own) return;
  const { by, at } = outcome;
  if (outcome.decision === 'approve') own.approved[digest] = { by, at };
  if (outcome.decision === 'reject') own.rejected[digest] = { by, at };
  if (outcome.decision === 'request-changes' && outcome.reason) own.requested.push(outcome.reason);
}

function answerAgain(state: PlanState, decide: Decide): DecideAnswer {
  const decided = state.decided.find((gate) => gate.gate === decide.gate);
  const outcome = decided?.outcome;
  if (!decided || !outcome) {
    throw new RulingRefused('UnknownGate', `Plan ${state.view.id} has no gate "${decide.gate}".`);
  }
  if (outcome.decision === decide.decision && outcome.by === decide.by) {
    return { gate: decided.gate, decision: outcome.decision, by: outcome.by, at: outcome.at };
  }
  throw new RulingRefused(
    'AlreadyDecided',
    `Gate ${decided.gate} was already decided: ${outcome.decision} by ${outcome.by} at ${outcome.at}.`,
  );
}

/** How a gate was decided; null where it was not, or so long ago that it is no longer kept. */
export function outcomeOf(state: PlanState, gate: string): GateView['outcome'] {
  return state.decided.findLast((decided) => decided.gate === gate)?.outcome ?? null;
}
