/** The audit log that a round left behind: it must hold by itself, and say what the plan's event history says. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { checkData } from '../../audit/events';
import { allEntries, executionsUpTo, temporalHistory } from '../../audit/history';
import { payloadReader } from '../../audit/history-events';
import { logName } from '../../audit/mirror';
import type { Report } from '../../audit/report';
import { verifyLog } from '../../audit/verify';
import { largePayloads } from '../../store/large-payloads';
import { userFolders, workspaceLayout } from '../../store/layout';
import type { Installation } from '../e2e/installation';

/** The mirror follows within a second; after a failure it tries again after 3, 6, 12 … s. */
const PATIENCE_MS = 20_000;
const LOOK_MS = 100;

/** As it stands in a comparison: nothing where all levels hold. */
function troubles({ levels, repairs, breaks, torn }: Report, ofHistory: boolean): string[] {
  const looked = [levels.structure, levels.head, ...(ofHistory ? [levels.history] : [])];
  return [
    ...looked.flatMap(({ state, findings }) => (state === 'broken' ? findings.map((one) => JSON.stringify(one)) : [])),
    ...(levels.structure.state === 'held' ? [] : [`structure: ${levels.structure.state}`]),
    ...(!ofHistory || levels.history.state === 'held' ? [] : [`history: ${levels.history.state}`]),
    ...(torn ? ['a torn line'] : []),
    ...repairs.map((seq) => `repaired at ${seq}`),
    ...breaks.map(({ seq }) => `broken at ${seq}`),
  ];
}

/**
 * What is wrong with a plan's log; it may take the mirror a moment to come up to the history.
 *
 * @param isOneHistory false where Temporal lost the plan: its log then holds more than the history that there is now
 */
export async function auditTroubles(
  installation: Installation,
  plan: string,
  isOneHistory: boolean,
): Promise<string[]> {
  const { address, namespace } = await installation.server();
  const connection = await Connection.connect({ address });
  try {
    const client = new Client({ connection, namespace, dataConverter: { payloadCodecs: [largePayloads] } });
    const source = temporalHistory(client, plan);
    const read = payloadReader(client.options.loadedDataConverter);
    const id = { plan, log: logName(namespace, plan) };
    const { state } = userFolders({ PLANWRIGHT_HOME: installation.home });
    const look = async (): Promise<string[]> => {
      const { runId } = await client.workflow.getHandle(plan).describe();
      const history = isOneHistory ? allEntries(source, read, await executionsUpTo(source, runId)) : null;
      const layout = workspaceLayout(installation.workspace);
      return troubles(await verifyLog(layout, id, { state, history, checkData }), isOneHistory);
    };
    let found = await look();
    for (const until = Date.now() + PATIENCE_MS; found.length > 0 && Date.now() < until; found = await look()) {
      await sleep(LOOK_MS);
    }
    return found;
  } finally {
    await connection.close();
  }
}
