import { lstat, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { type Document, isMap, parseDocument } from 'yaml';
import { z } from 'zod';
import { UsageError } from '../plan/errors';
import { replaceFile } from './durable';
import { userFolders, type WorkspaceLayout } from './layout';
import { userProviders, workspaceProviders } from './providers';
import { parseYaml, readYamlFile, readYamlText } from './yaml-file';

export const temperature = z.number().min(0).max(2);
const version = z.literal(1, { error: 'expected version: 1, the only format this Planwright knows' });
const text = z.string().min(1).max(2000);
const common = { version, provider: text.optional(), model: text.optional(), temperature: temperature.optional() };
const never = (error: string) => z.undefined({ error }).optional();

/**
 * A workspace's file comes with the repository, perhaps a stranger's: it must not say where the user's key is
 * sent, nor which file is read as one. Both are a matter of the environment and of the user's own file.
 */
const workspaceShape = z.strictObject({
  ...common,
  baseUrl: never('not allowed in a workspace; set OPENAI_BASE_URL, or baseUrl in your own config.yaml'),
  keyFile: never('not allowed in a workspace; it belongs in your own config.yaml (planwright provider add)'),
  fallback: never('not allowed in a workspace; who else may see your project is for your own config.yaml to say'),
  providers: workspaceProviders.optional(),
});
const keyFile = text.refine(isAbsolute, { error: 'expected an absolute path' });
const userShape = z.strictObject({
  ...common,
  baseUrl: text.optional(),
  keyFile: keyFile.optional(),
  fallback: text.optional(),
  providers: userProviders.optional(),
});

export type WorkspaceConfig = z.output<typeof workspaceShape>;
export type UserConfig = z.output<typeof userShape>;

export const userConfigPath = (env: NodeJS.ProcessEnv): string => join(userFolders(env).config, 'config.yaml');

/** Both config files; empty where there is none. @throws UsageError for a file that is there and wrong */
export async function readConfigs(
  env: NodeJS.ProcessEnv,
  layout: Pick<WorkspaceLayout, 'config'>,
): Promise<{ workspace: Partial<WorkspaceConfig>; user: Partial<UserConfig> }> {
  const workspace = await readYamlFile<WorkspaceConfig>(layout.config, workspaceShape);
  return { workspace: workspace ?? {}, user: (await readYamlFile<UserConfig>(userConfigPath(env), userShape)) ?? {} };
}

/** Which of the two files an edit is for. */
export type ConfigTarget =
  | { kind: 'workspace'; layout: Pick<WorkspaceLayout, 'root' | 'dir' | 'config'> }
  | { kind: 'user'; env: NodeJS.ProcessEnv };

/** Sets one key of a config file; as `editConfig`. */
export async function setConfigValue(target: ConfigTarget, key: string, value: string | number): Promise<string> {
  return editConfig(target, (document) => document.set(key, value));
}

/**
 * Changes a config file and keeps everything else of it, comments included. The result is checked as every reader
 * checks it, then put in the old file's place at once.
 *
 * @returns the file's path
 * @throws UsageError where the file is no YAML or would not be valid, or there is no workspace; nothing is written then
 */
export async function editConfig(target: ConfigTarget, edit: (document: Document) => void): Promise<string> {
  const path = target.kind === 'user' ? userConfigPath(target.env) : target.layout.config;
  if (target.kind === 'workspace') await requireFolder(target.layout);
  const before = (await readYamlText(path)) ?? 'version: 1\n';
  const check = (content: string): unknown =>
    target.kind === 'user' ? parseYaml(content, path, userShape) : parseYaml(content, path, workspaceShape);
  const document = parseDocument(before);
  // What cannot be edited is reported as every reader would report it.
  if (document.errors.length > 0 || !isMap(document.contents)) check(before);
  edit(document);
  const after = document.toString({ lineWidth: 0 });
  check(after);
  // The user's own file may be a link into a folder of settings; one in a workspace is replaced, not followed.
  const real = target.kind === 'user' ? await realpath(path).catch(() => path) : path;
  const mode = await stat(real).then(
    (found) => found.mode & 0o777,
    () => (target.kind === 'user' ? 0o600 : 0o644),
  );
  await replaceFile(real, after, mode);
  return path;
}

async function requireFolder({ dir, root }: Pick<WorkspaceLayout, 'root' | 'dir'>): Promise<void> {
  const found = await lstat(dir).catch(() => null);
  if (found?.isDirectory()) return;
  throw new UsageError(
    `${root} is no workspace: it has no .planwright/ folder.`,
    'Run planwright init first, or use --user for your own settings.',
  );
}
