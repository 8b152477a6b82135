import type { ProcessIdentity } from '../store/process';

/** What comes before the process in the identity of a workspace's worker. */
const prefix = (workspaceId: string): string => `planwright:${workspaceId}:`;

/** A worker's identity as Temporal shows it: `planwright:<workspace>:<pid>:<start>@<host>/<boot>/<pid space>`. */
export function identityOf(workspaceId: string, { pid, start, host, boot, pidSpace }: ProcessIdentity): string {
  return `${prefix(workspaceId)}${pid}:${start}@${host}/${boot}/${pidSpace}`;
}

/** The process behind an identity; null where it is not the identity of a worker of this workspace. */
export function processOf(workspaceId: string, identity: string): ProcessIdentity | null {
  if (!identity.startsWith(prefix(workspaceId))) return null;
  const match = /^(\d+):([^@]*)@([^/]*)\/([^/]*)\/(.*)$/.exec(identity.slice(prefix(workspaceId).length));
  if (!match) return null;
  const [, pid = '', start = '', host = '', boot = '', pidSpace = ''] = match;
  return { pid: Number(pid), start, host, boot, pidSpace };
}
