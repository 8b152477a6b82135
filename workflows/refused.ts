/** A ruling that went against the caller; `type` is the contract's failure type. */
export class RulingRefused extends Error {
  constructor(
    readonly type: 'UnknownGate' | 'AlreadyDecided' | 'StaleDigest' | 'NotAllowed' | 'BadInput',
    message: string,
  ) {
    super(message);
  }
}
