/** One person's answer to an open gate: whether it may count, and whether it settles the gate. */
import { DECISIONS } from '../plan/gates';
import { type Ballot, forbidden, reachesQuorum, sameVoter, type Vote, withVote } from '../plan/rules/votes';
import type { Decide, GateView } from '../plan/view';
import { RulingRefused } from './refused';

const LARGEST_BUDGET = 1e12;

export const ballotOf = ({ approvals, may, excludeRequester, requester }: GateView): Ballot => ({
  approvals: approvals ?? 1,
  by: may ?? null,
  excludeRequester: excludeRequester ?? false,
  requester: requester ?? '',
});

/**
 * The rules that an answer has to keep, in the order a person would want to hear of them.
 * @throws RulingRefused
 */
export function checkAnswer(gate: GateView, decide: Decide): void {
  const { decision, digest, reason, value, by } = decide;
  if (!DECISIONS[gate.kind].includes(decision)) {
    throw new RulingRefused(
      'BadInput',
      `A ${gate.kind} gate takes ${DECISIONS[gate.kind].join(', ')}; not "${decision}".`,
    );
  }
  if (digest && gate.digest && digest !== gate.digest) {
    throw new RulingRefused(
      'StaleDigest',
      `Gate ${gate.gate} is about ${gate.digest}; the decision is about ${digest}. Look again, then decide.`,
    );
  }
  const reproach = forbidden(ballotOf(gate), by, decision);
  if (reproach) throw new RulingRefused('NotAllowed', reproach);
  if (decision === 'request-changes' && !reason?.trim()) {
    throw new RulingRefused('BadInput', 'request-changes needs a reason: it is what the next generation is told.');
  }
  if (decision === 'raise') checkValue(gate, value);
}

function checkValue({ budget }: GateView, value: Decide['value']): asserts value is number {
  const used = budget?.used ?? 0;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > used && value <= LARGEST_BUDGET) return;
  throw new RulingRefused(
    'BadInput',
    `raise needs "value": the new limit of ${budget?.what ?? 'tokens'}, a whole number above ${used}, which is what was used so far.`,
  );
}

/** The gate with this answer in it. */
export interface Counted {
  votes: Vote[];
  /** True where it settles the gate: the quorum of approvals, or any other decision by one who may. */
  settles: boolean;
}

export function count(gate: GateView, vote: Vote): Counted {
  const votes = withVote(gate.votes ?? [], vote, gate.may ?? null);
  return { votes, settles: vote.decision !== 'approve' || reachesQuorum(ballotOf(gate), votes) };
}

/** The answer that this person gave before, where it stands and is the same. */
export function sameBefore({ votes, outcome, may = null }: GateView, { by, decision }: Decide): Vote | null {
  const vote = votes?.find((one) => sameVoter(may, one.by, by) && one.decision === decision);
  if (!vote) return null;
  return outcome === null || outcome.decision === decision ? vote : null;
}

/** Who decided and when, for those who come later. */
export function told({ gate, outcome, votes }: GateView): string {
  if (!outcome) return `Gate ${gate} is open.`;
  const approvals = (votes ?? []).filter(({ decision }) => decision === 'approve');
  if (outcome.decision !== 'approve' || approvals.length < 2) {
    return `Gate ${gate} was already decided: ${outcome.decision} by ${outcome.by} at ${outcome.at}.`;
  }
  const names = approvals.map(({ by, at }) => `${by} at ${at}`).join(', ');
  return `Gate ${gate} was already decided: approve by ${names}.`;
}
