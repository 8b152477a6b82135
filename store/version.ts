import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

let version: string | undefined;

/** Planwright's version, from the package.json above this file; it stands in another place from sources than from `dist/`. */
export function packageVersion(): string {
  if (version !== undefined) return version;
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const found = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : null;
  version = typeof found === 'string' ? found : 'unknown';
  return version;
}
