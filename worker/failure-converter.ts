/** How errors of activities become failures where payloads are encrypted; loaded by the SDK by its path. */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
