/** What the SDK throws, as errors that a person understands: one place, for every use of the Temporal client. */
import { FailedError, PlanwrightError, RefusedError, UnreachableError, UsageError } from '../plan/errors';

/** Failure types of the contract → our errors. */
function refusalError(type: string, message: string): PlanwrightError {
  switch (type) {
    case 'BadInput':
    case 'UnknownGate':
      return new UsageError(message, 'See `planwright approvals` for what waits, and `--help` for the flags.');
    case 'StaleDigest':
    case 'AlreadyDecided':
      return new RefusedError(message, 'See `planwright approvals` for what waits now.');
    case 'NotAllowed':
    case 'NotReady':
    case 'PlanRunning':
      return new RefusedError(message);
    default:
      return new FailedError(message);
  }
}

/** gRPC status of a failed call, wherever in the chain of causes it stands; null for anything else. */
export function grpcCode(error: unknown): number | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'number') return at.code;
  }
  return null;
}

export const GRPC = {
  deadline: 4,
  notFound: 5,
  denied: 7,
  precondition: 9,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** True where the same call may well succeed in a moment: a restart, or a race with continue-as-new. */
export function isPassing(error: unknown): boolean {
  const code = grpcCode(error);
  return code === GRPC.unavailable || code === GRPC.precondition || code === GRPC.deadline || code === 1;
}

/** A refusal that the workflow itself gave, as our error; null where the error is of another kind. */
export function workflowRefusal(error: unknown): PlanwrightError | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at.name === 'ApplicationFailure') {
      return refusalError('type' in at && typeof at.type === 'string' ? at.type : '', at.message);
    }
  }
  return null;
}

/** An error in our own words, such as a payload that no key opens, wherever in the chain of causes it stands; null: none. */
export function ownError(error: unknown): PlanwrightError | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (at instanceof PlanwrightError) return at;
  return null;
}

/** Anything else that calling Temporal can throw. @param address where it was called */
export function connectionError(error: unknown, address: string): PlanwrightError {
  const own = ownError(error);
  if (own) return own;
  const code = grpcCode(error);
  const why = error instanceof Error ? error.message : String(error);
  if (code === GRPC.denied || code === GRPC.unauthenticated) {
    return new UnreachableError(
      `Temporal at ${address} refuses the credentials: ${why}`,
      'Check TEMPORAL_API_KEY or the profile.',
      { cause: error },
    );
  }
  if (code === GRPC.deadline || code === 1) {
    return new UnreachableError(
      `Temporal at ${address} did not answer in time.`,
      'Is a worker for this workspace running? `planwright status` tells; `planwright up` starts it.',
      { cause: error },
    );
  }
  return new UnreachableError(
    `Temporal at ${address} cannot be reached: ${why}`,
    'See `planwright status` and `planwright doctor`.',
    { cause: error },
  );
}
