import { defineCommand } from '../command';
import type { Verdict } from './decisions';
import { decideSelected, parseVerdict, VERDICT_OPTIONS } from './decisions';

export const command = defineCommand<Verdict>({
  about: 'Approves what a plan waits for. Where several gates are open, say which: --gate, --task, --path or --all.',
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' }],
  options: VERDICT_OPTIONS,
  examples: [
    'planwright approve plan-1a2b3c4d --gate g-1f',
    'planwright approve latest --task 2 --reason "read it"',
    'planwright approve --all',
  ],
  parse: parseVerdict,
  run: (context, verdict) => decideSelected(context, verdict, 'approve'),
});
