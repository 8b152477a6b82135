/** `approvers:` of the policy: who may decide, by the keys that prove it. */
import { z } from 'zod';
import { PUBLIC_KEY } from '../plan/signing';

const approver = z.strictObject({
  /** What stands as `by` of a decision. */
  name: z
    .string()
    .min(1)
    .max(200)
    .refine((name) => name.trim() === name && name.isWellFormed(), { error: 'a name without white space around it' }),
  /** Public key; `planwright approvers new` makes a pair and prints this line. */
  key: z.string().regex(PUBLIC_KEY, { error: 'expected "ed25519:" and the base64 of 32 bytes' }),
});

export type Approver = z.output<typeof approver>;

/** A name stands for one key and a key for one name: a quorum counts people. */
export const approversShape = z
  .array(approver)
  .min(1)
  .max(1000)
  .superRefine((approvers, context) => {
    for (const member of ['name', 'key'] as const) {
      const seen = new Set<string>();
      for (const [index, one] of approvers.entries()) {
        // As rules compare the people whom they name.
        const value = member === 'name' ? one.name.normalize('NFKC').toLowerCase() : one.key;
        if (seen.has(value)) {
          context.addIssue({ code: 'custom', path: [index, member], message: `this ${member} stands there twice` });
        }
        seen.add(value);
      }
    }
  });
