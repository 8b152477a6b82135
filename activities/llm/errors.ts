import { ApplicationFailure } from '@temporalio/common';
import { maskSecrets } from '../../plan/mask';

/** Types of the failures that leave this room. All but the first three are never retried. */
export type LlmFailure =
  | 'RateLimited'
  | 'ProviderError'
  | 'Unreachable'
  | 'Credentials'
  | 'BadRequest'
  | 'Timeout'
  | 'BadAnswer'
  | 'AskAgain'
  | 'Refused'
  | 'ContextOverflow'
  | 'BadInput'
  | 'NoRule';

/** Longest wait that a server can impose on us, in milliseconds. */
const MAX_DELAY_MS = 60_000;
/** Attempts of an activity after which an unreachable server is given up. */
const UNREACHABLE_ATTEMPTS = 4;
const MAX_DETAIL = 500;

/** A failure that no retry mends. The message says what happened, why, and what to do. */
export function finalFailure(type: LlmFailure, message: string, details: unknown[] = []): ApplicationFailure {
  return ApplicationFailure.create({ message, type, nonRetryable: true, details });
}

/** A failure that Temporal retries, after `delayMs` where the server named one. */
function passingFailure(type: LlmFailure, message: string, delayMs: number | null): ApplicationFailure {
  return ApplicationFailure.create({ message, type, ...(delayMs === null ? {} : { nextRetryDelay: delayMs }) });
}

/** Who was asked, for messages. `baseURL` holds no credentials; `key` is there to be masked. */
export interface Asked {
  provider: string;
  model: string;
  baseURL: string;
  key: string;
  keyPlace: string;
  /** Attempt number of the activity, from 1. */
  attempt: number;
}

/** Takes keys and credentials out of a provider's text, puts it on one line and caps it (threat T35). */
export function masked(text: string, key: string): string {
  const hidden = (key.length < 4 ? text : text.split(key).join('[masked key]'))
    .replace(/\/\/[^/@\s]+@/g, '//[masked]@')
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, '$1 [masked]')
    // Providers echo keys with the middle starred out; what is left of them is no one's business either.
    .replace(/\bsk-[\w*-]{4,}/g, '[masked key]');
  const line = maskSecrets(hidden)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return line.length > MAX_DETAIL ? `${line.slice(0, MAX_DETAIL)}…` : line;
}

/** What an HTTP answer with an error status says. */
export interface HttpFault {
  status: number;
  code: string | null;
  message: string;
  headers: { get(name: string): string | null };
}

/** Turns an error status into a failure; what may pass by itself is retried, what is wrong with the request or the key is not. */
export function httpFailure(fault: HttpFault, asked: Asked, now = Date.now()): ApplicationFailure {
  const { status } = fault;
  // The SDK puts the status before the text, and some servers end it without a full stop.
  const text = fault.message.startsWith(`${status} `) ? fault.message.slice(`${status} `.length) : fault.message;
  const said = masked(wordsOf(text), asked.key).replace(/(?<![.!?…])$/, '.');
  const who = `${asked.provider} (${asked.baseURL})`;
  const answered = `${who} answered ${status}: ${said}`;
  if (status === 401 || status === 403) {
    return finalFailure(
      'Credentials',
      `${who} refused the credentials (${status}): ${said} Check the key in ${asked.keyPlace} and what it may use.`,
    );
  }
  if (isContextOverflow(fault)) {
    return finalFailure(
      'ContextOverflow',
      `${answered} The question is too long for model "${asked.model}". Use a model with a larger context, or a smaller task.`,
    );
  }
  const advised = fault.headers.get('x-should-retry');
  const spent = fault.code === 'insufficient_quota';
  const passing = status === 408 || status === 409 || status === 429 || status >= 500;
  if (advised === 'true' || (advised !== 'false' && passing && !spent)) {
    const delay = retryDelay(fault.headers, now);
    if (status === 429) return passingFailure('RateLimited', `${answered} Wait, then run it again.`, delay);
    return passingFailure('ProviderError', `${answered} Try again later, or look at the server's log.`, delay);
  }
  if (status === 429) {
    const why = spent ? 'The account has no quota left: raise it' : 'It asks not to be called again: wait';
    return finalFailure('RateLimited', `${answered} ${why}, then run the plan with --resume --retry.`);
  }
  if (status >= 500) return finalFailure('ProviderError', `${answered} It asks not to be called again. Try later.`);
  const advice =
    status === 404
      ? `Check the model's name ("${asked.model}") and the base URL.`
      : `Check that the server can do what is asked of model "${asked.model}".`;
  return finalFailure('BadRequest', `${answered} ${advice}`);
}

