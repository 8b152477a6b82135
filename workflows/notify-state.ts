import type { NotifyEvent, Told } from '../plan/news';
import type { NotifyRequest } from '../plan/steps';

/** A notification that is not delivered yet. */
export interface Waiting extends NotifyRequest {
  /** ISO time at which it is given up. */
  until: string;
  /** Milliseconds for one attempt. */
  timeoutMs: number;
}

/** What continue-as-new carries of notifications. */
export interface NotifyState {
  told: Told;
  /** Oldest first. */
  waiting: Waiting[];
  sent: number;
  /** Given up, newest last; bounded. */
  failed: { sink: string; event: NotifyEvent; at: string; error: string }[];
}
