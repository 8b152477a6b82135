import { defineCommand } from '../command';
import type { Verdict } from './decisions';
import { decideSelected, parseVerdict, VERDICT_OPTIONS } from './decisions';

export const command = defineCommand<Verdict>({
  about: 'Rejects what a plan waits for: the file is not written. A rejected risk gate cancels the run.',
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' }],
  options: VERDICT_OPTIONS,
  examples: [
    'planwright reject plan-1a2b3c4d --path Dockerfile --reason "wrong base image"',
    'planwright reject --all',
  ],
  parse: parseVerdict,
  run: (context, verdict) => decideSelected(context, verdict, 'reject'),
});
