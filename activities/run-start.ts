/** What a run asks of this machine before its first task: the environment in force, the working tree, bases on disk. */
import { sha256 } from '../plan/digest';
import type { Environment, RunStart, RunStartFacts } from '../plan/types';
import { skillRecord } from '../skills/load';
import type { Skill } from '../skills/types';
import type { WorkspaceLayout } from '../store/layout';
import { type Policy, policySnapshot } from '../store/policy';
import { resolveSettings } from '../store/settings';
import { externalSettings } from '../store/verifier-tools';
import { packageVersion } from '../store/version';
import { UnsafeTarget } from './files/errors';
import { readPath } from './files/target';
import { generationSystem } from './llm/prompts';
import { externalVersions } from './verify/external';
import { VERIFIERS } from './verify/registry';
import { dirtyPaths } from './workspace/dirty';

interface Place {
  layout: WorkspaceLayout;
  env: NodeJS.ProcessEnv;
  policy: Policy;
  skills: ReadonlyMap<string, Skill>;
}

export async function runStartFacts(place: Place, start: RunStart): Promise<RunStartFacts> {
  const { layout, env } = place;
  const clean = { dirty: [], gitFault: null };
  return {
    environment: await environment(place, start.settings),
    ...(start.checkGit ? await dirtyPaths(layout.root, env) : clean),
    bases: Object.fromEntries(
      await Promise.all(start.bases.map(async (path) => [path, await standingAt(layout.root, path)] as const)),
    ),
  };
}

async function environment({ layout, env, policy, skills }: Place, asked: RunStart['settings']): Promise<Environment> {
  // Settings that do not resolve are no reason to stop a run that has its own; a replay sees that they are others.
  const { provider, model, temperature } = asked;
  const flags = { provider, model, temperature };
  const settings = await resolveSettings({ flags, env, layout }).catch(() => null);
  return {
    provider: settings?.provider ?? 'none',
    model: settings?.model ?? 'none',
    temperature: settings?.temperature ?? null,
    policy: policySnapshot(policy).digest,
    planwright: packageVersion(),
    skills: Object.fromEntries(
      [...skills].map(([name, skill]) => {
        const { toolHash, systemPromptHash } = skillRecord(skill, sha256(generationSystem(skill)));
        return [name, { toolHash, systemPromptHash }];
      }),
    ),
    verifiers: Object.fromEntries([
      ...VERIFIERS.map(({ id, version }) => [id, version] as const),
      ...(await externalVersions(externalSettings(env, layout.root))),
    ]),
  };
}

async function standingAt(root: string, path: string): Promise<string | null> {
  try {
    const { found } = await readPath(root, path);
    return found?.sha256 ?? null;
  } catch (error) {
    if (error instanceof UnsafeTarget) return 'unsafe';
    throw error;
  }
}
