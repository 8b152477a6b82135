import { CorruptLog } from '../../../audit/errors';
import { UsageError } from '../../../plan/errors';
import { AUDIT_EVENTS } from '../../../plan/facts';
import { type Filter, matches } from '../../audit/read-log';
import { desk, moment, PLAN_ARG, planOfLog } from '../audit';
import { defineCommand, list, nonEmpty, type Raw } from '../command';
import type { Context } from '../context';
import { EXIT } from '../exit-codes';
import { taskIdsOf } from '../plan-ref';
import { auditText } from '../show/audit-text';
import { plural, safe } from '../show/style';

interface Parsed {
  plan?: string;
  tasks?: string[];
  filter: (now: number) => Filter;
}

export const command = defineCommand<Parsed>({
  about:
    "Shows a plan's audit log: who did what, when, and what came of it. The log is checked as it is read, and what does not hold is\n" +
    'not shown (exit 3); `planwright history verify` also compares it with what others know. Works without Temporal.',
  args: [PLAN_ARG],
  options: [
    { flags: '--task <tasks>', about: 'entries of these tasks, by number or id' },
    { flags: '--event <events>', about: 'these events; "gate." is all that begin so' },
    { flags: '--actor <who>', about: 'a part of a name, or a kind: user, worker, workflow, temporal' },
    { flags: '--since <when>', about: 'from this time on, such as 2026-11-21T10:00:00Z, or 2h for two hours ago' },
    { flags: '--until <when>', about: 'up to this time' },
  ],
  examples: ['planwright history audit', 'planwright history audit latest --event gate.,decision. --actor ana --json'],
  parse: (raw) => ({ plan: raw.args[0], tasks: list(raw, 'task'), filter: filterOf(raw) }),
  async run(context, { plan, tasks, filter }) {
    const { show, io } = context;
    const client = await context.client({ readOnly: true, orDisk: true });
    const id = await planOfLog(context, client, plan);
    const wanted: Filter = { ...filter(io.now()), ...(tasks ? { tasks: await idsOf(context, id, tasks) } : {}) };
    const { log, isThere, head, entries, fault } = await (await desk(context)).read(id);
    const found = entries.filter((entry) => matches(entry, wanted));
    show.document({ schema: 'planwright.audit-log/1', plan: id, log, head, fault, entries: found }, (style) =>
      auditText(found, style),
    );
    if (fault) {
      const { seq, segment, offset, expected, actual } = fault;
      throw new CorruptLog(
        `The audit log of ${id} does not hold from entry ${seq} on (${segment}, byte ${offset}): expected ${safe(expected)}, found ${safe(actual)}.`,
        fault,
      );
    }
    if (!isThere)
      show.note(`There is no audit log of ${id} here. Whether there should be one: planwright history verify ${id}`);
    else show.note(`${plural(found.length, 'entry').replace('entrys', 'entries')} of ${head.size}.`);
    show.next([`planwright history verify ${id}`]);
    return EXIT.done;
  },
});

function filterOf(raw: Raw): (now: number) => Filter {
  const events = list(raw, 'event');
  for (const event of events ?? []) {
    if (AUDIT_EVENTS.some((known) => known === event || (event.endsWith('.') && known.startsWith(event)))) continue;
    const groups = [...new Set(AUDIT_EVENTS.map((known) => `${known.split('.')[0]}.`))];
    throw new UsageError(`There is no event "${safe(event)}".`, `Their names begin with ${groups.join(' ')}`);
  }
  const actor = nonEmpty(raw, 'actor');
  // Read once, so that a wrong time is told before anything is opened.
  const at = (now: number) => ({ since: moment(raw, 'since', now), until: moment(raw, 'until', now) });
  at(0);
  return (now) => ({ events, actor, ...at(now) });
}

/** Numbers are known from the plan; where it is gone, what was typed is an id. */
async function idsOf(context: Context, plan: string, tasks: readonly string[]): Promise<readonly string[]> {
  const client = await context.client({ readOnly: true, orDisk: true });
  const shown = await client.show(plan).catch((error: unknown) => {
    if (error instanceof UsageError) return null;
    throw error;
  });
  return shown ? taskIdsOf(shown.view, tasks) : tasks;
}
