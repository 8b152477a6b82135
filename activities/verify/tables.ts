import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** The tables lie beside the sources; from `dist/` they are found through the package's root. */
export function tableFolder(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, 'activities', 'verify', 'schemas');
}

/** One table of `schemas/`, parsed. Where they come from and under which licences: `schemas/NOTICE.md`. */
export function readTable(name: 'kubernetes' | 'nginx' | 'systemd'): unknown {
  return JSON.parse(gunzipSync(readFileSync(join(tableFolder(), `${name}.json.gz`))).toString('utf8'));
}
