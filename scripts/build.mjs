/**
 * `npm run build`: TypeScript to `dist/`, then the workflow bundle ahead (a worker that has to make it itself
 * starts two to four seconds later). Both parts do only what changed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
/** TypeScript's record of what it compiled; named in tsconfig.build.json. */
const buildInfo = join(dist, '.tsbuildinfo');
const bundle = join(dist, 'workflow-bundle.js');
/** Digest of everything that went into the bundle. */
const bundleInputs = join(dist, 'workflow-bundle.inputs');

/** Names the code in `dist/`: a worker that was started with another one is replaced (store/worker-digest.ts). */
const buildId = join(dist, 'build-id');

/** All files below a folder, absolute, sorted; none where the folder does not exist. */
function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** The top-level folders that hold sources; tsconfig.build.json is the only list of them. */
function rooms() {
  return JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8')).include;
}

/**
 * Drops outputs whose source is gone. Makes `tsc` emit all again where an output is missing or the options changed:
 * it trusts its own record of what it wrote (measured with TypeScript 7: a changed `module` goes unnoticed).
 */
function tidy() {
  const sources = rooms()
    .flatMap((room) => filesBelow(join(root, room)))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
  const bases = new Set(sources.map((file) => relative(root, file).slice(0, -'.ts'.length)));
  for (const output of rooms().flatMap((room) => filesBelow(join(dist, room)))) {
    const [, base] = /^(.*?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(relative(dist, output)) ?? [];
    if (base !== undefined && !bases.has(base)) rmSync(output);
  }
  if (!existsSync(buildInfo)) return;
  const written = statSync(buildInfo).mtimeMs;
  const optionsChanged = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'].some(
    (name) => statSync(join(root, name)).mtimeMs > written,
  );
  if (optionsChanged || [...bases].some((base) => !existsSync(join(dist, `${base}.js`)))) rmSync(buildInfo);
}

function compile() {
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error('The TypeScript sources do not compile; see above.');
}

/** The workflow's own code, what it may import, and the SDK that bundles it. */
function digestOfBundleInputs() {
  const hash = createHash('sha256').update(require('@temporalio/worker/package.json').version);
  const files = ['workflows', 'plan'].flatMap((room) => filesBelow(join(dist, room)));
  for (const file of [...files, join(dist, 'activities', 'types.js')].filter((name) => name.endsWith('.js'))) {
    hash.update(`\0${relative(dist, file)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

/** Replaces a file whole, so that a worker that starts meanwhile reads the old one or the new one. */
function replace(path, content) {
  const temp = `${path}.${process.pid}.tmp`;
  writeFileSync(temp, content);
  renameSync(temp, path);
}

async function bundleWorkflows() {
  const entry = join(dist, 'workflows', 'index.js');
  if (!existsSync(entry)) throw new Error('workflows/index.ts is missing: there is no workflow to bundle.');
  const digest = digestOfBundleInputs();
  const known = existsSync(bundle) && existsSync(bundleInputs) ? readFileSync(bundleInputs, 'utf8') : null;
  if (known === digest) return;
  const { bundleWorkflowCode, DefaultLogger } = require('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: entry,
    failureConverterPath: join(dist, 'workflows', 'failure-converter.js'),
    logger: new DefaultLogger('WARN'),
  });
  rmSync(bundleInputs, { force: true });
  replace(bundle, code);
  replace(bundleInputs, digest);
}

function digestOfOutputs() {
  const hash = createHash('sha256');
  for (const file of rooms()
    .flatMap((room) => filesBelow(join(dist, room)))
    .filter((name) => name.endsWith('.js'))) {
    hash.update(`\0${relative(dist, file)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

/** Brings `dist/` up to date. Throws, with what to look at, where the sources do not build. */
export async function build() {
  mkdirSync(dist, { recursive: true });
  tidy();
  compile();
  await bundleWorkflows();
  replace(buildId, digestOfOutputs());
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await build().catch((error) => {
    process.stderr.write(`The build failed: ${error.message}\n`);
    process.exitCode = 1;
  });
}
