/**
 * Who decides. Where the policy names approvers, a decision counts only with the signature of the one in whose name
 * it comes, over exactly this decision; it is good once, and for a time. Every way in meets this before any other rule.
 */
import { currentUpdateInfo } from '@temporalio/workflow';
import { type DecisionSignature, signatureFault, signedText, timeFault } from '../plan/signing';
import type { Decide, GateView } from '../plan/view';
import { verifyEd25519 } from './ed25519';
import { RulingRefused } from './refused';
import type { PlanState } from './state';

/** A nonce is kept until its decision has expired: after that the expiry refuses it. */
export interface UsedNonce {
  by: string;
  nonce: string;
  /** ISO time. */
  expires: string;
  /** Id of the update that brought it; null for a signal. The same update may come again, after continue-as-new. */
  update: string | null;
}

/**
 * @param gate the one that the decision names, open or decided
 * @param at ISO time of the workflow
 * @returns `signed` where the policy asks for it, and the name is proven; otherwise the name is a claim
 * @throws RulingRefused of type NotAllowed, or StaleDigest
 */
export function identify(state: PlanState, decide: Decide, gate: GateView, at: string): 'signed' | 'claimed' {
  const { approvers } = state.policy;
  if (!approvers) return 'claimed';
  const signed = signatureOf(decide);
  const approver = approvers.find(({ name }) => name === decide.by);
  if (!approver) refuse(`"${decide.by}" is none of the approvers that the policy names.`);
  const late = timeFault(signed.expires, at);
  if (late) refuse(`The decision of ${decide.by} does not count: ${late}`);
  const digest = decide.digest ?? null;
  if (digest !== gate.digest) {
    throw new RulingRefused(
      'StaleDigest',
      `Gate ${gate.gate} is about ${gate.digest ?? 'no file'}; the decision was signed for ${digest ?? 'no file'}. Look again, then decide.`,
    );
  }
  if (!isSignedBy(approver.key, state.view.id, decide, signed)) {
    refuse(
      `The signature of ${decide.by} does not fit: it was made with another key, or for another decision, gate or plan.`,
    );
  }
  useUp(
    state,
    { by: decide.by, nonce: signed.nonce, expires: signed.expires, update: currentUpdateInfo()?.id ?? null },
    at,
  );
  return 'signed';
}

function signatureOf({ by, signed }: Decide): DecisionSignature {
  if (!signed) {
    refuse(`The policy wants signed decisions, and this one, by "${by}", is not: planwright approve --key FILE signs.`);
  }
  const fault = signatureFault(signed);
  if (fault) refuse(`The signature of "${by}" has the wrong form: ${fault}`);
  return signed;
}

function isSignedBy(
  key: string,
  plan: string,
  decide: Decide,
  { nonce, expires, signature }: DecisionSignature,
): boolean {
  const { gate, digest = null, decision, value = null, reason = null, by } = decide;
  let text: string;
  try {
    text = signedText({ plan, gate, digest, decision, value, reason, by, nonce, expires });
  } catch (error) {
    // Text that has no canonical form cannot have been signed.
    if (error instanceof TypeError) return false;
    throw error;
  }
  return verifyEd25519(signature, text, key.slice('ed25519:'.length));
}

function useUp(state: PlanState, used: UsedNonce, at: string): void {
  const kept = (state.nonces ?? []).filter(({ expires }) => Date.parse(expires) > Date.parse(at));
  state.nonces = kept;
  const before = kept.find(({ by, nonce }) => by === used.by && nonce === used.nonce);
  if (before && (used.update === null || before.update !== used.update)) {
    refuse(`This signed decision of ${used.by} was used before. Sign a new one.`);
  }
  if (!before) state.nonces = [...kept, used];
}

function refuse(message: string): never {
  throw new RulingRefused('NotAllowed', message);
}
