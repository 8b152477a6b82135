/** `npm run verify`: what CI runs. Format and lint, types, build, tests; stops at the first that fails. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const script = (name) => join(root, 'scripts', name);
const tool = (name, ...path) => join(dirname(require.resolve(`${name}/package.json`)), ...path);

/** In a log that no terminal reads, Biome colours every character by itself. */
const colours = process.stdout.isTTY ? [] : ['--colors=off'];

const steps = [
  ['format and lint', tool('@biomejs/biome', 'bin', 'biome'), 'ci', '--error-on-warnings', ...colours, '.'],
  ['types', tool('typescript', 'bin', 'tsc'), '--noEmit', '-p', 'tsconfig.json'],
  ['build', script('build.mjs')],
  ['tests', script('test.mjs')],
];

for (const [name, ...args] of steps) {
  process.stdout.write(`\n== ${name}\n`);
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) continue;
  process.exitCode = 1;
  // The tests end with this line themselves; where they were not reached, the failed step is the one failure.
  if (name !== 'tests') {
    process.stderr.write(`verify stopped at: ${name}\n`);
    process.stdout.write('0 passed, 1 failed\n');
  }
  break;
}
