import { lstat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type UserFolders, userFolders, type WorkspaceLayout } from '../store/layout';
import { builtInSkills } from './built-in';
import { loadSkill, skillFolders } from './load';
import type { Skill } from './types';

/** A skill's folder that is not used, and why. */
export interface SkillFault {
  /** As `Skill.source`. */
  source: string;
  why: string;
}

/** All skills that a workspace has, by name, and those that were found and are not used. */
export interface SkillSet {
  skills: Map<string, Skill>;
  faults: SkillFault[];
}

/** Where custom skills are looked for, the first that has a name wins. */
export function customSkillFolders(
  layout: Pick<WorkspaceLayout, 'dir'>,
  env: NodeJS.ProcessEnv,
): { workspace: string; user: string } {
  const folders: UserFolders = userFolders(env);
  return { workspace: join(layout.dir, 'skills'), user: join(folders.config, 'skills') };
}

/**
 * The built-in skills, then the workspace's, then the user's. A name belongs to the first that has it: a custom skill never
 * stands in for a built-in one, and the workspace's wins over the user's. What is not used is told in `faults`; one bad
 * folder does not take the others away.
 *
 * @param allow the write allowlist of the policy in force: a custom skill's scope must lie within it
 */
export async function skillSet(
  layout: Pick<WorkspaceLayout, 'dir'>,
  env: NodeJS.ProcessEnv,
  allow: readonly string[],
): Promise<SkillSet> {
  const skills = new Map(await builtInSkills());
  const faults: SkillFault[] = [];
  const folders = customSkillFolders(layout, env);
  for (const [dir, label] of [
    [folders.workspace, '.planwright/skills'],
    [folders.user, 'user/skills'],
  ] as const) {
    for (const folder of await foldersIn(dir, label, faults)) {
      const source = `${label}/${basename(folder)}`;
      try {
        const skill = remembered(await loadSkill(folder, 'custom', source, allow));
        const taken = skills.get(skill.name);
        if (taken)
          faults.push({ source, why: `the name ${skill.name} belongs to ${owner(taken)}, which is used instead` });
        else skills.set(skill.name, skill);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        // It becomes part of a plan, which is no place for paths of this machine.
        faults.push({ source, why: message.replace(`The skill ${join(folder, 'SKILL.md')} is not usable: `, '') });
      }
    }
  }
  return { skills, faults };
}

async function foldersIn(dir: string, label: string, faults: SkillFault[]): Promise<string[]> {
  const stat = await lstat(dir).catch(() => null);
  if (stat === null) return [];
  if (stat.isDirectory()) return skillFolders(dir);
  faults.push({ source: label, why: 'it is no directory (a symbolic link is not followed)' });
  return [];
}

const owner = (skill: Skill): string => (skill.type === 'built-in' ? 'a built-in skill' : `the skill ${skill.source}`);

// A skill that did not change stays the same object, so that what was compiled for it is compiled once.
const known = new Map<string, Skill>();
const MOST_KNOWN = 200;

function remembered(skill: Skill): Skill {
  const key = `${skill.source} ${skill.digest}`;
  const before = known.get(key);
  if (before) return before;
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(key, skill);
  return skill;
}
