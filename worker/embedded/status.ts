import { addressOf, uiOf } from './ensure';
import { EMBEDDED_NAMESPACE, embeddedLayout, workerLogPath } from './paths';
import { answers } from './ports';
import { isAlive } from './processes';
import { readServer, readSupervisor, readWorkers } from './records';

export interface ProcessStatus {
  name: 'supervisor' | 'server' | 'worker';
  pid: number;
  /** ISO 8601 */
  since: string;
  /** Path of its log. */
  log: string;
  /** A worker's workspace: its id and its directory. */
  workspaceId?: string;
  workspace?: string;
}

export interface EmbeddedStatus {
  /** A server runs and answers. */
  running: boolean;
  /** The address it has, or will have when it runs again; null before the first start. */
  address: string | null;
  namespace: typeof EMBEDDED_NAMESPACE;
  ui: string | null;
  /** Only what is alive: a record whose pid is gone, or belongs to another process now, counts for nothing. */
  processes: ProcessStatus[];
  /** Why something that should run does not, as the supervisor saw it. */
  failures: string[];
}

/** Looks at the records, the processes and the port; starts nothing. */
export async function embeddedStatus(env: NodeJS.ProcessEnv): Promise<EmbeddedStatus> {
  const layout = embeddedLayout(env);
  const supervisor = readSupervisor(layout);
  const server = readServer(layout);
  const processes: ProcessStatus[] = [];
  if (supervisor && isAlive(supervisor.process)) {
    const { pid, since } = supervisor.process;
    processes.push({ name: 'supervisor', pid, since, log: layout.supervisorLog });
  }
  const serverLives = server !== null && isAlive(server.process);
  if (server?.process && serverLives) {
    processes.push({ name: 'server', pid: server.process.pid, since: server.process.since, log: layout.serverLog });
  }
  const workers = readWorkers(layout);
  for (const { process, workspaceId, workspace } of workers) {
    if (!isAlive(process)) continue;
    const log = workerLogPath(layout, workspaceId);
    processes.push({ name: 'worker', pid: process.pid, since: process.since, log, workspaceId, workspace });
  }
  return {
    running: serverLives && (await answers(server.port)),
    address: server && addressOf(server.port),
    namespace: EMBEDDED_NAMESPACE,
    ui: server && uiOf(server.uiPort),
    processes,
    failures: [server, ...workers].flatMap((record) => record?.failure ?? []),
  };
}
