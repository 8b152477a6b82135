/**
 * Decisions on gates: what arrives is checked, ruled on once, and recorded. Plain functions over the
 * carried state, so that every way in (Update, Signal, later HTTP) meets the same rule.
 */
import { DECISIONS } from '../plan/gates';
import type { Decide, DecideAnswer, GateView } from '../plan/view';
import { KEPT_DECIDED_GATES, KEPT_REFUSALS, type PlanState } from './state';

const ANY_DECISION = new Set(Object.values(DECISIONS).flat());

/** A ruling that went against the caller; `type` is the contract's failure type. */
export class RulingRefused extends Error {
  constructor(
    readonly type: 'UnknownGate' | 'AlreadyDecided' | 'StaleDigest' | 'NotAllowed' | 'BadInput',
    message: string,
  ) {
    super(message);
  }
}

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

/**
 * Rules on a decision. The first valid one settles the gate; the same one again gets the first answer.
 * The gate moves from `view.gates` to `decided`, and the task keeps the decision.
 *
 * @param at ISO time of the ruling
 * @throws RulingRefused, after the refusal was recorded
 */
export function rule(state: PlanState, decide: Decide, at: string): DecideAnswer {
  try {
    return settle(state, decide, at);
  } catch (error) {
    if (error instanceof RulingRefused) {
      const { type, message } = error;
      state.refused = [...state.refused, { at, gate: decide.gate, by: decide.by, type, message }].slice(-KEPT_REFUSALS);
    }
    throw error;
  }
}

function settle(state: PlanState, decide: Decide, at: string): DecideAnswer {
  const gate = state.view.gates.find((open) => open.gate === decide.gate);
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
  const outcome = { decision: decide.decision, by: decide.by, reason: decide.reason ?? null, at };
  close(state, gate, outcome);
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
