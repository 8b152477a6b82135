import { defineCommand } from '../command';
import type { Hold } from './hold';
import { HOLD_OPTIONS, parseHold, pauseOrUnpause } from './hold';

export const command = defineCommand<Hold>({
  about: 'Lets a paused run go on: each task takes the step that is next, and what was decided meanwhile counts.',
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' }],
  options: HOLD_OPTIONS,
  examples: ['planwright unpause', 'planwright unpause plan-1a2b3c4d'],
  parse: parseHold,
  run: (context, hold) => pauseOrUnpause(context, hold, 'unpause'),
});
