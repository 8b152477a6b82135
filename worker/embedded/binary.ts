import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, lstatSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { UnreachableError } from '../../plan/errors';
import { userFolders } from '../../store/layout';
import type { Install } from './install';
import { buildWithGo, downloadWithSdk } from './install';

export interface TemporalBinary {
  path: string;
  /** Where it was found, in words. */
  source: string;
  /** As it calls itself, for example "1.5.1 (Server 1.29.1, UI 2.42.1)". */
  version: string;
}

export interface BinaryOptions {
  env: NodeJS.ProcessEnv;
  note: (line: string) => void;
  /** How it is got where it is not there, in order; tests put others in their place. */
  installs?: { name: string; run: Install }[];
  /** The folder of the SDK's own downloads. */
  sdkFolder?: string;
}

const INSTALLS = [
  { name: "the SDK's download", run: downloadWithSdk },
  { name: 'go install', run: buildWithGo },
];

/** Below this server version, updates and the settings that we need are not there, or off. */
const OLDEST_SERVER = [1, 26] as const;

/** The file that is ours, in the cache. */
export function cachedBinary(env: NodeJS.ProcessEnv): string {
  return join(userFolders(env).cache, 'bin', process.platform === 'win32' ? 'temporal.exe' : 'temporal');
}

/**
 * Asks a binary for its version.
 * @throws Error saying why it cannot be used
 */
async function versionOf(path: string, env: NodeJS.ProcessEnv): Promise<string> {
  const output = await new Promise<string>((resolve, reject) => {
    const options = { env: { PATH: env.PATH, HOME: env.HOME }, timeout: 10_000, killSignal: 'SIGKILL' as const };
    execFile(path, ['--version'], options, (error, stdout) => {
      if (!error) resolve(stdout);
      else
        reject(
          new Error(error.code === 'EACCES' ? 'it is not executable' : `it does not run (${error.message.trim()})`),
        );
    });
  });
  const version = /^temporal version (.+)$/im.exec(output)?.[1]?.trim();
  if (!version) throw new Error('it is not the Temporal CLI: "--version" answers something else');
  const server = /server (\d+)\.(\d+)/i.exec(version);
  if (server) {
    const [major, minor] = [Number(server[1]), Number(server[2])];
    if (major < OLDEST_SERVER[0] || (major === OLDEST_SERVER[0] && minor < OLDEST_SERVER[1])) {
      throw new Error(`its server, ${major}.${minor}, is older than ${OLDEST_SERVER.join('.')}`);
    }
  }
  return version;
}

function onPath(env: NodeJS.ProcessEnv): string | null {
  const name = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
  // A relative entry would let the workspace bring its own `temporal`.
  for (const folder of (env.PATH ?? '').split(delimiter).filter(isAbsolute)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return null;
}

/** What the SDK downloaded for its tests. In a shared temporary folder anybody could have put a file of that name. */
function sdkDownload(folder: string): string | null {
  let version: string;
  try {
    version = (require('@temporalio/client/package.json') as { version: string }).version;
  } catch {
    return null;
  }
  const path = join(folder, `temporal-sdk-typescript-${version}`);
  if (!existsSync(path)) return null;
  const { uid, mode } = lstatSync(path);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) throw new Error(`${path} may have been changed by others`);
  return path;
}

/**
 * Finds the Temporal CLI, which contains the server: `PLANWRIGHT_TEMPORAL_BIN`, PATH, our cache, the SDK's download;
 * and where there is none gets it: with the SDK's download, then with Go. Two commands at the same time get it once.
 *
 * @throws UnreachableError where `PLANWRIGHT_TEMPORAL_BIN` is not usable, or all ways failed; it lists them
 */
export async function findTemporalBinary(options: BinaryOptions): Promise<TemporalBinary> {
  const { env, installs = INSTALLS, sdkFolder = tmpdir() } = options;
  const given = env.PLANWRIGHT_TEMPORAL_BIN;
  if (given) {
    const version = await versionOf(given, env).catch((error: Error) => {
      throw new UnreachableError(
        `PLANWRIGHT_TEMPORAL_BIN is ${given}, which cannot be used: ${existsSync(given) ? error.message : 'there is no such file'}.`,
        'Give the path of the Temporal CLI, or unset the variable.',
      );
    });
    return { path: given, source: 'PLANWRIGHT_TEMPORAL_BIN', version };
  }

  const tried: string[] = ['PLANWRIGHT_TEMPORAL_BIN is not set'];
  const look = async (source: string, where: () => string | null): Promise<TemporalBinary | null> => {
    try {
      const path = where();
      if (path !== null) return { path, source, version: await versionOf(path, env) };
      tried.push(`${source}: not there`);
    } catch (error) {
      tried.push(`${source}: ${error instanceof Error ? error.message : String(error)}`);
    }
    return null;
  };
  const target = cachedBinary(env);
  const inCache = (): Promise<TemporalBinary | null> => look('the cache', () => (existsSync(target) ? target : null));
  const found =
    (await look('temporal on PATH', () => onPath(env))) ??
    (await inCache()) ??
    (await look("the SDK's cached download", () => sdkDownload(sdkFolder)));
  if (found) return found;

  const got = installs.length > 0 ? await get(options, installs, target, tried, inCache) : null;
  if (got) return got;
  throw new UnreachableError(
    `There is no Temporal server on this machine, and it could not be got:\n${tried.map((line) => `  - ${line}`).join('\n')}`,
    'Install the Temporal CLI (https://docs.temporal.io/cli) so that "temporal" is on PATH, or Go 1.24 or newer, ' +
      'or set PLANWRIGHT_TEMPORAL_BIN to the binary; with a server elsewhere, set TEMPORAL_ADDRESS.',
  );
}

/** Gets the binary while others wait for it; each way that failed adds its reason to `tried`. */
async function get(
  { env, note }: BinaryOptions,
  installs: { name: string; run: Install }[],
  target: string,
  tried: string[],
  inCache: () => Promise<TemporalBinary | null>,
): Promise<TemporalBinary | null> {
  // Late, because it loads zod.
  const { acquireLock } = require('../../store/lock') as typeof import('../../store/lock');
  const waiting = setTimeout(() => note('Another command is getting the Temporal server; waiting for it …'), 1_000);
  const lock = await acquireLock(`${target}.lock`, { timeoutMs: 30 * 60_000 }).finally(() => clearTimeout(waiting));
  try {
    const meanwhile = await inCache();
    if (meanwhile) return meanwhile;
    for (const { name, run } of installs) {
      try {
        await run({ target, env, note });
        return { path: target, source: name, version: await versionOf(target, env) };
      } catch (error) {
        const why = `${name}: ${error instanceof Error ? error.message : String(error)}`;
        note(`Could not get the Temporal server with ${why}`);
        tried.push(why);
      }
    }
    return null;
  } finally {
    await lock.release();
  }
}
