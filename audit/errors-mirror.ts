import { FailedError } from '../plan/errors';

/** The history could not be brought into the log: nothing that it should tell of may happen before it is. */
export class MirrorFailed extends FailedError {}
