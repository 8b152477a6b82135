/** What a worker process tells those who watch it: is it ready, and its metrics. */
import type { NativeConnection } from '@temporalio/worker';
import type { PlanWorker } from './create';
import { exposition, type Family } from './exposition';
import type { Watched } from './health';
import type { PlanFiguresReader } from './plan-figures';
import { planFamilies } from './plan-metrics';

/** A question to Temporal for `/ready`, and one to the SDK for `/metrics`, takes no longer. */
const ASK_MS = 2_000;

/** A worker of one workspace, by the workspace's id. */
export interface WatchedWorker extends Pick<PlanWorker, 'worker' | 'mirror'> {
  id: string;
  figures: Pick<PlanFiguresReader, 'read'>;
}

/**
 * @param workers may still be empty: then the process is not ready
 * @param sdk address of the SDK's own metrics; null: there are none
 */
export function watchWorkers(
  connection: Pick<NativeConnection, 'workflowService' | 'withDeadline'>,
  namespace: string,
  workers: readonly WatchedWorker[],
  sdk: string | null,
): Watched {
  return {
    async faults() {
      if (workers.length === 0) return ['the worker is starting'];
      const idle = workers.flatMap(({ id, worker }) => {
        const { runState, workflowPollerState, activityPollerState } = worker.getStatus();
        const polls = workflowPollerState === 'POLLING' && activityPollerState === 'POLLING';
        return runState === 'RUNNING' && polls ? [] : [`${id}: ${runState.toLowerCase()}`];
      });
      const unreachable = await connection
        .withDeadline(Date.now() + ASK_MS, () => connection.workflowService.describeNamespace({ namespace }))
        .then(
          () => [],
          () => ['Temporal cannot be reached'],
        );
      return [...idle, ...unreachable];
    },
    async metrics() {
      const now = Date.now();
      const families = await Promise.all(
        workers.map(async ({ id, figures, mirror }) => [
          ...planFamilies(id, await figures.read(), now),
          ...mirrorFamilies(id, mirror.behind(now)),
        ]),
      );
      return `${exposition(merged(families.flat()))}${await sdkMetrics(sdk)}`;
    },
  };
}

function mirrorFamilies(workspace: string, behind: { plans: number; longestMs: number; failing: number }): Family[] {
  const gauge = (name: string, help: string, value: number): Family => ({
    name,
    help,
    type: 'gauge',
    samples: [{ labels: { workspace }, value }],
  });
  return [
    gauge(
      'planwright_mirror_lag_seconds',
      'How long the audit log that is furthest behind has been, as far as this worker was told.',
      behind.longestMs / 1_000,
    ),
    gauge(
      'planwright_mirror_behind',
      'Audit logs that this worker still has to bring up to their histories.',
      behind.plans,
    ),
    gauge('planwright_mirror_failing', 'Audit logs that this worker could not write the last time.', behind.failing),
  ];
}

/** Samples of one name stand together, as the format wants. */
function merged(families: readonly Family[]): Family[] {
  const byName = new Map<string, Family>();
  for (const family of families) {
    const known = byName.get(family.name);
    byName.set(family.name, known ? { ...known, samples: [...known.samples, ...family.samples] } : family);
  }
  return [...byName.values()];
}

/** What the SDK measures; empty where it does not answer: our own figures are worth having without. */
async function sdkMetrics(address: string | null): Promise<string> {
  if (!address) return '';
  try {
    const answer = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(ASK_MS) });
    return answer.ok ? await answer.text() : '';
  } catch {
    return '';
  }
}
