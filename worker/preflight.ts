/** Asks a configured server once, before a worker is made: what is wrong with the settings is said in words then. */

import type { ConfiguredConnection } from './connection';
import { connectionFault } from './connection-fault';

const PATIENCE_MS = 10_000;

/** @throws UnreachableError (exit 4) telling a wrong address, certificate, key and namespace apart */
export async function preflight(server: ConfiguredConnection): Promise<void> {
  const { Connection } = await import('@temporalio/client');
  const { address, namespace, ...rest } = server;
  try {
    const connection = await Connection.connect({ address, connectTimeout: '5s', ...rest });
    try {
      await connection.withDeadline(Date.now() + PATIENCE_MS, () =>
        connection.workflowService.describeNamespace({ namespace }),
      );
    } finally {
      await connection.close();
    }
  } catch (error) {
    throw await connectionFault(error, server);
  }
}
