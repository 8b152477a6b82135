/** In whose name a decision goes out, and with which signature. */
import { resolve } from 'node:path';
import { maskTexts } from '../../plan/mask';
import type { Decide } from '../../plan/view';
import { envMask } from '../../store/env-secrets';
import type { Context } from './context';

export interface Signer {
  by: string;
  /** The decision as it is sent: signed where there is a key. */
  sign(plan: string, decision: Decide): Decide;
}

/**
 * With a key, and without `--as`, it is the one whom the workspace's policy knows by that key.
 * @throws UsageError where the key file is not fit for one
 */
export async function signerOf(context: Context, given: { as?: string; key?: string }): Promise<Signer> {
  const { io } = context;
  if (given.key === undefined) return { by: given.as ?? io.user(), sign: (_plan, decision) => decision };
  const key = io.rooms.signingKey(resolve(io.cwd, given.key), context.layout());
  const by = given.as ?? (await io.rooms.approverOf(key.publicKey, context.layout())) ?? io.user();
  return {
    by,
    sign(plan, given) {
      // Before it is signed: the wire lets pass what is, and the words stay in the history for weeks.
      const decision = maskTexts(given, envMask(io.env));
      const { gate, digest = null, value = null, reason = null } = decision;
      const covered = { plan, gate, digest, decision: decision.decision, value, reason, by: decision.by };
      return { ...decision, signed: key.sign(covered, io.now()) };
    },
  };
}
