import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type ExternalSettings, locateTool } from '../../../store/verifier-tools';
import { runTool } from './runner';
import type { ExternalTool, FoundTool } from './types';

const known = new Map<string, Promise<FoundTool>>();

/**
 * Looks for a tool in the allowed folders; the first that can be started is taken.
 * @returns null where there is none, or where it lies in the workspace
 */
export async function findTool(tool: ExternalTool, settings: ExternalSettings): Promise<FoundTool | null> {
  const located = await locateTool(tool.command, settings);
  if (located === null) return null;
  const found = known.get(located.key) ?? identify(located.path, tool);
  known.set(located.key, found);
  return found;
}

async function identify(path: string, tool: ExternalTool): Promise<FoundTool> {
  const [sha256, said] = await Promise.all([
    digest(path),
    runTool(path, { args: tool.versionArgs, timeoutMs: 20_000 }),
  ]);
  const version =
    /\d+\.\d+(?:\.\d+)?/.exec(`${said.stdout}\n${said.stderr}`)?.[0] ?? /\b\d{2,4}\b/.exec(said.stdout)?.[0];
  return { path, sha256, version: version ?? 'unknown' };
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

/** As it is recorded: version and the beginning of the digest. */
export function versionOf(found: FoundTool): string {
  return `${found.version} sha256:${found.sha256.slice(0, 16)}`;
}