/** Of a page that a gateway sends in the place of an error: its title says what is known. */
export function wordsOf(text: string): string {
  if (!/^\s*<(!doctype|html|head|body)\b/i.test(text)) return text;
  const title = /<title[^>]*>([^<]{1,300})<\/title>/i.exec(text)?.[1]?.trim();
  return title ? `an HTML page, "${title}"` : 'an HTML page without a title';
}

function isContextOverflow({ status, code, message }: HttpFault): boolean {
  if (status === 413 || code === 'context_length_exceeded') return true;
  return (
    (status === 400 || status === 422) &&
    /context[ _](length|window|size)|maximum context|prompt is too long|too many (input )?tokens/i.test(message)
  );
}

/**
 * How long the server wants us to wait, in milliseconds, at most a minute; null where it does not say.
 * `retry-after-ms` first, then `retry-after` in seconds or as an HTTP date (RFC 9110, section 10.2.3).
 */
function retryDelay(headers: HttpFault['headers'], now: number): number | null {
  const milliseconds = headers.get('retry-after-ms')?.trim();
  if (milliseconds && Number.isFinite(Number(milliseconds))) return bounded(Number(milliseconds));
  const after = headers.get('retry-after')?.trim();
  if (!after) return null;
  if (Number.isFinite(Number(after))) return bounded(Number(after) * 1000);
  const date = Date.parse(after);
  return Number.isNaN(date) ? null : bounded(date - now);
}

function bounded(delay: number): number {
  return Math.round(Math.min(Math.max(delay, 1), MAX_DELAY_MS));
}

/** A call that took longer than it may. It is never retried: the next would most likely take as long. */
export function timeoutFailure(asked: Asked, timeoutMs: number): ApplicationFailure {
  return finalFailure(
    'Timeout',
    `${asked.provider} (${asked.baseURL}) did not answer within ${timeoutMs / 1000} s; the call was aborted. ` +
      'Allow more time with --timeout SECONDS, or use a faster model.',
  );
}

/** A stream that is no whole answer: as good as a connection that was closed. */
export function brokenStream(asked: Asked, why: string): ApplicationFailure {
  const message = `The stream of ${asked.provider} (${asked.baseURL}) broke: ${why}. Try again, or look at the server's log.`;
  return passingFailure('ProviderError', message, null);
}

/** Codes of errors that mean: nobody is there, or it is not who it should be. */
const NOBODY = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL/;

/** Turns an error of the connection into a failure: nobody there is given up after four attempts. */
export function connectionFailure(error: unknown, asked: Asked): ApplicationFailure {
  const code = codeOf(error);
  const said = `${asked.provider} (${asked.baseURL})`;
  const advice =
    'Check the base URL (planwright provider list shows it; OPENAI_BASE_URL for openai), the network, and that the server runs.';
  if (CERTIFICATE.test(code)) return finalFailure('Unreachable', `${said} cannot be trusted (${code}). ${advice}`);
  if (NOBODY.has(code)) {
    const message = `${said} cannot be reached (${code}). ${advice}`;
    if (asked.attempt >= UNREACHABLE_ATTEMPTS) return finalFailure('Unreachable', message);
    return passingFailure('Unreachable', message, null);
  }
  if (isBlockedPort(error))
    return finalFailure('Unreachable', `${said} has a port that HTTP clients refuse. ${advice}`);
  const why = masked(error instanceof Error ? error.message : String(error), asked.key);
  return passingFailure('ProviderError', `The connection to ${said} broke (${code || why}). ${advice}`, null);
}

/** Ports of other services, such as 1 or 6000, are blocked by `fetch` itself (Fetch standard, "port blocking"). */
function isBlockedPort(error: unknown): boolean {
  let at: unknown = error;
  for (let depth = 0; depth < 8 && typeof at === 'object' && at !== null; depth++) {
    if ('message' in at && at.message === 'bad port') return true;
    at = 'cause' in at ? at.cause : null;
  }
  return false;
}

/**
 * The first error code along an error's causes; an aggregate stands for its first member. By shape, not by class:
 * `fetch` may throw errors of another realm.
 */
function codeOf(error: unknown): string {
  let at: unknown = error;
  for (let depth = 0; depth < 8 && typeof at === 'object' && at !== null; depth++) {
    if ('code' in at && typeof at.code === 'string' && at.code !== '') return at.code;
    at = 'errors' in at && Array.isArray(at.errors) ? at.errors[0] : 'cause' in at ? at.cause : null;
  }
  return '';
}
