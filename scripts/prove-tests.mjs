/**
 * `npm run test:mutants [-- NAME,…]`: shows that the tests can fail. Faults are put into a copy of the repository, one at a
 * time, and the tests that are there to find each are run: they pass without it, and must turn red with it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const require = createRequire(import.meta.url);
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Each: what is wrong, where, the text that is replaced (once), and the tests that must notice. */
const MUTANTS = [
  {
    name: 'a write without the journal',
    file: 'activities/files/writer.ts',
    from: 'await saveJournal(job.root, job.key, journal, job.files);\n  return journal;',
    to: 'return journal;',
    tests: ['tests/activities/files'],
  },
  {
    name: 'a backup taken twice',
    file: 'activities/files/writer.ts',
    from: 'kept !== undefined ? kept : replaces',
    to: 'replaces',
    tests: ['tests/activities/files'],
  },
  {
    name: 'a backup that a retried task forgets',
    file: 'workflows/making.ts',
    from: 'keepBackup: own.backups,',
    to: 'keepBackup: {},',
    tests: ['tests/workflows/backups.test.ts'],
  },
  {
    name: 'a finished call repeated',
    file: 'activities/llm/records.ts',
    from: 'if (before?.end?.completion)',
    to: 'if (before?.end?.completion && path === "")',
    tests: ['tests/activities/llm/records.test.ts'],
  },
  {
    name: 'a cascade that forgets a grandchild',
    file: 'plan/admission.ts',
    from: 'return [...dependentsOf(view.graph, id)].filter(',
    to: 'return [...dependentsOf(view.graph, id)].filter((one) => view.graph.nodes.some((node) => node.id === one && node.deps.includes(id))).filter(',
    tests: ['tests/workflows/model.test.ts'],
  },
  {
    name: 'a retry that runs completed tasks too',
    file: 'plan/admission.ts',
    from: "return retry && (status === 'failed' || status === 'skipped');",
    to: "return retry && status !== 'declined';",
    tests: ['tests/workflows/model.test.ts'],
  },
  {
    name: 'an approval of other bytes',
    file: 'workflows/ballots.ts',
    from: 'digest !== gate.digest',
    to: 'digest === ""',
    tests: ['tests/workflows/gates.test.ts'],
  },
  {
    name: 'a lost plan believed without looking',
    file: 'workflows/take-up.ts',
    from: 'if (stale.length > 0)',
    to: 'if (stale.length > 1_000)',
    tests: ['tests/workflows/take-up.test.ts'],
  },
  {
    name: 'an audit entry in another spelling',
    file: 'audit/entry.ts',
    from: 'if (canonical !== spelt)',
    to: "if (canonical === '')",
    tests: ['tests/audit/structure.test.ts'],
  },
  {
    name: 'the bytes around an audit entry unread',
    file: 'audit/entry.ts',
    from: 'if (around !== null) return around;',
    to: '',
    tests: ['tests/audit/structure.test.ts'],
  },
  {
    name: 'a torn audit line cut without evidence',
    file: 'audit/append.ts',
    from: 'await keepTorn(paths, { segment: name, offset: size, bytes: torn });',
    to: '',
    tests: ['tests/audit/append.test.ts'],
  },
  {
    name: 'a fork of the audit log unseen',
    file: 'audit/overlap.ts',
    from: 'return nextLine(head, log, projected).entry.hash === hash;',
    to: "return nextLine(head, log, projected).entry.hash !== '';",
    tests: ['tests/audit/append.test.ts'],
  },
  {
    name: 'a checkpoint of another log than the last',
    file: 'audit/signer.ts',
    from: 'entry.hash !== witness.head',
    to: "entry.hash === ''",
    tests: ['tests/audit/verify.test.ts'],
  },
  {
    name: 'a repair that forgets earlier ones',
    file: 'audit/repair.ts',
    from: 'own && !linkFault(head, log, own.entry)',
    to: 'own && head.size < 0',
    tests: ['tests/audit/repair.test.ts'],
  },
];

/** The files that git tracks or would track, without what is built. */
function copyRepository() {
  const copy = mkdtempSync(join(tmpdir(), 'planwright-mutants-'));
  // Some tests do a part as another user where they run as root, who is let in everywhere.
  chmodSync(copy, 0o755);
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' });
  for (const file of listed.split('\0').filter((name) => name !== '' && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

await build();
const { findTemporalBinary } = require(join(root, 'dist', 'worker', 'embedded'));
const temporal = await findTemporalBinary({ env: process.env, note: (line) => process.stderr.write(`${line}\n`) });
const copy = copyRepository();
const jest = join(dirname(require.resolve('jest/package.json')), 'bin', 'jest.js');
let runs = 0;

/** Runs tests in the copy. The workflow bundle is cached by the name of the run, so each has its own. */
function pass(tests) {
  const env = {
    ...process.env,
    PLANWRIGHT_TEMPORAL_BIN: temporal.path,
    PLANWRIGHT_TEST_RUN: `${process.pid}-${runs++}`,
  };
  const { status, stderr } = spawnSync(process.execPath, [jest, '--silent', '--ci', ...tests], {
    cwd: copy,
    env,
    encoding: 'utf8',
    timeout: 600_000,
  });
  return { passed: status === 0, output: stderr };
}

const wanted = process.argv[2]?.split(',');
const chosen = MUTANTS.filter(({ name }) => !wanted || wanted.some((part) => name.includes(part)));
let survivors = 0;
const sourceOf = ({ name, file, from }) => {
  const source = readFileSync(join(copy, file), 'utf8');
  if (source.split(from).length !== 2) throw new Error(`${name}: ${file} does not hold this once: ${from}`);
  return source;
};
try {
  // Before the long part: the product may have moved away from under a fault.
  for (const mutant of chosen) sourceOf(mutant);
  const sound = pass([...new Set(chosen.flatMap(({ tests }) => tests))]);
  if (!sound.passed) throw new Error(`The tests fail without any mutation:\n${sound.output}`);
  for (const mutant of chosen) {
    const { name, file, from, to, tests } = mutant;
    const path = join(copy, file);
    const source = sourceOf(mutant);
    writeFileSync(
      path,
      source.replace(from, () => to),
    );
    const { passed } = pass(tests);
    writeFileSync(path, source);
    process.stdout.write(`${passed ? 'SURVIVED' : 'red     '}  ${name} (${tests.join(', ')})\n`);
    if (passed) survivors++;
  }
  process.stdout.write(`${chosen.length - survivors} of ${chosen.length} faults turned the tests red\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  survivors++;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.exitCode = survivors > 0 ? 1 : 0;
