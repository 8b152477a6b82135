/** Delivers one notification to one sink of the policy in force. Temporal tries again what did not arrive. */
import { ApplicationFailure } from '@temporalio/common';
import { type Address, addressOf } from '../notify/address';
import { type Delivery, deliver, describe } from '../notify/post';
import { UsageError } from '../plan/errors';
import type { NotifyRequest, NotifyResult } from '../plan/steps';
import type { Policy } from '../store/policy';
import type { Sink } from '../store/policy-notify';
import { packageVersion } from '../store/version';

interface NotifyDeps {
  root: string;
  env: NodeJS.ProcessEnv;
  policy: () => Promise<Policy>;
  signal: () => AbortSignal;
}

/** Slow sinks must leave room for the activities that plans wait for: more than these at once come back a little later. */
const MOST_AT_ONCE = 20;
const BUSY_MS = 1_000;

/**
 * @throws ApplicationFailure that is tried again where the sink may be reached later; for good where the policy no
 *   longer has the sink, or the receiver answered 410
 */
export function createNotify({ root, env, policy, signal }: NotifyDeps) {
  let underWay = 0;
  return async ({ sink: name, ...notification }: NotifyRequest): Promise<NotifyResult> => {
    if (underWay >= MOST_AT_ONCE) throw later(`${MOST_AT_ONCE} notifications are under way`, BUSY_MS);
    underWay += 1;
    try {
      const sink = (await policy()).notify?.find((one) => one.name === name);
      if (!sink) throw forGood(`the policy has no sink "${name}" any more`);
      const options = { version: packageVersion(), now: Date.now(), signal: signal() };
      const delivery = await deliver(sink, address(sink, env, root), notification, options);
      if (delivery.result === 'delivered') return { status: delivery.status };
      throw failureOf(name, delivery);
    } finally {
      underWay -= 1;
    }
  };
}

function failureOf(name: string, delivery: Exclude<Delivery, { result: 'delivered' }>): ApplicationFailure {
  const message = `sink "${name}": ${describe(delivery)}`;
  if (delivery.result === 'gone') return forGood(message);
  return later(message, delivery.result === 'refused' ? delivery.retryAfterMs : null);
}

/** A variable that is not set, or a file of the wrong mode, is put right while the plan goes on. */
function address(sink: Sink, env: NodeJS.ProcessEnv, root: string): Address {
  try {
    return addressOf(sink, env, root);
  } catch (error) {
    if (error instanceof UsageError) throw later(error.message, null);
    throw error;
  }
}

const forGood = (message: string): ApplicationFailure =>
  ApplicationFailure.create({ message, type: 'Notification', nonRetryable: true });

const later = (message: string, waitMs: number | null): ApplicationFailure =>
  ApplicationFailure.create({
    message,
    type: 'Notification',
    ...(waitMs === null ? {} : { nextRetryDelay: waitMs }),
  });
