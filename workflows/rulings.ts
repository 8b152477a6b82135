/**
 * Decisions on gates: what arrives is checked, ruled on once, and recorded. Plain functions over the
 * carried state, so that every way in (Update, Signal, later HTTP) meets the same rule.
 */
import { BY_WORKFLOW, claimedBy, signedBy } from '../plan/facts';
import { DECISIONS } from '../plan/gates';
import type { Decide, DecideAnswer, GateView } from '../plan/view';
import { checkAnswer, count, sameBefore, told } from './ballots';
import type { PlanContext } from './context';
import { said } from './facts';
import { identify } from './identity';
import { RulingRefused } from './refused';
import { remember } from './remember';
import { KEPT_DECIDED_GATES, KEPT_REFUSALS, type PlanState } from './state';

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
 * Rules on a decision. The quorum of approvals settles the gate, or the first other decision by one who may; the
 * same one again gets the first answer.
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
  if (gate.until && gate.until <= at) {
    expire(context, gate);
    return answerAgain(state, decide);
  }
  checkAnswer(gate, decide);
  const before = sameBefore(gate, decide);
  const proven = auth === 'signed' ? { auth } : {};
  const vote = before ?? { decision: decide.decision, by: decide.by, reason: decide.reason ?? null, at, ...proven };
  const { votes, settles } = count(gate, vote);
  gate.votes = votes;
  const { decision, by } = vote;
  const answer = { gate: gate.gate, decision, by, at: vote.at };
  const actor = auth === 'signed' ? signedBy(by) : claimedBy(by);
  const { kind, task, path, digest } = gate;
  const fact = { gate: gate.gate, kind, task, path, digest, decision, reason: said(vote.reason), way };
  if (!settles) {
    const needed = gate.approvals ?? 1;
    const counted = { ...fact, votes: votes.length, needed };
    // What was said before is on record.
    if (!before) context.record('decision.voted', actor, counted);
    return { ...answer, pending: { approvals: votes.length, needed } };
  }
  close(state, gate, { ...vote, ...(typeof decide.value === 'number' ? { value: decide.value } : {}) });
  context.record('gate.decided', actor, fact);
  if (decision === 'raise' && gate.budget && typeof decide.value === 'number') {
    const { scope, what, limit } = gate.budget;
    const raised = { gate: gate.gate, limit: `${what} of the ${scope}`, from: limit, to: decide.value };
    const run = state.run?.number ?? null;
    context.record('budget.raised', actor, { ...raised, run, reason: said(vote.reason) });
  }
  return answer;
}

/** Nobody decided in time: a rejection, always. */
export function expire(context: PlanContext, gate: GateView): void {
  const reason = `nobody decided until ${gate.until}`;
  close(context.state, gate, { decision: 'expire', by: 'planwright', reason, at: context.at() });
  const { kind, task, path } = gate;
  context.record('gate.expired', BY_WORKFLOW, { gate: gate.gate, kind, task, path, reason });
}

/** Closes a gate with an outcome, by a person's ruling or because its run ended. */
export function close(state: PlanState, gate: GateView, outcome: NonNullable<GateView['outcome']>): void {
  state.view.gates = state.view.gates.filter((open) => open.gate !== gate.gate);
  state.decided = [...state.decided, { ...gate, outcome }].slice(-KEPT_DECIDED_GATES);
  const decisions = gate.task === null ? state.view.decisions : state.view.tasks[gate.task]?.decisions;
  const about = { gate: gate.gate, kind: gate.kind, path: gate.path };
  // Where it took several, each of them is a decision of its own; a gate that was not decided keeps what was said.
  const others = (gate.votes ?? []).filter(({ by }) => by !== outcome.by);
  for (const vote of others) decisions?.push({ ...about, ...vote });
  const { decision, by, reason, at, auth } = outcome;
  decisions?.push({ ...about, decision, by, reason, at, ...(auth ? { auth } : {}) });
  remember(state, gate, outcome);
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
  const before = sameBefore(decided, decide);
  if (before) return { gate: decided.gate, decision: before.decision, by: before.by, at: before.at };
  throw new RulingRefused('AlreadyDecided', told(decided));
}

/** How a gate was decided; null where it was not, or so long ago that it is no longer kept. */
export function outcomeOf(state: PlanState, gate: string): GateView['outcome'] {
  return state.decided.findLast((decided) => decided.gate === gate)?.outcome ?? null;
}
