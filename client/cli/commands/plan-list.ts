import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { elapsed, safe, short, table } from '../show/style';

export const command = defineCommand<null>({
  about: 'All plans of the workspace, newest first. A star marks the active one.',
  examples: ['planwright plan list', 'planwright plan list --json'],
  parse: () => null,
  async run(context) {
    const { io, show } = context;
    const client = await context.client({ readOnly: true });
    const plans = await client.list();
    show.document(plans, (style) => {
      if (plans.length === 0) return `There are no plans in this workspace yet: ${safe(context.layout().root)}\n`;
      const rows = plans.map((plan) => [
        plan.active ? '*' : '',
        plan.id,
        short(plan.name, 30),
        plan.status.replace('_', ' '),
        `${plan.tasks.completed}/${plan.tasks.total}`,
        plan.waiting ? `${plan.waiting.gates} for ${elapsed(io.now() - Date.parse(plan.waiting.since))}` : '',
        `${elapsed(io.now() - Date.parse(plan.createdAt))} ago`,
        short(plan.goal, 40),
      ]);
      const notes = plans.flatMap(({ id, note }) => (note ? [`${style.warn('Note')} ${id}: ${safe(note)}\n`] : []));
      return table(['', 'PLAN', 'NAME', 'STATUS', 'DONE', 'WAITING', 'MADE', 'GOAL'], rows) + notes.join('');
    });
    const [latest] = plans;
    const waiting = plans.some((plan) => plan.waiting);
    // Without an active plan the short form would only be refused.
    const look = plans.some((plan) => plan.active) ? 'planwright plan show' : `planwright plan show ${latest?.id}`;
    show.next([latest ? (waiting ? 'planwright approvals' : look) : 'planwright plan "<goal>"']);
    return EXIT.done;
  },
});
