import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical';
import type { ArtifactFile } from './types';

/** SHA-256 of bytes (a string is taken as UTF-8), as 64 lower-case hex characters. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** SHA-256 (hex) over canonical JSON (RFC 8785) of a value. Throws as `canonicalJson` does. */
export function digestOf(value: unknown): string {
  return sha256(canonicalJson(value));
}

type Bound = Pick<ArtifactFile, 'path' | 'sha256' | 'preSha256' | 'mode'>;

const bound = ({ path, sha256, preSha256, mode }: Bound): Bound => ({ path, sha256, preSha256, mode });

/** What a file gate is about: one file, its new content and mode, and the base it replaces. */
export function fileDigest(file: Bound): string {
  return digestOf(bound(file));
}

/** Digest of a whole artifact, in the order its files are written. */
export function artifactDigest(files: readonly Bound[]): string {
  return digestOf(files.map(bound));
}
