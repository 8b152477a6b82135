/** One attempt to deliver one notification. */
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Sink } from '../store/policy-notify';
import type { Address } from './address';
import { jsonBody, type Notification, slackBody } from './body';
import { HEADERS, signatureOf } from './sign';

/** `gone`: the receiver says that nobody is there any more, and that trying again is pointless. */
export type Delivery =
  | { result: 'delivered'; status: number }
  | { result: 'refused' | 'gone'; status: number; retryAfterMs: number | null }
  | { result: 'unreachable'; why: string };

const LONGEST_WAIT_MS = 3_600_000;

/**
 * Posts it, follows no redirect and reads nothing of the answer but its status and `Retry-After`.
 * @param now milliseconds since the epoch
 * @param signal ends the attempt, as its time limit does
 */
export async function deliver(
  sink: Pick<Sink, 'format' | 'timeout'>,
  { url, secret }: Address,
  notification: Notification,
  { version, now, signal }: { version: string; now: number; signal?: AbortSignal },
): Promise<Delivery> {
  const body = sink.format === 'slack' ? slackBody(notification) : jsonBody(notification);
  const timestamp = Math.floor(now / 1000);
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'user-agent': `planwright/${version}`,
    [HEADERS.id]: notification.id,
    [HEADERS.event]: notification.event,
    [HEADERS.timestamp]: String(timestamp),
    ...(secret === null ? {} : { [HEADERS.signature]: signatureOf(secret, timestamp, body) }),
  };
  const limit = AbortSignal.timeout(sink.timeout);
  const ends = signal ? AbortSignal.any([limit, signal]) : limit;
  try {
    const { status, headers: answered } = await post(
      url,
      { method: 'POST', headers, signal: ends, agent: false },
      body,
    );
    if (status >= 200 && status < 300) return { result: 'delivered', status };
    const retryAfterMs = waitOf(answered['retry-after'], now);
    return { result: status === 410 ? 'gone' : 'refused', status, retryAfterMs };
  } catch (error) {
    return { result: 'unreachable', why: limit.aborted ? `no answer within ${sink.timeout} ms` : codeOf(error) };
  }
}

function post(
  url: string,
  options: RequestOptions,
  body: string,
): Promise<{ status: number; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const send = new URL(url).protocol === 'https:' ? httpsRequest : httpRequest;
    const sent = send(url, options, (response) => {
      // Whatever a receiver has to say, it is not read: it may be endless.
      response.on('error', () => undefined);
      response.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A failure of the network in a word: its message may hold the address, and the address may be a secret. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'the connection failed';
  if ('name' in error && error.name === 'AbortError') return 'the attempt was stopped';
  return 'code' in error && typeof error.code === 'string' ? error.code : 'the connection failed';
}

/** `Retry-After` (RFC 9110, 10.2.3) in milliseconds, an hour at most; null where it says nothing of use. */
function waitOf(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
  return ms > 0 ? Math.min(ms, LONGEST_WAIT_MS) : null;
}

/** What came of an attempt, in words; without the address. */
export function describe(delivery: Delivery): string {
  if (delivery.result === 'unreachable') return `it could not be reached: ${delivery.why}`;
  const answered = `it answered ${delivery.status}`;
  if (delivery.result === 'gone') return `${answered}: nobody is there any more`;
  if (delivery.status >= 300 && delivery.status < 400) return `${answered}, a redirect, which is not followed`;
  return answered;
}
