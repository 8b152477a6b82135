import { stringify } from 'yaml';
import type { WorkspaceFacts } from '../../plan/types';

const MAX_SCRIPTS = 40;
const MAX_SCRIPT_LENGTH = 200;

/**
 * Facts as compact YAML for a prompt: keys in a fixed order, what is absent left out, a command as `run (source)`. The text
 * comes from the repository: whoever puts it into a prompt fences it as data (threat T18).
 */
export function summarizeFacts(facts: WorkspaceFacts): string {
  const { scripts, existing, ports, runtime, packageManager, ...rest } = facts;
  const clipped = Object.entries(scripts)
    .slice(0, MAX_SCRIPTS)
    .map(([name, script]) => [name, script.slice(0, MAX_SCRIPT_LENGTH)] as const);
  const manager = packageManager && {
    name: packageManager.name,
    ...(packageManager.version ? { version: packageManager.version } : {}),
    lockfile: packageManager.lockfile ?? 'none',
  };
  const shown: { [key: string]: unknown } = {
    ...Object.fromEntries(
      Object.entries(rest).map(([key, value]) => [key, isCommand(value) ? `${value.run} (${value.source})` : value]),
    ),
    runtime: runtime && `${runtime.version} (${runtime.source})`,
    packageManager: manager,
    ports: ports.map(({ port, source }) => `${port} (${source})`),
    existing,
    scripts: Object.fromEntries(clipped),
  };
  const present = Object.keys(shown)
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .filter((key) => !isEmpty(shown[key]))
    .map((key) => [key, shown[key]] as const);
  return stringify(Object.fromEntries(present), { lineWidth: 0, flowCollectionPadding: false });
}

const FIRST = [
  'name',
  'language',
  'otherLanguages',
  'typescript',
  'library',
  'cli',
  'runtime',
  'testVersions',
  'packageManager',
];
const rank = (key: string): number => (FIRST.indexOf(key) + FIRST.length + 1) % (FIRST.length + 1);

function isCommand(value: unknown): value is { run: string; source: string } {
  return typeof value === 'object' && value !== null && 'run' in value && 'source' in value;
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
