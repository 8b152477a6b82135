/** Exit codes and their meanings (docs/contract.md, "Exit codes"): the table at the end of `planwright --help`. */
export const EXIT_CODES: readonly (readonly [codes: string, meaning: string])[] = [
  ['0', 'done as asked'],
  ['1', 'the plan failed or ended partial; any other failure'],
  ['2', 'bad usage, bad input; everything declined; cancelled'],
  ['3', 'integrity: the audit log, a history or a replay does not match'],
  [
    '4',
    'Temporal or the provider cannot be reached, or refuses the credentials; evidence that was asked for cannot be had',
  ],
  ['5', 'refused before anything ran: wrong state, dirty tree, stale artifacts, drift in a replay, a forbidden flag'],
  ['8', 'nothing failed, something is pending: approval, budget, pause'],
  ['130, 143', 'interrupted; the plan, if it was handed over, goes on'],
];

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  /** With --detailed-exitcode. */
  changes: 2,
  integrity: 3,
  unreachable: 4,
  refused: 5,
  pending: 8,
  interrupted: 130,
  terminated: 143,
} as const;
