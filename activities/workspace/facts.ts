import type { Language, WorkspaceFacts } from '../../plan/types';
import type { PackageFacts } from '../../plan/workspace';
import { findExisting } from './existing';
import type { EcosystemFacts } from './finding';
import type { GitFacts } from './git';
import { goFacts } from './go';
import { javaFacts } from './java';
import { findMetricsPath } from './metrics';
import { languageOf } from './names';
import { nodeFacts } from './node';
import { findHealthPath, findPorts } from './ports';
import { pythonFacts } from './python';
import { rustFacts } from './rust';
import { findEnvNames, findNative, findServices } from './services';
import { dictAt, parseJson } from './shape';
import { subTree, type Tree } from './tree';

const READERS: readonly (readonly [Language, (tree: Tree) => EcosystemFacts | null])[] = [
  ['node', nodeFacts],
  ['python', pythonFacts],
  ['go', goFacts],
  ['rust', rustFacts],
  ['java', javaFacts],
];

const MAX_PACKAGES = 40;

/** Everything that the project says of itself. A function of what was read: the same project gives the same facts. */
export function factsOf(tree: Tree, git: GitFacts, topLevel: readonly string[]): WorkspaceFacts {
  const { found, chosen, language, others } = readEcosystem(tree);
  const { dependencies, ...own } = found;
  const packages = found.packages ?? (chosen ? [] : manifestFolders(tree));
  const parts = packages.slice(0, MAX_PACKAGES).flatMap((folder) => packageFacts(tree, folder) ?? []);
  return {
    name: tree.name,
    typescript: false,
    library: false,
    runtime: null,
    testVersions: [],
    engines: null,
    packageManager: null,
    install: null,
    build: null,
    test: null,
    lint: null,
    start: null,
    typecheck: null,
    scripts: makeTargets(tree),
    entryPoint: null,
    buildOutput: null,
    ...own,
    packages,
    ...(parts.length > 0 ? { packageFacts: parts } : {}),
    language,
    otherLanguages: others,
    ...served(tree, language, found),
    envNames: findEnvNames(tree),
    ...(chosen ? { runtimeDependencies: found.runtimeDependencies ?? dependencies.length } : {}),
    nativeDependencies: findNative(dependencies),
    ...git,
    existing: findExisting(tree.paths),
    topLevel: [...topLevel].sort().slice(0, 100),
  };
}

interface Ecosystem {
  found: EcosystemFacts;
  /** False where no manifest could be read. */
  chosen: boolean;
  language: Language;
  others: Language[];
}

function readEcosystem(tree: Tree): Ecosystem {
  const counts = countLanguages(tree);
  const read = READERS.flatMap(([language, reader]) => {
    const facts = reader(tree);
    return facts ? [{ language, facts }] : [];
  });
  // A manifest may be there for tooling only (a package.json for prettier): most sources decide between several.
  // A package.json without a name to publish, an entry point or a start script only brings an application its front end.
  const weight = ({ language, facts }: (typeof read)[number]): number =>
    isFrontEndOnly(tree, language, facts) ? -1 : (counts.get(language) ?? 0);
  read.sort((a, b) => weight(b) - weight(a));
  const chosen = read[0];
  const language = chosen?.language ?? [...counts.keys()][0] ?? 'unknown';
  const seen = new Set([...counts.keys(), ...read.map((one) => one.language)]);
  const others = [...seen].filter((other) => other !== language);
  return { found: chosen?.facts ?? { dependencies: [] }, chosen: chosen !== undefined, language, others };
}

/**
 * A package.json that starts nothing, exports nothing and has no dependencies to run with, beside a manifest of another language: its
 * scripts bundle and test what the application serves.
 */
function isFrontEndOnly(tree: Tree, language: Language, facts: EcosystemFacts): boolean {
  if (language !== 'node' || facts.start || facts.library) return false;
  return Object.keys(dictAt(parseJson(tree.text('package.json')), 'dependencies')).length === 0;
}

function served(
  tree: Tree,
  language: Language,
  found: EcosystemFacts,
): Pick<WorkspaceFacts, 'ports' | 'healthPath' | 'metricsPath' | 'services'> {
  const serves = found.library || found.cli ? null : startText(found);
  const metricsPath = serves ? findMetricsPath(tree, language, found.dependencies) : null;
  return {
    ports: findPorts(tree, language, serves),
    healthPath: serves ? findHealthPath(tree) : null,
    ...(metricsPath ? { metricsPath } : {}),
    services: findServices(found.dependencies, tree),
  };
}

/** One package of a monorepo, as if its directory were the workspace. Null where it has no manifest that can be read. */
function packageFacts(root: Tree, path: string): PackageFacts | null {
  const tree = subTree(root, path);
  const { found, chosen, language } = readEcosystem(tree);
  if (!chosen) return null;
  return {
    path,
    name: found.name ?? tree.name,
    ...(found.version ? { version: found.version } : {}),
    language,
    typescript: found.typescript ?? false,
    library: found.library ?? false,
    ...(found.cli ? { cli: true } : {}),
    build: found.build ?? null,
    test: found.test ?? null,
    start: found.start ?? null,
    scripts: found.scripts ?? {},
    entryPoint: found.entryPoint ?? null,
    buildOutput: found.buildOutput ?? null,
    ...served(tree, language, found),
    envNames: findEnvNames(tree),
  };
}

/** Production sources by language, most first; a language of the same number of files keeps the readers' order. */
function countLanguages(tree: Tree): Map<Language, number> {
  const counts = new Map<Language, number>();
  for (const path of tree.sources) {
    const language = languageOf(path);
    if (language) counts.set(language, (counts.get(language) ?? 0) + 1);
  }
  return new Map([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
}

/** What starts the service, with a script's own text where a package manager runs it by name. */
function startText(found: EcosystemFacts): { script: string; source: string } {
  const source = found.start?.source ?? '';
  const script = found.scripts?.[source.replace('package.json scripts.', '')];
  return { script: script ?? found.start?.run ?? '', source };
}

/** Directories with a manifest of their own, where the root has none: the project is a collection. */
function manifestFolders(tree: Tree): string[] {
  const manifest =
    /^((?:[^/]+\/){1,2})(?:package\.json|pyproject\.toml|requirements\.txt|go\.mod|Cargo\.toml|pom\.xml)$/;
  return [...new Set(tree.paths.flatMap((path) => manifest.exec(path)?.[1]?.slice(0, -1) ?? []))];
}

/** Targets of a Makefile with the first line of their recipe. */
function makeTargets(tree: Tree): { [name: string]: string } {
  const file = ['GNUmakefile', 'makefile', 'Makefile'].find(tree.has);
  const text = (file ? tree.text(file) : undefined) ?? '';
  const targets = [...text.matchAll(/^([A-Za-z][\w-]*)\s*:(?!=)[^\n]*(?:\n\t@?-?([^\n]*))?/gm)];
  return Object.fromEntries(targets.slice(0, 60).map((match) => [match[1] ?? '', match[2] ?? '']));
}
