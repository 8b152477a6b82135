import { escapeLinesForDisplay } from '../../../plan/display';
import { UsageError } from '../../../plan/errors';
import { staleTasks } from '../../../plan/selection';
import { defineCommand, flag, nonEmpty } from '../command';
import type { Context } from '../context';
import { EXIT } from '../exit-codes';
import { taskIdOf } from '../plan-ref';
import { pricesInForce } from '../providers';
import { nextCommands } from '../show/outcome-text';
import { planText } from '../show/plan-text';
import { taskText } from '../show/task-text';

interface Parsed {
  plan?: string;
  task?: string;
  raw: boolean;
}

export const command = defineCommand<Parsed>({
  about: 'Shows a plan: its tasks, their state, and its risk with the reasons.',
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' }],
  options: [
    { flags: '--task <task>', about: 'one task in full, by number or id' },
    { flags: '--raw', about: "the model's answer as it came" },
  ],
  examples: [
    'planwright plan show',
    'planwright plan show latest --task 2',
    'planwright plan show plan-1a2b3c4d --json',
  ],
  parse: (raw) => ({ plan: raw.args[0], task: nonEmpty(raw, 'task'), raw: flag(raw, 'raw') }),
  async run(context, { plan, task, raw }) {
    const { show } = context;
    const client = await context.client({ readOnly: true });
    const { view, note } = await client.show(await client.resolve(plan));
    const id = task === undefined ? null : taskIdOf(view, task);
    if (raw) {
      const digest = id === null ? view.raw : (view.tasks[id]?.raw ?? null);
      if (digest === null)
        throw new UsageError('No answer of a model is kept here.', `See: planwright plan show ${view.id}`);
      return showRaw(context, (await client.object(digest)).toString('utf8'));
    }
    if (id !== null) {
      const node = view.graph.nodes.find((candidate) => candidate.id === id);
      show.document({ ...node, ...view.tasks[id] }, (style) => taskText(view, id, style));
      show.next([`planwright plan show ${view.id}`]);
      return EXIT.done;
    }
    const stale = staleTasks(view);
    const prices = await pricesInForce(context);
    show.document(stale.length > 0 ? { ...view, stale } : view, (style) => planText(view, style, note, prices));
    // A note means that nobody answered for the plan, so what it would take next is not known.
    show.next(note === null ? nextCommands(view, 'plan show') : ['planwright status', 'planwright plan list']);
    return EXIT.done;
  },
});

/** To a pipe the answer goes byte for byte; on a terminal, what is hidden in it is made visible. */
function showRaw({ io, show }: Context, text: string): number {
  const shown = io.stdout.isTTY ? escapeLinesForDisplay(text) : text;
  show.document({ raw: text }, () => (shown.endsWith('\n') ? shown : `${shown}\n`));
  return EXIT.done;
}
