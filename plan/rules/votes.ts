/** How the answers of several people become one outcome: the newest of each counts, and the outcome is set once. */
import type { Requirement } from './match';

/** One person's answer to a gate that is not settled by it. */
export interface Vote {
  by: string;
  decision: string;
  reason: string | null;
  /** ISO time. */
  at: string;
  /** Proven by a key that the policy names. */
  auth?: 'signed';
}

/** Who may answer a gate, and how many approvals it takes. */
export interface Ballot extends Pick<Requirement, 'approvals' | 'by' | 'excludeRequester'> {
  /** Who asked for the run. */
  requester: string;
}

/** Names are claims of people: letter case, width and blanks around make nobody a second person. */
const person = (name: string): string => name.normalize('NFKC').trim().toLowerCase();

/** A name without a machine (`ana`) is that user on any machine (`ana@laptop`). */
export function samePerson(one: string, other: string): boolean {
  const [a, b] = [person(one), person(other)];
  if (a === b) return true;
  const both = a.includes('@') && b.includes('@');
  return !both && userOf(a) === userOf(b);
}

const userOf = (name: string): string => name.split('@')[0] ?? name;

/**
 * The name by which a gate knows somebody: that of the list of those who may decide. There `ana` is one person, and
 * `ana@laptop` and `ana@desk` are both her: two machines make no two approvals.
 */
function known(by: Ballot['by'], who: string): string {
  return by?.find((name) => person(name) === person(who)) ?? by?.find((name) => samePerson(name, who)) ?? who;
}

/** True where a gate that these may decide takes the two names for one person. */
export const sameVoter = (by: Ballot['by'], one: string, other: string): boolean =>
  samePerson(one, other) || samePerson(known(by, one), known(by, other));

/** Decisions that let something happen. The requester may always say no to what was asked for. */
const GRANTS = ['approve', 'retry', 'raise'];

/** @returns why this person may not take this decision, in a sentence; null where they may */
export function forbidden({ by, excludeRequester, requester }: Ballot, who: string, decision: string): string | null {
  if (by && !by.some((name) => samePerson(name, who))) return `Policy lets ${by.join(', ')} decide here; not ${who}.`;
  if (excludeRequester && GRANTS.includes(decision) && sameVoter(by, who, requester)) {
    return `${who} asked for this run, and policy lets nobody ${decision} their own request.`;
  }
  return null;
}

/** The votes with one more: it replaces what the same person said before. @param may who may decide; null: anyone */
export function withVote(votes: readonly Vote[], vote: Vote, may: Ballot['by'] = null): Vote[] {
  return [...votes.filter(({ by }) => !sameVoter(may, by, vote.by)), vote];
}

/** True where these votes, one for each person, are the approvals that it takes. */
export function reachesQuorum({ approvals }: Pick<Ballot, 'approvals'>, votes: readonly Vote[]): boolean {
  return votes.filter(({ decision }) => decision === 'approve').length >= approvals;
}
