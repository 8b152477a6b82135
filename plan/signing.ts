/** A signed decision: what its signature covers, and the form in which it travels. Pure; the cryptography is elsewhere. */
import { canonicalJson } from './canonical';
import type { Json } from './types';

export const SIGNED_DECISION = 'planwright.decision/1';

/** What travels beside a decision. */
export interface DecisionSignature {
  /** Used once: 16 to 64 characters of base64url. */
  nonce: string;
  /** ISO 8601 in UTC, with milliseconds or without; later than this the decision is worth nothing. */
  expires: string;
  /** Ed25519 (RFC 8032) over `signedBytes`, base64 of 64 bytes. */
  signature: string;
}

/** Everything that a signature covers. Each member is bound: a decision that differs in one has another signature. */
export interface SignedDecision {
  plan: string;
  gate: string;
  /** What the gate is about; null where the gate has no digest. */
  digest: string | null;
  decision: string;
  value: Json;
  /** Null without a reason. */
  reason: string | null;
  by: string;
  nonce: string;
  expires: string;
}

/** A decision may be signed this long before its expiry at most: for so long its nonce is remembered. */
export const LONGEST_VALIDITY_MS = 24 * 3_600_000;

const NONCE = /^[A-Za-z0-9_-]{16,64}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/;
const SIGNATURE = /^[A-Za-z0-9+/]{86}==$/;

/**
 * The signed text: canonical JSON (RFC 8785), to be taken as UTF-8.
 * @throws TypeError for what has no canonical form, such as a lone surrogate in a name
 */
export function signedText(signed: SignedDecision): string {
  const { plan, gate, digest, decision, value, reason, by, nonce, expires } = signed;
  return canonicalJson({ v: SIGNED_DECISION, plan, gate, digest, decision, value, reason, by, nonce, expires });
}

/** @returns what is wrong with the form of what came as `signed`; null where nothing is */
export function signatureFault(input: unknown): string | null {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return '"signed" is an object: { nonce, expires, signature }.';
  }
  const { nonce, expires, signature } = input as { [key: string]: unknown };
  if (typeof nonce !== 'string' || !NONCE.test(nonce)) return '"nonce" is 16 to 64 characters of A-Z a-z 0-9 _ -.';
  if (typeof expires !== 'string' || !INSTANT.test(expires) || Number.isNaN(Date.parse(expires))) {
    return '"expires" is a time in UTC such as 2026-01-31T12:00:00Z.';
  }
  if (typeof signature !== 'string' || !SIGNATURE.test(signature)) {
    return '"signature" is the base64 of 64 bytes.';
  }
  return null;
}

/** Why a signature is not in time; null where it is. @param now ISO time */
export function timeFault(expires: string, now: string): string | null {
  const left = Date.parse(expires) - Date.parse(now);
  if (left <= 0) return `its signature expired at ${expires}; it is ${now}. Sign it again.`;
  if (left > LONGEST_VALIDITY_MS) return `its signature expires at ${expires}, more than 24 hours from now (${now}).`;
  return null;
}

/** A public key as the policy writes it: `ed25519:` and the base64 of its 32 bytes. */
export const PUBLIC_KEY = /^ed25519:[A-Za-z0-9+/]{43}=$/;
