import type { FoundCommand, WorkspaceFacts } from '../../plan/types';
import { versionNumbers } from './ranges';
import { type Dict, parseYaml, stringAt, stringMapAt } from './shape';
import type { Tree } from './tree';

export type PackageManager = NonNullable<WorkspaceFacts['packageManager']>;

const LOCKFILES: readonly (readonly [file: string, manager: string])[] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
];
const KNOWN = new Set(['npm', 'yarn', 'pnpm', 'bun']);

/**
 * The package manager: what package.json names (`packageManager`, `devEngines`), else whose lock file is committed, else npm. A
 * lock file that git ignores is none: a fresh clone does not have it.
 */
export function nodePackageManager(manifest: Dict, tree: Tree): PackageManager {
  const declared = /^(\w+)@(\d[\w.-]*)/.exec(stringAt(manifest, 'packageManager') ?? '');
  const locks = LOCKFILES.filter(([file]) => tree.has(file));
  const named = stringAt(manifest, 'devEngines', 'packageManager', 'name');
  const candidates = [declared?.[1], named, locks[0]?.[1], managerInScripts(manifest)];
  const name = candidates.find((candidate) => candidate && KNOWN.has(candidate)) ?? 'npm';
  const lockfile = locks.find(([, manager]) => manager === name)?.[0] ?? null;
  const version = declared?.[1] === name ? (declared[2] ?? null) : versionFromLock(name, tree);
  return { name, version, lockfile };
}

/** Scripts that call `pnpm` or `yarn` themselves need it installed, lock file or not. */
function managerInScripts(manifest: Dict): string | undefined {
  const scripts = Object.values(stringMapAt(manifest, 'scripts')).join('\n');
  return /(?:^|&&|;|\s)(pnpm|yarn|bun)\s+(?:run\s+)?[a-z]/m.exec(scripts)?.[1];
}

/** The pnpm line that wrote the lock file, since older ones cannot read it; its format version follows the major. */
function versionFromLock(name: string, tree: Tree): string | null {
  if (name !== 'pnpm') return null;
  const format = /^lockfileVersion:\s*'?(\d+)/m.exec(tree.text('pnpm-lock.yaml') ?? '')?.[1];
  return format === '9' ? '9' : format === '6' ? '8' : format === '5' ? '7' : null;
}

function isYarnBerry(manager: PackageManager, tree: Tree): boolean {
  if (manager.version) return (versionNumbers(manager.version)[0] ?? 0) >= 2;
  return tree.has('.yarnrc.yml') || /^__metadata:/m.test(tree.text('yarn.lock') ?? '');
}

/** How a fresh clone gets its dependencies: exactly the locked ones where a lock file is committed. */
export function nodeInstall(manager: PackageManager, tree: Tree): FoundCommand {
  const { name, lockfile } = manager;
  const source = lockfile ?? 'package.json (no lock file)';
  // In CI, Yarn 2 and later refuses to make a lock file unless it is told to.
  if (!lockfile)
    return {
      run: name === 'yarn' && isYarnBerry(manager, tree) ? 'yarn install --no-immutable' : `${name} install`,
      source,
    };
  if (name === 'npm') return { run: 'npm ci', source };
  const frozen = name === 'yarn' && isYarnBerry(manager, tree) ? '--immutable' : '--frozen-lockfile';
  return { run: `${name} install ${frozen}`, source };
}

/** How one types the run of a script. `npm test` and `npm start` are npm's own words. */
export function runScript(manager: PackageManager, script: string): string {
  if (manager.name === 'yarn') return `yarn ${script}`;
  const short = (script === 'test' || script === 'start') && manager.name !== 'bun';
  return short ? `${manager.name} ${script}` : `${manager.name} run ${script}`;
}

/** Globs of the workspaces of a monorepo, from package.json, pnpm-workspace.yaml or lerna.json. */
export function workspaceGlobs(manifest: Dict, lerna: Dict | null, tree: Tree): string[] {
  const list = (value: unknown): string[] =>
    Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
  const own = manifest.workspaces;
  const ofPackage = Array.isArray(own)
    ? list(own)
    : list(own && typeof own === 'object' && 'packages' in own ? own.packages : []);
  return [...ofPackage, ...list(parseYaml(tree.text('pnpm-workspace.yaml'))?.packages), ...list(lerna?.packages)];
}
