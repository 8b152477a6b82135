import { posix } from 'node:path';
import type { FoundCommand, WorkspaceFacts } from '../../plan/types';
import { codeMatches } from './finding';
import { isDerivedDirectory } from './names';
import { type PackageManager, runScript } from './node-package-manager';
import { fileOfScript, startScript } from './node-scripts';
import { type Dict, dictAt, isDict, stringAt, stringMapAt } from './shape';
import type { Tree } from './tree';

export interface NodeKind {
  library: boolean;
  cli: boolean;
  start: FoundCommand | null;
  entryPoint: string | null;
}

const ENDINGS = ['', '.js', '.mjs', '.cjs', '.ts', '.mts', '/index.js', '/index.ts'];
const LISTENS =
  /\.listen\(\s*(?:process\.env|\+|Number|parseInt|\d|port\b|PORT\b|\{|config\b|env\b|options\b|normalizePort)/g;

/** A file as Node would resolve it. One in a build's output need not be there yet. */
function resolveFile(tree: Tree, written: string): string | null {
  const path = posix.normalize(written).replace(/^\.\//, '').replace(/\/$/, '');
  if (path.startsWith('..') || posix.isAbsolute(path)) return null;
  const found = ENDINGS.map((ending) => path + ending).find((candidate) => tree.has(candidate));
  if (found) return found;
  const [top = ''] = path.split('/');
  const built = path.includes('/') && (isDerivedDirectory(top) || ['out', 'lib', 'esm', 'cjs'].includes(top));
  return built ? (posix.extname(path) ? path : `${path}.js`) : null;
}

const listens = (tree: Tree, path: string): boolean => !codeMatches(tree.text(path) ?? '', LISTENS).next().done;

/** The file of a package that starts by itself although no script says so: it listens, and exports nothing to others. */
function standaloneEntry(manifest: Dict, tree: Tree): string | null {
  const candidates = [stringAt(manifest, 'main') ?? 'index.js', 'server.js', 'app.js', 'src/server.js', 'src/index.js'];
  for (const candidate of candidates) {
    const path = resolveFile(tree, candidate);
    if (path && listens(tree, path)) return path;
  }
  return null;
}

/**
 * The file that a script for development watches ("node --watch index.js"), where some source listens: large services boot in
 * an entry file that does not listen itself, and leave starting to their deployment.
 */
function watchedEntry(manifest: Dict, tree: Tree): string | null {
  const scripts = stringMapAt(manifest, 'scripts');
  const script = ['dev', 'start:dev', 'develop', 'serve'].map((name) => scripts[name]).find(Boolean) ?? '';
  const file = /^[\s\S]{0,200}\b(?:node|nodemon)\s/.test(script) ? fileOfScript(script) : null;
  const path = file ? resolveFile(tree, file) : null;
  return path && tree.sources.some((source) => listens(tree, source)) ? path : null;
}

/** Made for others to import: it has the marks that only a package for a registry needs. */
function isPackaged(manifest: Dict): boolean {
  return ['exports', 'files', 'types', 'typings', 'module', 'publishConfig', 'browser'].some(
    (key) => manifest[key] !== undefined,
  );
}

/**
 * Whether a package is a service, a command-line tool or a library, and what starts it. A published package without a start
 * script is a library, or a tool where it has `bin`; `npm init` gives a service the same shape except for the
 * registry's marks, so there the code decides.
 */
export function nodeKind(manifest: Dict, tree: Tree, manager: PackageManager): NodeKind {
  const published =
    manifest.private !== true && stringAt(manifest, 'name') !== null && stringAt(manifest, 'version') !== null;
  const packaged = published && isPackaged(manifest);
  const bin = binOf(manifest, tree);
  const script = startScript(stringMapAt(manifest, 'scripts'));
  // A published package's start script runs a demonstration, unless its own code serves.
  if (script && !(packaged && (bin || !tree.sources.some((path) => listens(tree, path))))) {
    const written = fileOfScript(script.script);
    const main = stringAt(manifest, 'main') ?? 'index.js';
    const entryPoint = written ? resolveFile(tree, written === '.' ? main : written) : null;
    const start = { run: runScript(manager, script.name), source: `package.json scripts.${script.name}` };
    return { library: false, cli: false, start, entryPoint };
  }
  if (bin)
    return { library: false, cli: true, start: { run: `node ${bin}`, source: 'package.json bin' }, entryPoint: bin };
  const entry = packaged ? null : (standaloneEntry(manifest, tree) ?? watchedEntry(manifest, tree));
  if (entry && /\.[cm]?js$/.test(entry)) {
    const source = entry === stringAt(manifest, 'main') ? 'package.json main' : entry;
    return { library: false, cli: false, start: { run: `node ${entry}`, source }, entryPoint: entry };
  }
  return { library: published && (packaged || manifest.main !== undefined), cli: false, start: null, entryPoint: null };
}

function binOf(manifest: Dict, tree: Tree): string | null {
  const { bin } = manifest;
  const named = isDict(bin) ? dictAt(manifest, 'bin')[stringAt(manifest, 'name') ?? ''] : undefined;
  const first = isDict(bin) ? Object.values(bin)[0] : bin;
  const written = [named, first].find((value): value is string => typeof value === 'string');
  return written ? resolveFile(tree, written) : null;
}

const FRAMEWORK_OUTPUT: readonly (readonly [command: RegExp, output: string])[] = [
  [/\bnext build\b/, '.next'],
  [/\bnuxt(i)? build\b/, '.output'],
  [/\breact-scripts build\b/, 'build'],
  [/\b(vite build|astro build|vue-cli-service build)\b/, 'dist'],
];
const BUNDLER = /\b(nest build|tsup|parcel build|rspack build|unbuild|microbundle)\b/;

/** Where the build script puts its output; null where there is no build, or it cannot be told. */
export function nodeBuildOutput(
  manifest: Dict,
  script: string | undefined,
  outDir: string | null,
): WorkspaceFacts['buildOutput'] {
  if (script === undefined) return null;
  const flag = /--?(?:out-?dir|outdir|outDir|d|dist-dir)[= ]+["']?([\w./-]+)/.exec(script)?.[1];
  const framework = FRAMEWORK_OUTPUT.find(([command]) => command.test(script))?.[1];
  const bin = Object.values(stringMapAt(manifest, 'bin'))[0] ?? stringAt(manifest, 'bin') ?? '';
  const shipped = [stringAt(manifest, 'main') ?? '', bin].map(
    (file) => /^(?:\.\/)?(dist|build|out|lib)\//.exec(file)?.[1],
  );
  const usual = BUNDLER.test(script) ? 'dist' : undefined;
  const written = flag ?? framework ?? outDir ?? shipped.find(Boolean) ?? usual;
  const path = written ? posix.normalize(written).replace(/\/$/, '') : '.';
  return path === '.' || path.startsWith('..') || posix.isAbsolute(path) ? null : path;
}
