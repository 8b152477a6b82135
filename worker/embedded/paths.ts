import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { userFolders } from '../../store/layout';

/** The one namespace of the embedded server. */
export const EMBEDDED_NAMESPACE = 'planwright';

/** Everything of the embedded server listens here and nowhere else. */
export const LOOPBACK = '127.0.0.1';

/** Where the embedded server keeps its things. All paths are absolute; nothing is created by asking. */
export interface EmbeddedLayout {
  state: string;
  /** Held by the supervisor for its whole life: two servers on one database file hang plans. */
  lock: string;
  database: string;
  socket: string;
  supervisorRecord: string;
  serverRecord: string;
  /** One `<workspaceId>.json` and `.log` a worker. */
  workers: string;
  supervisorLog: string;
  serverLog: string;
}

/**
 * A Unix socket's path must fit into 104 bytes on macOS and 108 on Linux. A state directory that is deeper than that
 * gets its socket in a folder of its own under the temporary directory, named by user and state directory.
 */
function socketPath(state: string): string {
  const wanted = join(state, 'supervisor.sock');
  if (Buffer.byteLength(wanted) <= 100) return wanted;
  const digest = createHash('sha256').update(state).digest('hex').slice(0, 16);
  return join(tmpdir(), `planwright-${process.getuid?.() ?? 0}-${digest}`, 's');
}

/** @param state the state directory itself, as in `userFolders(env).state` */
export function layoutAt(state: string): EmbeddedLayout {
  return {
    state,
    lock: join(state, 'supervisor.lock'),
    database: join(state, 'temporal.db'),
    socket: socketPath(state),
    supervisorRecord: join(state, 'supervisor.json'),
    serverRecord: join(state, 'server.json'),
    workers: join(state, 'workers'),
    supervisorLog: join(state, 'supervisor.log'),
    serverLog: join(state, 'server.log'),
  };
}

export function embeddedLayout(env: NodeJS.ProcessEnv): EmbeddedLayout {
  return layoutAt(userFolders(env).state);
}

export function workerRecordPath(layout: EmbeddedLayout, workspaceId: string): string {
  return join(layout.workers, `${workspaceId}.json`);
}

export function workerLogPath(layout: EmbeddedLayout, workspaceId: string): string {
  return join(layout.workers, `${workspaceId}.log`);
}

/** The socket's folder where that is not the state directory, else null. */
export function socketFolder(layout: EmbeddedLayout): string | null {
  const folder = dirname(layout.socket);
  return folder === layout.state ? null : folder;
}
