/**
 * `npm run test:cluster [-- jest's arguments]`: builds Planwright, and with Go the production server and its schema tool
 * in the version of docker-compose.temporal.yml (once, into the cache; a few minutes), then runs tests/cluster.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const require = createRequire(import.meta.url);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const SERVER_VERSION = '1.31.2';
const TOOLS = ['server', 'sql'];

/** @throws Error where Go is missing or refuses */
function buildServer(folder) {
  if (TOOLS.every((name) => existsSync(join(folder, name)))) return;
  process.stderr.write(`Building Temporal's server ${SERVER_VERSION} with Go; this takes 3 to 6 minutes, once.\n`);
  mkdirSync(folder, { recursive: true });
  const module = (path) => `go.temporal.io/server/cmd/${path}@v${SERVER_VERSION}`;
  const { status, error } = spawnSync('go', ['install', module('server'), module('tools/sql')], {
    env: { ...process.env, GOBIN: folder, GOFLAGS: '-mod=mod' },
    stdio: 'inherit',
  });
  if (status === 0) return;
  const why = error?.code === 'ENOENT' ? 'Go is not installed' : `go install ended with ${status}`;
  throw new Error(
    `${why}. Install Go 1.26, or name a folder that holds ${TOOLS.join(' and ')} in PLANWRIGHT_CLUSTER_BIN.`,
  );
}

async function run() {
  await build();
  const { findTemporalBinary } = require(join(root, 'dist', 'worker', 'embedded'));
  const { userFolders } = require(join(root, 'dist', 'store', 'layout'));
  const note = (line) => process.stderr.write(`${line}\n`);
  const temporal = await findTemporalBinary({ env: process.env, note });
  const { cache } = userFolders({ ...process.env, PLANWRIGHT_HOME: '' });
  const folder = process.env.PLANWRIGHT_CLUSTER_BIN ?? join(cache, 'cluster', SERVER_VERSION);
  buildServer(folder);
  const jest = join(dirname(require.resolve('jest/package.json')), 'bin', 'jest.js');
  const { status } = spawnSync(process.execPath, [jest, 'tests/cluster', ...process.argv.slice(2)], {
    cwd: root,
    env: { ...process.env, PLANWRIGHT_CLUSTER_BIN: folder, PLANWRIGHT_TEMPORAL_BIN: temporal.path },
    stdio: 'inherit',
  });
  return status ?? 1;
}

process.exitCode = await run().catch((error) => {
  process.stderr.write(`The cluster tests did not run: ${error.message}\n`);
  return 1;
});
