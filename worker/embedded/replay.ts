/**
 * Replays event histories on the workflow code of this installation: whether a plan that runs today would go on tomorrow
 * is decided by this, and by nothing that a person could read.
 */
import { join } from 'node:path';
import type { DataConverter } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils';
import { largePayloads } from '../../store/large-payloads';

export interface Replayed {
  run: string;
  events: number;
  /** Where the code does something else than the history; null where it does the same. */
  fault: string | null;
}

const BUNDLE = join(__dirname, '..', '..', 'workflow-bundle.js');
const quiet = { fn: (): void => undefined };

/**
 * @param payloads how payloads are read; none are encrypted unless told
 * @param bundle file with the workflow bundle; the installation's own unless told
 * @returns one for each, in the same order. A replay stops at the first event that does not fit
 */
export async function replayHistories(
  plan: string,
  executions: readonly { run: string; history: History }[],
  payloads: DataConverter = { payloadCodecs: [largePayloads] },
  bundle = BUNDLE,
): Promise<Replayed[]> {
  const { Worker, Runtime, DefaultLogger } = await import('@temporalio/worker');
  // The SDK reports what it finds by itself, too; the answer here says the same in one place.
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined), shutdownSignals: [] });
  const options = {
    workflowBundle: { codePath: bundle },
    dataConverter: payloads,
    sinks: { projection: { changed: quiet }, runs: { stopped: quiet } },
  };
  const replayed: Replayed[] = [];
  const given = executions.map(({ history }) => ({ workflowId: plan, history }));
  for await (const { error } of Worker.runReplayHistories(options, given)) {
    const { run, history } = executions[replayed.length] ?? { run: '', history: { events: [] } };
    const fault = error ? error.message.replace(/\s+/g, ' ').slice(0, 500) : null;
    replayed.push({ run, events: history.events?.length ?? 0, fault });
  }
  return replayed;
}
