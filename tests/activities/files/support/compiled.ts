import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { transformFileSync } from '@swc/core';

export const REPOSITORY = resolve(__dirname, '../../../..');

/**
 * Compiles the rooms that the writer needs into a temporary directory, so that a plain `node` process can run
 * them (and be killed). Packages are found through NODE_PATH.
 *
 * @returns the directory; the caller deletes it
 */
export function compileRooms(rooms: string[]): string {
  const out = mkdtempSync(join(tmpdir(), 'planwright-compiled-'));
  for (const room of rooms) {
    const from = join(REPOSITORY, room);
    for (const file of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      const target = join(out, room, file.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, transformFileSync(join(from, file), OPTIONS).code);
    }
  }
  return out;
}

const OPTIONS = {
  jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
  module: { type: 'commonjs' },
} as const;
