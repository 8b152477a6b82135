import { lstat, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../plan/errors';
import { syncDirectory } from './durable';
import type { WorkspaceLayout } from './layout';
import { DEFAULT_POLICY_YAML } from './policy';

/** The text that `init` writes: every key explained, none set. */
export const DEFAULT_CONFIG_YAML = `# Planwright's settings for this workspace. Commit this file. It never holds a key: set OPENAI_API_KEY instead.
# Order: flag, environment (PLANWRIGHT_PROVIDER, PLANWRIGHT_MODEL), this file, your own config.yaml, default.
version: 1

# openai, or template: no network, no key. Default: openai where OPENAI_API_KEY is set, template otherwise.
# provider: openai

# The model to ask. Default: gpt-4o.
# model: gpt-4o

# 0 to 2. Default: 0.2.
# temperature: 0.2
`;

/** Settings and skills belong to the project; objects, plans and logs to this copy of it. */
const GITIGNORE = `# Everything here but the settings and the project's own skills is this machine's: objects, plans, calls, audit.
/*
!/.gitignore
!/config.yaml
!/policy.yaml
!/skills/
`;

/**
 * Makes `.planwright/` with its three files. Whatever is there already stays as it is.
 *
 * @returns paths of what was made, relative to the workspace; empty the second time
 * @throws UsageError where `.planwright` is a link or a file
 */
export async function initWorkspace(layout: Pick<WorkspaceLayout, 'root' | 'dir'>): Promise<string[]> {
  await mkdir(layout.dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  if (!(await lstat(layout.dir)).isDirectory()) {
    throw new UsageError(`${layout.dir} is not a directory.`, 'Move it away, then run planwright init again.');
  }
  const files = { '.gitignore': GITIGNORE, 'policy.yaml': DEFAULT_POLICY_YAML, 'config.yaml': DEFAULT_CONFIG_YAML };
  const made: string[] = [];
  // config.yaml comes last: a workspace is one that has it.
  for (const [name, content] of Object.entries(files)) {
    if (await createFile(join(layout.dir, name), content)) made.push(`.planwright/${name}`);
  }
  await syncDirectory(layout.dir);
  return made;
}

/** @returns false where something stands there already */
async function createFile(path: string, content: string): Promise<boolean> {
  const handle = await open(path, 'wx', 0o644).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return null;
    throw error;
  });
  if (!handle) return false;
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return true;
}
