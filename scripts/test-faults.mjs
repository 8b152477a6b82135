/**
 * `npm run test:faults [-- --rounds N] [--seed S] [--only KIND,…]`: builds, finds a Temporal server, and runs the fault
 * series (tests/faults/) with real processes. Not part of `npm test`: 150 rounds take half an hour on two cores.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';

const require = createRequire(import.meta.url);
const root = dirname(dirname(fileURLToPath(import.meta.url)));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
});

await build();
const { findTemporalBinary } = require(join(root, 'dist', 'worker', 'embedded'));
const temporal = await findTemporalBinary({ env: process.env, note: (line) => process.stderr.write(`${line}\n`) });
const home = mkdtempSync(join(tmpdir(), 'planwright-faults-'));
const kept = Object.entries(process.env).filter(([name]) => !/^(PLANWRIGHT(?!_FAULT_)|TEMPORAL|OPENAI)_/.test(name));
const given = Object.entries(values).map(([name, value]) => [`PLANWRIGHT_FAULT_${name.toUpperCase()}`, value]);
const env = {
  ...Object.fromEntries([...kept, ...given]),
  PLANWRIGHT_HOME: home,
  PLANWRIGHT_TEMPORAL_BIN: temporal.path,
};
const jest = join(dirname(require.resolve('jest/package.json')), 'bin', 'jest.js');
const config = join(root, 'tests', 'faults', 'jest.config.js');
const child = spawn(process.execPath, [jest, '--config', config, ...positionals], { cwd: root, env, stdio: 'inherit' });
process.on('SIGINT', () => undefined);
child.on('close', (code) => {
  rmSync(home, { recursive: true, force: true });
  process.exitCode = code ?? 1;
});
