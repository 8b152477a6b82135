/** SHA-256 in plain JavaScript: the workflow's sandbox has no crypto. Loaded when the first gate opens that is about no file. */

function load() {
  const { sha256 } = require('@noble/hashes/sha2') as typeof import('@noble/hashes/sha2');
  return sha256;
}

let loaded: ReturnType<typeof load> | null = null;

/** SHA-256 of a text as UTF-8, in hex. */
export function sha256Hex(text: string): string {
  loaded ??= load();
  return Array.from(loaded(new TextEncoder().encode(text)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
