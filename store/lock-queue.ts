import { acquireLock, type LockOptions } from './lock';

/** How long this process keeps a lock for its own queue before it lets others have a try, in milliseconds. */
const HOLD_MS = 500;
/** And how long of that it waits for its next body: in a chain of tasks that is cheaper than to take the lock anew. */
const LINGER_MS = 150;

/** One holding of the lock, which several bodies may come to share. */
export interface Tenure {
  /** Has something done before the lock is given back, for what a body leaves open for the next one; a failure of it is nobody's. */
  ending(close: () => Promise<void>): void;
}

interface Job {
  /** Never rejects: the outcome goes to whoever asked. */
  run(tenure: Tenure): Promise<void>;
  fail(error: unknown): void;
}

/** Bodies that wait, and who waits for one. */
interface Queue {
  jobs: Job[];
  wake: (() => void) | null;
}

const queues = new Map<string, Queue>();

/**
 * As `withLock`, for a process that takes the same lock from many places at once: its bodies run one after the other in
 * the order in which they came, and the lock among processes is taken once for all that wait, not once for each. A
 * hundred that compete for the lock itself spend their time with pauses and listings (measured: ten times slower).
 *
 * @throws LockBusyError for every body that waits, where another process has the lock for longer than `timeoutMs`
 */
export function withLockInTurn<T>(
  path: string,
  options: LockOptions,
  body: (tenure: Tenure) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const job: Job = { run: (tenure) => body(tenure).then(resolve, reject), fail: reject };
    const queue = queues.get(path);
    if (queue) {
      queue.jobs.push(job);
      queue.wake?.();
      return;
    }
    const own: Queue = { jobs: [job], wake: null };
    queues.set(path, own);
    void serve(path, options, own);
  });
}

/** Works a queue off; it is gone from `queues` in the same moment in which it is found empty. */
async function serve(path: string, options: LockOptions, queue: Queue): Promise<void> {
  const { jobs } = queue;
  while (jobs.length > 0) {
    try {
      const lock = await acquireLock(path, options);
      const until = Date.now() + HOLD_MS;
      const closing: (() => Promise<void>)[] = [];
      const tenure: Tenure = { ending: (close) => void closing.push(close) };
      do {
        await jobs.shift()?.run(tenure);
        if (jobs.length === 0) await another(queue, Math.min(LINGER_MS, until - Date.now()));
      } while (jobs.length > 0 && Date.now() < until);
      await Promise.allSettled(closing.map((close) => close()));
      // The outcomes are given; a lock that cannot be given back is found held, and named, by whoever comes next.
      await lock.release().catch(() => undefined);
    } catch (error) {
      for (const job of jobs.splice(0)) job.fail(error);
    }
  }
  queues.delete(path);
}

/** Until a body comes, or the time is over. The timer keeps the process: a lock must be given back by whoever took it. */
function another(queue: Queue, limitMs: number): Promise<void> {
  if (limitMs <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      queue.wake = null;
      resolve();
    };
    const timer = setTimeout(over, limitMs);
    queue.wake = over;
  });
}
