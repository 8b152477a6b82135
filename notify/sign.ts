/** How a receiver knows that a notification is ours, whole and fresh: HMAC-SHA256 (RFC 2104) over time and body. */
import { createHmac } from 'node:crypto';

export const HEADERS = {
  id: 'planwright-delivery',
  event: 'planwright-event',
  timestamp: 'planwright-timestamp',
  signature: 'planwright-signature',
} as const;

/**
 * @param timestamp seconds since the epoch, at which this attempt was made
 * @param body exactly the bytes that are sent
 * @returns `v1=` and 64 hex characters
 */
export function signatureOf(secret: string, timestamp: number, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}
