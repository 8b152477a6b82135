/**
 * How errors of the workflow become failures. Where payloads are encrypted, message and stack trace go into a payload too; the
 * worker says so by a global that stands before the bundle's code, because nothing else reaches this sandbox so early.
 */
import { DefaultFailureConverter } from '@temporalio/common';

/** Set to true by worker/payloads.ts. */
export const ENCODE_FAILURES = '__planwrightEncodeFailures';

export const failureConverter = new DefaultFailureConverter({
  encodeCommonAttributes: Reflect.get(globalThis, ENCODE_FAILURES) === true,
});
