/**
 * `npm run verify:corpus -- DIR`: every file below DIR through the embedded verifiers that apply to it, with the
 * files of its own folder beside it; prints what failed and the share of each verifier. DIR holds files that others wrote and that are known
 * to be good (unpacked packages), so that each failure is a false alarm until somebody has looked. Needs `npm run build`.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { verifyFiles, closeVerifiers } = require(join(root, 'dist', 'activities', 'verify', 'index.js'));

/** Test data is often broken on purpose. */
const BROKEN = /(?:^|\/)(?:_archived|testdata|fixtures?|__fixtures__|tests?|test-data|invalid|node_modules)\//;
const GENERAL = new Set(['text', 'secrets', 'json', 'toml']);
/** True of files that were good once: actions whose runners are gone. */
const AGED = /is too old to run on GitHub Actions/;

const [folder] = process.argv.slice(2);
if (!folder) throw new Error('Name a folder.');

function filesBelow(at) {
  return readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
    const path = join(at, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() && statSync(path).size < 262_144 ? [path] : [];
  });
}

/** The path inside of its package: what comes after the first folder that looks like a repository's own. */
const inside = (path) => relative(folder, path).split(sep).join('/');

const all = filesBelow(folder).map((path) => ({ path, inner: inside(path) }));
const tally = new Map();
let failures = 0;
for (const { path, inner } of all.filter((one) => !BROKEN.test(`/${one.inner}`))) {
  // Packages lie in folders of their own; a verifier knows files by their place in the repository.
  const name = inner.replace(/^[^/]+\//, '');
  const beside = all.filter((one) => dirname(one.path) === dirname(path) && one.path !== path).slice(0, 60);
  const chart = /(.*\/)templates\//.exec(path)?.[1];
  const extra = chart ? all.filter((one) => one.path.startsWith(chart) && one.path !== path).slice(0, 100) : [];
  const siblings = Object.fromEntries(
    [...beside, ...extra].map((one) => [one.inner.replace(/^[^/]+\//, ''), readFileSync(one.path, 'utf8')]),
  );
  const rows = await verifyFiles({
    files: [{ path: name, content: readFileSync(path), preContent: null }],
    verifiers: [],
    siblings,
  });
  for (const row of rows) {
    if (GENERAL.has(row.verifier) || row.verdict === 'skipped') continue;
    const counts = tally.get(row.verifier) ?? { files: 0, failed: 0, inconclusive: 0 };
    counts.files++;
    const errors = row.findings.filter((one) => one.severity === 'error' && !AGED.test(one.message));
    if (errors.length > 0) {
      counts.failed++;
      failures++;
      const [first] = errors;
      process.stdout.write(`${row.verifier}: ${inner}:${first.line ?? 0} ${first.rule}: ${first.message}\n`);
    } else if (row.verdict === 'inconclusive') counts.inconclusive++;
    tally.set(row.verifier, counts);
  }
}
let checks = 0;
for (const [verifier, { files, failed, inconclusive }] of [...tally].sort()) {
  checks += files;
  process.stdout.write(
    `${verifier.padEnd(14)} ${String(files).padStart(5)} files, ${failed} failed, ${inconclusive} inconclusive\n`,
  );
}
process.stdout.write(
  `${checks} checks, ${failures} failed (${((100 * failures) / Math.max(1, checks)).toFixed(2)} %)\n`,
);
await closeVerifiers();
