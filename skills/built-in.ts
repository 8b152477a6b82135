import { loadSkills } from './load';
import type { Skill } from './types';

let loaded: Promise<Map<string, Skill>> | null = null;

/**
 * The built-in skills, read once a process: they belong to the installed version as the code does, and reading them is
 * a hundred files and as much work as everything else in a task. What it returns is shared: do not change it.
 *
 * @throws UsageError as `loadSkills`; then the next call tries again
 */
export function builtInSkills(): Promise<Map<string, Skill>> {
  loaded ??= loadSkills().catch((error: unknown) => {
    loaded = null;
    throw error;
  });
  return loaded;
}
