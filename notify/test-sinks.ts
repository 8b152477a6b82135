/** Tries the sinks of a policy from where it is called. */
import { randomUUID } from 'node:crypto';
import { UsageError } from '../plan/errors';
import type { News } from '../plan/news';
import type { Sink } from '../store/policy-notify';
import { packageVersion } from '../store/version';
import { addressOf } from './address';
import { deliver, describe } from './post';

export interface SinkTest {
  sink: string;
  delivered: boolean;
  /** What it answered, or why it could not be tried; without address and secret. */
  answer: string;
}

/**
 * All at once; one that fails is a result and no error.
 * @param now milliseconds since the epoch
 * @throws UsageError where there is no such sink
 */
export async function testSinks(
  sinks: readonly Sink[],
  { env, root, only, now }: { env: NodeJS.ProcessEnv; root: string; only?: string; now: number },
): Promise<SinkTest[]> {
  const chosen = sinks.filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0) {
    const there = sinks.map(({ name }) => name).join(', ');
    throw new UsageError(
      only === undefined || there === '' ? 'The policy has no sinks.' : `The policy has no sink "${only}".`,
      there === ''
        ? 'Write them under notify: in .planwright/policy.yaml; see docs/approvals.md.'
        : `There are: ${there}.`,
    );
  }
  return Promise.all(chosen.map((sink) => testSink(sink, env, root, now)));
}

async function testSink(sink: Sink, env: NodeJS.ProcessEnv, root: string, now: number): Promise<SinkTest> {
  const notification = { id: `notification-${randomUUID()}`, event: 'notification.test', news: testNews(now) } as const;
  try {
    const delivery = await deliver(sink, addressOf(sink, env, root), notification, { version: packageVersion(), now });
    return { sink: sink.name, delivered: delivery.result === 'delivered', answer: describe(delivery) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { sink: sink.name, delivered: false, answer: error.message };
  }
}

const testNews = (now: number): News => ({
  names: [],
  seq: 0,
  at: new Date(now).toISOString(),
  plan: { id: 'plan-00000000', name: 'test', goal: 'a test of this sink', status: 'ready', risk: 'LOW' },
  run: null,
  gate: null,
  decision: null,
  reason: null,
  tasks: null,
  command: 'planwright plan list',
});
