import { posix } from 'node:path';
import { isEnvExample, isProductionSource, isSecret } from './names';
import { readRegularFile } from './read';

/** The project as the fact finders see it: a value, so that they are functions of it. */
export interface Tree {
  /** Base name of the workspace's directory. */
  name: string;
  /** The project's files, relative with `/`, in code-unit order. */
  paths: readonly string[];
  /** Production sources whose text is known, shallowest first. */
  sources: readonly string[];
  has(path: string): boolean;
  /** Text of a manifest, configuration file or source; undefined where it is absent or was not read. */
  text(path: string): string | undefined;
}

/** Builds a tree from texts that are already there. */
function treeOf(name: string, paths: readonly string[], texts: ReadonlyMap<string, string>): Tree {
  const known = new Set(paths);
  return {
    name,
    paths,
    sources: shallowestFirst(paths.filter((path) => texts.has(path) && isProductionSource(path))),
    has: (path) => known.has(path),
    text: (path) => texts.get(path),
  };
}

/** One directory of a tree as a tree of its own: paths are relative to it. */
export function subTree(tree: Tree, folder: string): Tree {
  const prefix = `${folder}/`;
  const below = (paths: readonly string[]): string[] =>
    paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  const paths = below(tree.paths);
  const known = new Set(paths);
  return {
    name: posix.basename(folder),
    paths,
    sources: below(tree.sources),
    has: (path) => known.has(path),
    text: (path) => tree.text(`${prefix}${path}`),
  };
}

const MANIFESTS = new Set(
  (
    'package.json pnpm-workspace.yaml lerna.json tsconfig.json tsconfig.build.json .nvmrc .node-version .tool-versions ' +
    'pyproject.toml setup.py setup.cfg tox.ini noxfile.py Pipfile .python-version runtime.txt Procfile pytest.ini ' +
    'go.mod go.work Cargo.toml rust-toolchain rust-toolchain.toml pom.xml build.gradle build.gradle.kts .java-version ' +
    'application.properties application.yml application.yaml schema.prisma Makefile makefile GNUmakefile Dockerfile'
  ).split(' '),
);
const LOCKFILES_READ = new Set(['yarn.lock', 'pnpm-lock.yaml']);
const REQUIREMENTS = /(^|\/)([\w.-]*requirements[\w.-]*|requirements\/[\w.-]+)\.(txt|in)$/;

const MAX_SOURCES = 400;
const MAX_SOURCE_BYTES = 256 * 1024;
const MAX_MANIFESTS = 200;
const MAX_MANIFEST_BYTES = 1024 * 1024;
const MAX_LOCKFILE_BYTES = 8 * 1024 * 1024;

function isManifest(path: string): boolean {
  const name = posix.basename(path);
  return MANIFESTS.has(name) || REQUIREMENTS.test(path) || isEnvExample(path) || LOCKFILES_READ.has(path);
}

/** Reads the texts that facts are found in. Secrets are never among them. */
export async function loadTree(root: string, name: string, paths: readonly string[]): Promise<Tree> {
  const open = paths.filter((path) => !isSecret(path));
  const manifests = shallowestFirst(open.filter(isManifest)).slice(0, MAX_MANIFESTS);
  const sources = shallowestFirst(open.filter(isProductionSource)).slice(0, MAX_SOURCES);
  const texts = new Map<string, string>();
  const load = async (path: string, maxBytes: number): Promise<void> => {
    const read = await readRegularFile(root, path, maxBytes);
    if (typeof read !== 'string') texts.set(path, read.content.toString('utf8').replace(/^\uFEFF/, ''));
  };
  for (const path of manifests) await load(path, LOCKFILES_READ.has(path) ? MAX_LOCKFILE_BYTES : MAX_MANIFEST_BYTES);
  for (const path of sources) await load(path, MAX_SOURCE_BYTES);
  return treeOf(name, paths, texts);
}

function shallowestFirst(paths: readonly string[]): string[] {
  const depth = (path: string): number => path.split('/').length;
  return [...paths].sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : a > b ? 1 : 0));
}
