/**
 * `npm test [-- jest's arguments]`: builds, finds a Temporal server for the tests that need one, runs jest, and ends
 * with one line alone: `N passed, N failed` (and `, N skipped` where some were).
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const require = createRequire(import.meta.url);
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * The environment without the settings that would let a test reach the user's own server, account or state:
 * every one of Planwright's, Temporal's and OpenAI's but for those that only lengthen or repeat a test.
 */
function isolated(env, home, temporal) {
  const kept = Object.entries(env).filter(([name]) => !/^(PLANWRIGHT(?!_(FAULT|MODEL)_)|TEMPORAL|OPENAI)_/.test(name));
  return { ...Object.fromEntries(kept), PLANWRIGHT_HOME: home, PLANWRIGHT_TEMPORAL_BIN: temporal };
}

/** Runs jest to its end; gives its exit code. An interrupt reaches jest by itself, and we still clean up after it. */
function jest(args, env) {
  const binary = join(dirname(require.resolve('jest/package.json')), 'bin', 'jest.js');
  const onInterrupt = () => undefined;
  process.on('SIGINT', onInterrupt);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [binary, ...args], { cwd: root, env, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('SIGINT', onInterrupt);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}

/** Most test files that get a second try on CI: more than these is no accident of a busy machine. */
const SECOND_TRIES = 6;

/** Counts from jest's report. A suite that could not be loaded has no tests, and counts as one failure. */
function counts(result, code) {
  if (!result) return { passed: 0, failed: 1, skipped: 0 };
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  return {
    passed: result.numPassedTests,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: result.numPendingTests + result.numTodoTests,
  };
}

const failedFiles = (result) =>
  result ? result.testResults.filter(({ status }) => status === 'failed').map(({ name }) => name) : [];

/**
 * Files with real servers and kills share a machine with each other, and on CI with strangers. What failed there is
 * run once more, alone; what fails twice is red. Each second try is named, so that a test that needs them is seen.
 */
async function again(first, files, runJest) {
  process.stderr.write(`Run once more, alone, because they failed beside the others:\n${files.join('\n')}\n`);
  const { result, code } = await runJest(['--maxWorkers=1', '--runTestsByPath', ...files]);
  const second = counts(result, code);
  const cases = first.testResults.filter(({ name }) => files.includes(name)).flatMap((suite) => suite.assertionResults);
  const passedBefore = cases.filter(({ status }) => status === 'passed').length;
  const pendingBefore = cases.filter(({ status }) => status === 'pending' || status === 'todo').length;
  const whole = counts(first, 1);
  process.stderr.write(`${second.failed === 0 ? 'They passed' : 'They failed again'}: ${files.join(', ')}\n`);
  return {
    passed: whole.passed - passedBefore + second.passed,
    failed: second.failed,
    skipped: whole.skipped - pendingBefore + second.skipped,
  };
}

async function run() {
  await build();
  const { findTemporalBinary } = require(join(root, 'dist', 'worker', 'embedded'));
  const temporal = await findTemporalBinary({
    env: process.env,
    note: (line) => process.stderr.write(`${line}\n`),
  });
  const scratch = mkdtempSync(join(tmpdir(), 'planwright-test-'));
  let rounds = 0;
  const runJest = async (args) => {
    rounds += 1;
    const report = join(scratch, `report-${rounds}.json`);
    const home = join(scratch, `home-${rounds}`);
    const env = isolated(process.env, home, temporal.path);
    const code = await jest([...args, '--json', `--outputFile=${report}`], env);
    return { result: existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : null, code };
  };
  try {
    const { result, code } = await runJest(process.argv.slice(2));
    const files = failedFiles(result);
    const secondTry = process.env.CI && files.length > 0 && files.length <= SECOND_TRIES;
    return secondTry ? await again(result, files, runJest) : counts(result, code);
  } finally {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
  }
}

const { passed, failed, skipped } = await run().catch((error) => {
  process.stderr.write(`The tests did not run: ${error.message}\n${error.advice ? `${error.advice}\n` : ''}`);
  return { passed: 0, failed: 1, skipped: 0 };
});
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed > 0 ? 1 : 0;
