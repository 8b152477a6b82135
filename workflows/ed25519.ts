/**
 * Ed25519 (RFC 8032) in plain JavaScript: the workflow's sandbox has no crypto. Nothing secret is dealt with
 * here, so time that depends on values tells nothing. Loaded when the first signature comes: unused it costs a cached workflow nothing.
 */

function load() {
  const { ed25519 } = require('@noble/curves/ed25519') as typeof import('@noble/curves/ed25519');
  // Tables for many multiplications would take longer (60 ms) than the few signatures of one plan (6 ms, then 2).
  ed25519.Point.BASE.precompute(1);
  return ed25519;
}

let loaded: ReturnType<typeof load> | null = null;

/**
 * Strict: a signature that is not in its one canonical form, and a key of small order, are refused.
 * @param signature base64 of 64 bytes
 * @param key base64 of 32 bytes
 * @returns false for whatever is wrong with them
 */
export function verifyEd25519(signature: string, text: string, key: string): boolean {
  loaded ??= load();
  try {
    return loaded.verify(bytes(signature), new TextEncoder().encode(text), bytes(key), { zip215: false });
  } catch {
    // A key or a point that is none.
    return false;
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Base64 (RFC 4648) whose form was checked before. */
function bytes(base64: string): Uint8Array {
  const digits = [...base64.replace(/=+$/, '')].map((character) => ALPHABET.indexOf(character));
  const size = Math.floor((digits.length * 6) / 8);
  const at = (index: number): number => digits[index] ?? 0;
  return Uint8Array.from({ length: size }, (_, index) => {
    const bit = index * 8;
    const first = Math.floor(bit / 6);
    const window = (at(first) << 12) | (at(first + 1) << 6) | at(first + 2);
    return (window >> (10 - (bit % 6))) & 0xff;
  });
}
