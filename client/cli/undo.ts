import { RefusedError } from '../../plan/errors';
import type { UndoKind } from '../../plan/steps';
import type { PlanView, UndoView } from '../../plan/view';
import type { PlanClient } from '../types';
import type { ArgSpec, OptionSpec, Raw } from './command';
import { flag, nonEmpty } from './command';
import type { Context } from './context';
import { EXIT } from './exit-codes';
import { undoText } from './show/undo-text';
import { takeUp } from './take-up';

export interface UndoParsed {
  plan?: string;
  overwriteChanged: boolean;
  as?: string;
}

export const UNDO_ARGS: ArgSpec[] = [
  { name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' },
];

export const UNDO_OPTIONS: OptionSpec[] = [
  { flags: '--overwrite-changed', about: 'also files that were changed since; their content is kept as an object' },
  { flags: '--as <who>', about: 'who asks (your user name)' },
];

export function parseUndo(raw: Raw): UndoParsed {
  return { plan: raw.args[0], overwriteChanged: flag(raw, 'overwriteChanged'), as: nonEmpty(raw, 'as') };
}

/** Hands a rollback or a clean over to the plan's workflow and waits for its end. @returns the exit code */
export async function undoPlan(context: Context, kind: UndoKind, parsed: UndoParsed): Promise<number> {
  const { io, show } = context;
  const client = await context.client();
  const shown = await client.show(await client.resolve(parsed.plan));
  const { id } = shown.view;
  if (shown.lost) await takeUp(context, client, shown.view, false);
  const { overwriteChanged, as } = parsed;
  const { number } = await client.undo(id, kind, { by: as ?? io.user(), overwriteChanged });
  const ended = await waitFor(context, client, id, number);
  if ('signal' in ended) {
    show.demand([`Detached: the ${kind} of ${id} goes on without this command.`]);
    show.next([`planwright plan show ${id}`]);
    return ended.signal === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
  }
  const { view, undo } = ended;
  show.document({ plan: id, planStatus: view.status, ...undo }, (style) => undoText(view, undo, style));
  show.next(nextAfter(view, undo));
  if (undo.status === 'completed') return EXIT.done;
  return undo.files.some(({ error }) => error === 'Integrity') ? EXIT.integrity : EXIT.failed;
}

type Ended = { view: PlanView; undo: UndoView } | { signal: string };

async function waitFor({ io }: Context, client: PlanClient, id: string, number: number): Promise<Ended> {
  const stop = new AbortController();
  let signal: string | null = null;
  const unhook = io.onSignal((name) => {
    signal = name;
    stop.abort();
  });
  try {
    for await (const view of client.follow(id, stop.signal)) {
      const { undo } = view;
      if (undo?.number === number && undo.status !== 'running') return { view, undo };
      if (undo && undo.number > number) throw new RefusedError(`Another ${undo.kind} of ${id} has begun since.`);
    }
  } finally {
    unhook();
  }
  return { signal: signal ?? 'SIGINT' };
}

function nextAfter({ id }: PlanView, undo: UndoView): string[] {
  if (undo.status === 'completed') return [`planwright apply ${id}`, `planwright plan delete ${id}`];
  const again = `planwright ${undo.kind} ${id}`;
  const changed = undo.files.some(({ outcome }) => outcome === 'changed');
  return [...(changed ? [`${again} --overwrite-changed`] : []), again, `planwright plan show ${id}`];
}
