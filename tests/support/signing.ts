/** Decisions signed with node:crypto, apart from the product's own code for it. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Decide } from '../../plan/view';

export interface Signer {
  name: string;
  /** As the policy writes it. */
  key: string;
  privateKey: KeyObject;
}

export function newSigner(name: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return { name, key: `ed25519:${raw.toString('base64')}`, privateKey };
}

export interface Covered {
  plan: string;
  gate: string;
  digest: string | null;
  decision: string;
  value?: unknown;
  reason?: string | null;
  by: string;
  nonce?: string;
  expires?: string;
}

/** The signature over these values: what of them the decision then says is the test's business. */
export function signatureOver(privateKey: KeyObject, covered: Covered): NonNullable<Decide['signed']> {
  const nonce = covered.nonce ?? randomBytes(16).toString('base64url');
  const expires = covered.expires ?? new Date(Date.now() + 600_000).toISOString();
  const { plan, gate, digest, decision, value = null, reason = null, by } = covered;
  const text = canonicalize({
    v: 'planwright.decision/1',
    plan,
    gate,
    digest,
    decision,
    value,
    reason,
    by,
    nonce,
    expires,
  });
  return { nonce, expires, signature: sign(null, Buffer.from(text ?? ''), privateKey).toString('base64') };
}

/** A decision of a person who does everything right. */
export function signedDecision(signer: Signer, covered: Omit<Covered, 'by'>): Omit<Decide, 'value'> & { by: string } {
  const { plan: _, digest, nonce: _n, expires: _e, value: _v, reason, ...rest } = covered;
  return {
    ...rest,
    by: signer.name,
    ...(digest === null ? {} : { digest }),
    ...(reason ? { reason } : {}),
    signed: signatureOver(signer.privateKey, { ...covered, by: signer.name }),
  };
}
