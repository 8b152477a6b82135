/** The keys of `policy.yaml` that say who decides, until when, what may be spent and when nothing is written. */
import { z } from 'zod';
import type { Deadlines, FreezeWindow, Limit, PolicyRules, Rule } from '../plan/rules/types';
import { samePerson } from '../plan/rules/votes';

const UNITS: { [unit: string]: number } = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const YEAR_MS = 365 * 86_400_000;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const DURATION = /^(\d{1,9})([smhd])$/;
const WEEKLY = /^(mon|tue|wed|thu|fri|sat|sun) ([01]\d|2[0-3]):([0-5]\d)$/;
const MOST_RULES = 200;

/** Control characters and what hides text would be shown to people who decide. */
const word = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => text.trim() === text && !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text), {
    error: 'a name on one line, without blanks around it',
  });
const words = z.array(word).min(1).max(100);

/** Relative to the workspace, as in `write.allow`. */
export const pattern = z
  .string()
  .min(1)
  .max(500)
  .refine((text) => !/^[!/]|\\|\.\./.test(text), {
    error: 'a pattern is relative to the workspace, without "..", "\\" or a leading "!" or "/"',
  });

/** `90s`, `30m`, `4h`, `7d`, as milliseconds; `never` as null. */
const duration = z
  .string({ error: 'expected a duration such as "90s", "30m", "4h" or "7d", or "never"' })
  .transform((text, context): number | null => {
    if (text === 'never') return null;
    const [, count, unit] = DURATION.exec(text) ?? [];
    const ms = Number(count) * (UNITS[unit ?? ''] ?? Number.NaN);
    if (ms > 0 && ms <= YEAR_MS) return ms;
    context.addIssue({
      code: 'custom',
      message: `"${text}" is no duration of up to 365d such as "90s", "30m", "4h" or "7d", nor "never"`,
    });
    return z.NEVER;
  });

const deadlineKeys = {
  remind: duration.optional(),
  escalate: z.strictObject({ after: duration, to: words }).optional(),
  /** A gate that expires is rejected. */
  expire: duration.optional(),
};

const GATES = ['file', 'tool', 'risk', 'stuck', 'budget'] as const;

const rule = z
  .strictObject({
    name: word,
    gates: z
      .array(z.enum(GATES))
      .min(1)
      .default(() => ['file' as const]),
    tools: words.optional(),
    paths: z.array(pattern).min(1).max(1000).optional(),
    risk: z.enum(['LOW', 'MEDIUM', 'HIGH']).optional(),
    approvals: z.number().int().min(0).max(20).default(1),
    by: words.optional(),
    excludeRequester: z.boolean().default(false),
    ...deadlineKeys,
  })
  .superRefine(({ gates, paths, approvals, by }, context) => {
    const issue = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    const other = gates.find((gate) => gate !== 'file');
    if (paths && other) issue('paths', `a ${other} gate is about no file: give it a rule of its own`);
    // `ana` is `ana@laptop` as well: a quorum that needs both would wait for ever.
    const twice = by?.some((one, index) => by.slice(0, index).some((other) => samePerson(one, other)));
    if (twice) issue('by', 'names somebody twice');
    if (by && by.length < approvals) issue('approvals', `asks for ${approvals}, and only ${by.length} may approve`);
    const single = gates.find((gate) => gate === 'stuck' || gate === 'budget');
    if (single && approvals > 1) issue('approvals', `one person decides a ${single} gate: 1, or leave it out`);
  });

/** A moment, or one that comes every week; the two ends of a window are of one kind. */
const moment = z
  .string()
  .refine((text) => WEEKLY.test(text) || z.iso.datetime({ offset: true }).safeParse(text).success, {
    error: 'expected a time such as "2026-12-20T00:00:00Z", or "fri 16:00" (UTC) for every week',
  });

