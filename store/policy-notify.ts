/** `notify:` of the policy: where notifications go. Addresses and secrets may stand elsewhere: the policy is committed. */
import { z } from 'zod';
import { DEFAULT_EVENTS, NOTIFY_EVENTS, type SinkRule } from '../plan/news';

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,199}$/, { error: 'expected the name of a variable' });
const file = z
  .string()
  .max(4096)
  .regex(/^(?:\/|~\/)./, { error: 'expected a path from / or ~/ on' });

const DAY_MS = 86_400_000;
const UNITS: { [unit: string]: number } = { s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS };
const DURATION = /^(\d{1,6})([smhd])$/;

/** `10s`, `5m`, `4h`, `7d`, as milliseconds. */
const duration = (longestMs: number) =>
  z.string({ error: 'expected a duration such as "10s", "5m", "4h" or "1d"' }).transform((text, context): number => {
    const [, count, unit] = DURATION.exec(text) ?? [];
    const ms = Number(count) * (UNITS[unit ?? ''] ?? Number.NaN);
    if (ms > 0 && ms <= longestMs) return ms;
    context.addIssue({
      code: 'custom',
      message: `"${text}" is no duration of up to ${longestMs / 1000} s such as "10s"`,
    });
    return z.NEVER;
  });

const sink = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, { error: 'expected up to 40 characters of a-z, 0-9 and -' }),
    /** Exactly one of these three; the last two for an address that is a secret. */
    url: z.string().max(2000).optional(),
    urlEnv: variable.optional(),
    urlFile: file.optional(),
    /** What notifications are signed with; at most one of these. */
    secretEnv: variable.optional(),
    secretFile: file.optional(),
    events: z
      .array(z.enum(NOTIFY_EVENTS))
      .min(1)
      .default([...DEFAULT_EVENTS]),
    format: z.enum(['json', 'slack']).default('json'),
    /** Of one attempt. */
    timeout: duration(60_000).prefault('10s'),
    /** A notification that could not be delivered for so long counts as failed. */
    giveUpAfter: duration(7 * DAY_MS).prefault('1d'),
    /** Lets `http:` pass to hosts other than this machine. */
    allowHttp: z.boolean().default(false),
  })
  .superRefine((one, context) => {
    const fault = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if ([one.url, one.urlEnv, one.urlFile].filter((given) => given !== undefined).length !== 1) {
      fault('url', 'a sink has exactly one of url, urlEnv and urlFile');
    }
    if (one.secretEnv !== undefined && one.secretFile !== undefined) {
      fault('secretFile', 'a sink has one of secretEnv and secretFile');
    }
    if (one.format === 'json' && one.secretEnv === undefined && one.secretFile === undefined) {
      fault('secretEnv', 'a sink of format json has secretEnv or secretFile: receivers know our messages by it');
    }
    const wrong = one.url === undefined ? null : addressFault(one.url, one.allowHttp);
    if (wrong) fault('url', wrong);
  });

export type Sink = z.output<typeof sink>;

export const sinksShape = z
  .array(sink)
  .max(20)
  .refine((sinks) => new Set(sinks.map(({ name }) => name)).size === sinks.length, {
    error: 'two sinks have the same name',
  });

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** @returns why nothing is sent to this address, without naming it; null where it may be used */
export function addressFault(address: string, allowHttp: boolean): string | null {
  if (!URL.canParse(address)) return 'is no URL';
  const { protocol, hostname, username, password } = new URL(address);
  if (username !== '' || password !== '') return 'holds a user name or password; use a secret instead';
  if (protocol === 'https:' || (protocol === 'http:' && (allowHttp || LOOPBACK.test(hostname)))) return null;
  if (protocol === 'http:') return 'is an http URL of another machine; use https, or set allowHttp: true';
  return 'is no https URL';
}

/** What the workflow has to know of the sinks. */
export function sinkRules(sinks: readonly Sink[]): SinkRule[] {
  return sinks.map(({ name, events, timeout, giveUpAfter }) => ({
    sink: name,
    events,
    timeoutMs: timeout,
    giveUpMs: giveUpAfter,
  }));
}
