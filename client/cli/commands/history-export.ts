import { relative } from 'node:path';
import { CorruptLog } from '../../../audit/errors';
import { UsageError } from '../../../plan/errors';
import type { PlanHistories } from '../../histories';
import { desk, PLAN_ARG, planOfLog } from '../audit';
import { defineCommand, flag, nonEmpty } from '../command';
import type { Context } from '../context';
import { deliver, OUTPUT_OPTIONS } from '../deliver';
import { EXIT } from '../exit-codes';
import { safe } from '../show/style';

type Format = 'jsonl' | 'csv';

interface Parsed {
  plan?: string;
  format: Format;
  history: boolean;
  output?: string;
  overwrite: boolean;
}

export const command = defineCommand<Parsed>({
  about:
    "Writes a plan's audit log as it is (jsonl), or as a table (csv). With --history it keeps the event history instead, in the workspace\n" +
    'or in a file: for the day when Temporal has forgotten it. `history verify` and `history repair` read what was kept.',
  args: [PLAN_ARG],
  options: [
    { flags: '--format <format>', about: 'jsonl or csv (jsonl)' },
    { flags: '--history', about: 'the event history, and not the log' },
    ...OUTPUT_OPTIONS,
  ],
  examples: ['planwright history export --format csv -o audit.csv', 'planwright history export latest --history'],
  parse: (raw) => {
    const format = nonEmpty(raw, 'format');
    const history = flag(raw, 'history');
    if (format !== undefined && format !== 'jsonl' && format !== 'csv')
      throw new UsageError(`There is no format "${safe(format)}".`, 'The formats are jsonl and csv.');
    if (format !== undefined && history)
      throw new UsageError('--format is about the log; an event history has one form.', 'Leave out one of them.');
    return {
      plan: raw.args[0],
      format: format ?? 'jsonl',
      history,
      output: nonEmpty(raw, 'output'),
      overwrite: flag(raw, 'overwrite'),
    };
  },
  async run(context, { plan, format, history, output, overwrite }) {
    const client = await context.client({ readOnly: true, ...(history ? {} : { orDisk: true }) });
    const id = await planOfLog(context, client, plan);
    if (history) return keep(context, id, await client.histories(id), output, overwrite);
    const { entries, fault, isThere } = await (await desk(context)).read(id);
    if (!isThere) throw new UsageError(`There is no audit log of ${id}.`, `planwright history verify ${id}`);
    const { logText } = require('../../audit/export-log') as typeof import('../../audit/export-log');
    await deliver(context, output, logText(entries, format), overwrite);
    context.show.note(`${entries.length} entries of ${id}.`);
    if (!fault) return EXIT.done;
    throw new CorruptLog(
      `The audit log of ${id} does not hold from entry ${fault.seq} on; what holds was exported.`,
      fault,
    );
  },
});

async function keep(
  context: Context,
  id: string,
  histories: PlanHistories,
  output: string | undefined,
  overwrite: boolean,
): Promise<number> {
  const { show } = context;
  const { historiesText, keepHistories } =
    require('../../audit/kept-histories') as typeof import('../../audit/kept-histories');
  if (output === undefined) {
    const { root } = context.layout();
    const kept = (await keepHistories(context.layout(), id, histories)).map((one) => ({
      ...one,
      file: relative(root, one.file),
    }));
    show.document({ plan: id, kept, missing: histories.missing }, (style) =>
      kept.map(({ file, events }) => `${style.good('✓')} ${events} events in ${safe(file)}\n`).join(''),
    );
  } else await deliver(context, output, historiesText(histories.executions), overwrite);
  if (histories.missing === null) return EXIT.done;
  show.demand([`Execution ${histories.missing} and those before it are no longer in Temporal.`]);
  return EXIT.unreachable;
}