const freeze = z
  .strictObject({ name: word, from: moment, until: moment, run: z.enum(['refuse', 'wait']).default('refuse') })
  .superRefine(({ from, until }, context) => {
    const issue = (message: string): void => context.addIssue({ code: 'custom', path: ['until'], message });
    if (WEEKLY.test(from) !== WEEKLY.test(until)) issue('"from" and "until" are both times, or both days of the week');
    else if (WEEKLY.test(from) ? from === until : Date.parse(until) <= Date.parse(from)) issue('is not after "from"');
  });

const limit = z
  .strictObject({
    tokens: z.number().int().min(1).max(1e12).optional(),
    calls: z.number().int().min(1).max(1e9).optional(),
  })
  .prefault({});

/** Keys of the policy's top level. */
export const ruleKeys = {
  /** First match wins. */
  rules: z
    .array(rule)
    .max(MOST_RULES)
    .default([])
    .refine((rules) => new Set(rules.map(({ name }) => name)).size === rules.length, {
      error: 'two rules have the same name',
    }),
  /** Of every gate, where no rule says otherwise. */
  deadlines: z.strictObject(deadlineKeys).prefault({}),
  budgets: z.strictObject({ plan: limit, task: limit }).prefault({}),
  freeze: z.array(freeze).max(MOST_RULES).default([]),
};

const shape = z.strictObject(ruleKeys);
type Keys = z.output<typeof shape>;
type DeadlineKeys = Pick<Keys['rules'][number], 'remind' | 'escalate' | 'expire'>;

/** As the workflow rules by them. */
export function policyRules({ rules, deadlines, budgets, freeze: windows }: Keys): PolicyRules {
  const general = deadlinesOf(deadlines, null);
  return {
    rules: rules.map(
      (one): Rule => ({
        name: one.name,
        gates: [...one.gates],
        tools: one.tools ?? null,
        paths: one.paths ?? null,
        risk: one.risk ?? null,
        approvals: one.approvals,
        by: one.by ?? null,
        excludeRequester: one.excludeRequester,
        deadlines: deadlinesOf(one, general),
      }),
    ),
    deadlines: general,
    budgets: { plan: limitOf(budgets.plan), task: limitOf(budgets.task) },
    freeze: windows.map(windowOf),
  };
}

/** What a rule leaves out is as the policy says it for all gates. */
function deadlinesOf({ remind, escalate, expire }: DeadlineKeys, general: Deadlines | null): Deadlines {
  const given = (own: number | null | undefined, other: number | null | undefined): number | null =>
    own === undefined ? (other ?? null) : own;
  return {
    remindMs: given(remind, general?.remindMs),
    escalateMs: given(escalate?.after, general?.escalateMs),
    escalateTo: escalate?.to ?? general?.escalateTo ?? [],
    expireMs: given(expire, general?.expireMs),
  };
}

const limitOf = ({ tokens, calls }: { tokens?: number; calls?: number }): Limit => ({
  tokens: tokens ?? null,
  calls: calls ?? null,
});

function windowOf({ name, from, until, run }: Keys['freeze'][number]): FreezeWindow {
  const [start, end] = [minuteOfWeek(from), minuteOfWeek(until)];
  if (start !== null && end !== null) return { name, once: null, weekly: { from: start, until: end }, run };
  const iso = (text: string): string => new Date(text).toISOString();
  return { name, once: { from: iso(from), until: iso(until) }, weekly: null, run };
}

/** Minutes since Monday 00:00; null for a time that is no day of the week. */
function minuteOfWeek(text: string): number | null {
  const [, day, hours, minutes] = WEEKLY.exec(text) ?? [];
  return day === undefined ? null : (DAYS.indexOf(day) * 24 + Number(hours)) * 60 + Number(minutes);
}

/** Names of skills that rules mention and that there are none of: an error, for such a rule would never match. */
export function unknownTools({ rules }: Pick<PolicyRules, 'rules'>, known: ReadonlySet<string>): string[] {
  const named = rules.flatMap(({ name, tools }) => (tools ?? []).map((tool) => ({ name, tool })));
  return named.flatMap(({ name, tool }) => (known.has(tool) ? [] : [`rule "${name}" names the tool "${tool}"`]));
}
