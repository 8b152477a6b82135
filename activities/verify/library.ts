import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const manifest = z.object({ name: z.string(), version: z.string() });

/**
 * The version of an installed library. Its package.json is searched upwards from its entry point, because `exports`
 * often hides the manifest from `require`.
 *
 * @param entry the resolved entry point: what `require.resolve(name)` gave
 * @returns the version, or "unknown" where no manifest of that name is found
 */
export function libraryVersion(name: string, entry: string): string {
  for (let folder = dirname(entry); ; folder = dirname(folder)) {
    const parsed = manifest.safeParse(readJson(join(folder, 'package.json')));
    if (parsed.success && parsed.data.name === name) return parsed.data.version;
    if (dirname(folder) === folder) return 'unknown';
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
