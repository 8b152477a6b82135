/** One line of the log for each activity that ends, with the ids by which it is found again in Temporal and in the audit log. */
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Logger } from 'pino';

interface Named {
  task: string | null;
  run: number | null;
}

const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === 'object' && value !== null;

/** Task and run as the request of an activity names them; null where it names none. */
export function namedIn(request: unknown): Named {
  if (!isObject(request)) return { task: null, run: null };
  const inner = isObject(request.generate) ? namedIn(request.generate) : { task: null, run: null };
  const task = isObject(request.task) ? request.task.id : request.task;
  return {
    task: typeof task === 'string' ? task : inner.task,
    run: typeof request.run === 'number' ? request.run : inner.run,
  };
}

/** The type of a failure, as Temporal names it: a message may hold what a model said. */
function kindOf(error: unknown): string {
  if (isObject(error) && typeof error.type === 'string') return error.type;
  return error instanceof Error ? error.name : 'Error';
}

export function activityLog(log: Pick<Logger, 'info' | 'warn'>): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const started = Date.now();
        const fields = () => ({
          plan: info.workflowExecution?.workflowId ?? null,
          ...namedIn(input.args[0]),
          activity: info.activityType,
          activityId: info.activityId,
          attempt: info.attempt,
          execution: info.workflowExecution?.runId ?? null,
          ms: Date.now() - started,
        });
        try {
          const result = await next(input);
          log.info(fields(), 'activity done');
          return result;
        } catch (error) {
          log.warn({ ...fields(), error: kindOf(error) }, 'activity failed');
          throw error;
        }
      },
    },
  });
}
