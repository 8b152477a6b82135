import type { Repaired } from '../../../audit/repair';
import { RefusedError, UsageError } from '../../../plan/errors';
import { absolute, desk, HISTORY_OPTION, historyFiles, PLAN_ARG, planOfLog } from '../audit';
import { defineCommand, flag } from '../command';
import type { Context } from '../context';
import { EXIT } from '../exit-codes';
import { plural, type Style, safe } from '../show/style';

interface Parsed {
  plan?: string;
  yes: boolean;
  files: string[];
  withoutHistory: boolean;
  supersede: boolean;
}

export const command = defineCommand<Parsed>({
  about:
    'Makes an audit log whole: from the event history in Temporal or an exported one, byte for byte as it was. Where no history can be had\n' +
    'any more, the longest beginning that holds is kept, and the break is declared in an entry that every verification tells of. What stood\n' +
    'there before is kept in quarantine. Nothing that does not hold is ever made to hold.',
  args: [PLAN_ARG],
  options: [
    { flags: '--yes', about: 'do not ask' },
    HISTORY_OPTION,
    { flags: '--without-history', about: 'declare a break, although Temporal was not asked for the history' },
    { flags: '--supersede', about: 'sign the repaired log also where it is not the one that was signed before' },
  ],
  examples: ['planwright history repair', 'planwright history repair latest --yes'],
  parse: (raw) => {
    const files = historyFiles(raw);
    const withoutHistory = flag(raw, 'withoutHistory');
    if (withoutHistory && files.length > 0)
      throw new UsageError('--without-history and --history exclude each other.', 'Give one of them.');
    return { plan: raw.args[0], yes: flag(raw, 'yes'), files, withoutHistory, supersede: flag(raw, 'supersede') };
  },
  async run(context, { plan, yes, files, withoutHistory, supersede }) {
    const { show, io } = context;
    // The server is started where it is ours: a break is not declared because nobody asked it.
    const client = await context.client(withoutHistory || files.length > 0 ? { readOnly: true, orDisk: true } : {});
    const id = await planOfLog(context, client, plan);
    const audit = await desk(context);
    const past = withoutHistory ? null : await audit.past(id, client, { files: absolute(context, files) });
    if (past) show.note(`The audit log of ${id} is compared with ${past.origin}, and written anew where it differs.`);
    else show.demand([BREAK_WARNING]);
    if (!yes) await confirm(context, past === null ? 'Declare a break where the log stops holding?' : 'Go on?');
    const repaired = await audit.repair(id, past, { by: io.user(), now: io.now(), supersede });
    const from = past?.origin ?? null;
    show.document({ schema: 'planwright.repair/1', plan: id, from, ...repaired }, (style) =>
      repairText(id, repaired, style),
    );
    show.next([`planwright history verify ${id}`]);
    return EXIT.done;
  },
});

const BREAK_WARNING =
  'No event history of the whole plan can be had. What of the log holds is kept; that entries are missing is declared, and told for ever.';

async function confirm({ io }: Context, question: string): Promise<void> {
  if (!io.stdin.isTTY)
    throw new RefusedError('A repair replaces the audit log, and nobody is there to be asked.', 'Pass --yes.');
  const answer = await io.prompter.ask(`${question} [y/N] `, new AbortController().signal);
  if (answer.kind === 'line' && /^y(es)?$/i.test(answer.line.trim())) return;
  throw new RefusedError('Nothing was repaired.');
}

function repairText(id: string, { outcome, size, quarantine, fault, lost }: Repaired, style: Style): string {
  const entries = plural(size, 'entr').replace(/entrs?$/, size === 1 ? 'entry' : 'entries');
  const what = {
    whole: `The audit log of ${id} holds: ${entries}. Nothing was changed.`,
    completed: `The audit log of ${id} is whole again: ${entries}, as they were.`,
    repaired: `The audit log of ${id} was written anew from the event history: ${entries}.`,
    broken: `The audit log of ${id} holds up to a declared break: ${entries}.`,
  }[outcome];
  const lines = [`${outcome === 'broken' ? style.warn('!') : style.good('✓')} ${what}`];
  if (fault) {
    lines.push(
      `  entry ${fault.seq}, ${safe(fault.segment)}, byte ${fault.offset}`,
      `    expected  ${safe(fault.expected)}`,
      `    actual    ${safe(fault.actual)}`,
    );
  }
  if (lost) lines.push(`  ${lost} entries that were signed are lost.`);
  if (quarantine) lines.push(`  What stood there is kept in ${safe(quarantine)} beside the log.`);
  return `${lines.join('\n')}\n`;
}
