import { defineCommand } from '../command';
import type { Hold } from './hold';
import { HOLD_OPTIONS, parseHold, pauseOrUnpause } from './hold';

export const command = defineCommand<Hold>({
  about:
    'Lets nothing more of a run begin. A step of a task that is under way comes to its end and is recorded: a call of the ' +
    'model, or a write that is under way; under --yes both are one step. No task takes its next one, no other task starts. Decisions are taken and kept meanwhile, deadlines of gates go ' +
    'on, and the plan can be cancelled. `planwright unpause` lets it go on where it stands, days later too.',
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' }],
  options: HOLD_OPTIONS,
  examples: ['planwright pause', 'planwright pause plan-1a2b3c4d --reason "release day"'],
  parse: parseHold,
  run: (context, hold) => pauseOrUnpause(context, hold, 'pause'),
});
