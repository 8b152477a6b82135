import { defineCommand } from '../command';
import { parseUndo, UNDO_ARGS, UNDO_OPTIONS, type UndoParsed, undoPlan } from '../undo';

export const command = defineCommand<UndoParsed>({
  about:
    'Removes the files that a plan wrote, created and changed ones alike, and restores nothing: .bak files stay.\n' +
    'To get back what stood there before, use `planwright rollback`. A file that was changed since is kept and named (exit 1).',
  args: UNDO_ARGS,
  options: UNDO_OPTIONS,
  examples: ['planwright clean plan-1a2b3c4d', 'planwright destroy latest'],
  parse: parseUndo,
  run: (context, parsed) => undoPlan(context, 'clean', parsed),
});
