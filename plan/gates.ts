import type { GateKind } from './view';

/** The decisions that each kind of gate takes (docs/contract.md, "Gates"): one table for the workflow and the command line. */
export const DECISIONS: { [kind in GateKind]: readonly string[] } = {
  file: ['approve', 'reject', 'request-changes'],
  tool: ['approve', 'reject', 'request-changes'],
  risk: ['approve', 'reject'],
  drift: ['approve', 'reject'],
  stuck: ['retry', 'skip', 'stop'],
  budget: ['raise', 'stop'],
};
