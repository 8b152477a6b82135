import { defineCommand } from '../command';
import { parseUndo, UNDO_ARGS, UNDO_OPTIONS, type UndoParsed, undoPlan } from '../undo';

export const command = defineCommand<UndoParsed>({
  about:
    'Puts back what stood there before the plan, across all its runs: deletes what it created, restores what it replaced,\n' +
    'and takes its .bak files and empty directories away. A file that was changed since is kept and named (exit 1).\n' +
    'The plan can be applied again afterwards; unchanged inputs cost no call of the model.',
  args: UNDO_ARGS,
  options: UNDO_OPTIONS,
  examples: ['planwright rollback plan-1a2b3c4d', 'planwright rollback latest --overwrite-changed'],
  parse: parseUndo,
  run: (context, parsed) => undoPlan(context, 'rollback', parsed),
});
