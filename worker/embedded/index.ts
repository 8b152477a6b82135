/**
 * The embedded Temporal server, for the commands: nothing here loads the Temporal SDK, and what is heavy
 * is loaded late.
 */
export type { BinaryOptions, TemporalBinary } from './binary';
export { findTemporalBinary } from './binary';
export type { Check, DoctorOptions } from './doctor';
export { doctor } from './doctor';
export type { Embedded, EnsureOptions } from './ensure';
export { ensureEmbedded } from './ensure';
export { EMBEDDED_NAMESPACE } from './paths';
export type { EmbeddedStatus, ProcessStatus } from './status';
export { embeddedStatus } from './status';
export type { StopOptions, Stopped } from './stop';
export { stopEmbedded } from './stop';
