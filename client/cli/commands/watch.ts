import { isSettledPlan } from '../../../plan/states';
import { defineCommand } from '../command';
import { follow } from '../follow';
import { showEnding } from '../run-plan';

export const command = defineCommand<{ plan?: string }>({
  about:
    "Follows a plan until its run is over and exits with the plan's code. It decides nothing; at a gate it says what " +
    'to type, and without a terminal it exits 8.',
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' }],
  examples: ['planwright watch', 'planwright watch plan-1a2b3c4d --json'],
  parse: (raw) => ({ plan: raw.args[0] }),
  async run(context, { plan }) {
    const { io, show } = context;
    const client = await context.client();
    const id = await client.resolve(plan);
    const ending = await follow({
      client,
      id,
      io,
      show,
      before: null,
      by: io.user(),
      atGate: io.stdin.isTTY ? 'stay' : 'leave',
      settled: ({ status }) => isSettledPlan(status),
    });
    const runs = ending.view?.runs ?? [];
    return showEnding(context, id, ending, runs.at(-1)?.number ?? null);
  },
});
