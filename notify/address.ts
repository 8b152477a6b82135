/** Where a sink is and what it is signed with, as this process finds it. Values never stand in a message. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../plan/errors';
import { readPrivateFile } from '../store/key-file';
import { addressFault, type Sink } from '../store/policy-notify';

export interface Address {
  url: string;
  /** Null for a Slack sink without one. */
  secret: string | null;
}

const LEAST_SECRET = 16;

/**
 * @param root real path of the workspace: a file in it holds no secret
 * @throws UsageError saying what is missing, never what is there
 */
export function addressOf(sink: Sink, env: NodeJS.ProcessEnv, root: string): Address {
  const url = sink.url ?? valueGiven(sink.name, 'URL', { variable: sink.urlEnv, file: sink.urlFile }, env, root);
  const fault = url === null ? 'is not given' : addressFault(url, sink.allowHttp);
  if (url === null || fault) throw new UsageError(`The URL of sink "${sink.name}" ${fault}.`, 'See docs/approvals.md.');
  const secret = valueGiven(sink.name, 'secret', { variable: sink.secretEnv, file: sink.secretFile }, env, root);
  if (secret !== null && secret.length < LEAST_SECRET) {
    throw new UsageError(
      `The secret of sink "${sink.name}" is shorter than ${LEAST_SECRET} characters.`,
      'Make one: openssl rand -hex 32',
    );
  }
  return { url, secret };
}

function valueGiven(
  sink: string,
  what: string,
  { variable, file }: { variable: string | undefined; file: string | undefined },
  env: NodeJS.ProcessEnv,
  root: string,
): string | null {
  if (file !== undefined) {
    const path = file.startsWith('~/') ? join(env.HOME ?? homedir(), file.slice(2)) : file;
    return readPrivateFile(path, root, `The file with the ${what} of sink "${sink}"`).trim();
  }
  if (variable === undefined) return null;
  const value = env[variable]?.trim();
  if (value) return value;
  throw new UsageError(
    `The ${what} of sink "${sink}" is expected in ${variable}, which is not set here.`,
    'Set it where the worker is started (planwright down, then planwright up), or name a file in the policy instead.',
  );
}
