import { escapeForDisplay } from '../../plan/display';
import type { ApplyAnswer, ApplyRequest, PlanView } from '../../plan/view';
import type { PlanClient } from '../types';
import type { Context } from './context';
import { showDryRun } from './dry-run';
import { EXIT } from './exit-codes';
import type { Ending } from './follow';
import { follow } from './follow';
import { openGates } from './gates';
import { exitOf } from './outcome';
import { runBegin } from './run-begin';
import { pendingLines } from './show/gate-text';
import { nextCommands, outcomeText, refusalLines } from './show/outcome-text';
import { numberOf } from './show/plan-text';
import { plural } from './show/style';
import type { Signer } from './signer';

export interface ApplyMode {
  detach: boolean;
  /** How long to wait for others at a gate, in milliseconds, where nobody can be asked. */
  waitMs?: number;
  /** Of a dry run: 2 where it would change something. */
  detailedExitcode?: boolean;
  /** Decides at gates in whose name, and signed; the caller's own name unless told. */
  signer?: Signer;
}

/** Hands a run over to the plan's workflow and follows it to its end. @returns the exit code */
export async function applyAndFollow(
  context: Context,
  client: PlanClient,
  before: PlanView,
  request: ApplyRequest,
  mode: ApplyMode,
): Promise<number> {
  const { show, io } = context;
  const { id } = before;
  const answer = await handOver(context, client, id, request);
  // Whether the run was taken up yet nobody waited to hear; the plan itself is in Temporal either way.
  if (answer === 'SIGINT' || answer === 'SIGTERM') {
    return showEnding(context, id, { kind: 'detached', view: null, by: answer }, null);
  }
  if (answer.result === 'nothing') {
    const { view } = await client.show(id);
    const code = exitOf(view, undefined);
    const message = escapeForDisplay(answer.message ?? 'Nothing to do.');
    show.demand([message]);
    show.next(code === EXIT.done ? [`planwright plan show ${id}`] : nextCommands(view));
    show.progress([], view);
    show.close();
    return code;
  }
  if (answer.tasks && (request.only || request.exclude)) show.demand([selectionText(before, answer.tasks)]);
  if (request.replay) {
    show.note(
      request.recorded
        ? 'The record is written again; no model is asked.'
        : 'What is on record is asked again, at temperature 0.',
    );
  }
  if (answer.result === 'attached') {
    show.note(`Run ${answer.run} of ${id} is under way already: attached to it.`);
    show.demand(passedOver(before, request));
  }
  if (mode.detach) {
    const begun = answer.run === null ? null : await runBegin(client, io, id, answer.run);
    if (begun?.runs.find(({ number }) => number === answer.run)?.status === 'refused') {
      show.progress([], begun);
      show.close();
      return showEnding(context, id, { kind: 'settled', view: begun }, answer.run);
    }
    show.progress([], before);
    show.close();
    show.note(`Run ${answer.run} of ${id} was handed over. It goes on without this command.`);
    show.next([`planwright watch ${id}`, `planwright approvals ${id}`]);
    return EXIT.done;
  }
  const ending = await follow({
    client,
    id,
    io,
    show,
    before,
    by: mode.signer?.by ?? request.by,
    sign: mode.signer?.sign,
    provider: request.settings?.provider,
    atGate: canAsk(context) ? 'ask' : 'leave',
    waitMs: mode.waitMs,
    settled: (view) => view.runs.some((run) => run.number === answer.run && run.status !== 'running'),
  });
  const refused = ending.kind === 'settled' && ending.view.runs.at(-1)?.status === 'refused';
  if (request.dryRun && ending.kind === 'settled' && !refused) {
    return showDryRun(context, client, ending.view, answer.run, mode.detailedExitcode === true);
  }
  return showEnding(context, id, ending, answer.run);
}

/** A run may begin before its answer is here: who leaves in that moment is told so, as at any other. */
async function handOver(
  { io }: Context,
  client: PlanClient,
  id: string,
  request: ApplyRequest,
): Promise<ApplyAnswer | 'SIGINT' | 'SIGTERM'> {
  let unhook = (): void => undefined;
  const left = new Promise<'SIGINT' | 'SIGTERM'>((resolve) => {
    unhook = io.onSignal(resolve);
  });
  const answered = client.apply(id, request);
  // After a signal nobody waits for the answer any more, nor for its failure.
  answered.catch(() => undefined);
  try {
    return await Promise.race([answered, left]);
  } finally {
    unhook();
  }
}

/** A run keeps the flags that it was started with: what to know where others were given to a command that attached. */
function passedOver({ id, runs }: PlanView, request: ApplyRequest): string[] {
  const { timeoutMs, concurrency, allowAllPaths, settings, only, exclude, refresh, force, allowDirty, skipVerify } =
    request;
  const yes = request.yes === true && runs.at(-1)?.yes !== true;
  const words = [timeoutMs, concurrency, settings, only, exclude].some((given) => given !== undefined);
  if (!yes && !words && !allowAllPaths && !refresh && !force && !allowDirty && !skipVerify) return [];
  const approve = yes ? ` What waits is approved by: planwright approve ${id} --all` : '';
  return [`The run keeps the flags that it was started with; those given now are passed over.${approve}`];
}

/** The tasks that --only and --exclude come to, by number. */
function selectionText(view: PlanView, tasks: readonly string[]): string {
  const numbers = tasks.map((id) => numberOf(view, id)).sort((a, b) => a - b);
  const rest = view.graph.nodes.length - tasks.length;
  return `This run takes task${numbers.length === 1 ? '' : 's'} ${numbers.join(', ')}; ${plural(rest, 'other task')} ${rest === 1 ? 'stays' : 'stay'} as ${rest === 1 ? 'it is' : 'they are'}.`;
}

/** A person can be asked where both ends are terminals, and nobody reads the output as JSON. */
function canAsk({ io, globals }: Context): boolean {
  return io.stdin.isTTY === true && io.stderr.isTTY === true && !globals.json;
}

/** Shows how following ended. @returns the exit code */
export function showEnding({ show }: Context, id: string, ending: Ending, runNumber: number | null): number {
  switch (ending.kind) {
    case 'settled': {
      const { view } = ending;
      const run = view.runs.find((candidate) => candidate.number === runNumber);
      if (run?.status === 'refused') {
        show.demand(refusalLines(view, run, show.style));
        return EXIT.refused;
      }
      show.report((style) => outcomeText(view, run, style));
      show.next(nextCommands(view));
      return exitOf(view, run);
    }
    case 'waiting':
      show.demand(heldLines(ending.view));
      show.next([
        ...(ending.view.status === 'paused' ? [`planwright unpause ${id}`] : []),
        `planwright approvals ${id}`,
        `planwright watch ${id}`,
      ]);
      return EXIT.pending;
    case 'detached': {
      show.demand([`Detached from plan ${id}: it goes on without this command.`]);
      show.next([`planwright watch ${id}`, `planwright approvals ${id}`, `planwright cancel ${id}`]);
      if (ending.by === 'SIGTERM') return EXIT.terminated;
      if (ending.by !== 'end of input') return EXIT.interrupted;
      const open = ending.view ? openGates(ending.view) : [];
      if (ending.view && open.length > 0) show.demand(pendingLines(ending.view, open, show.style));
      return EXIT.pending;
    }
  }
}

/** What keeps a plan waiting besides its gates. */
function heldLines({ id, status, paused, frozen }: PlanView): string[] {
  const lines = [];
  const who = paused ? ` by ${escapeForDisplay(paused.by)} since ${paused.at}` : '';
  if (status === 'paused') lines.push(`Plan ${id} is paused${who}.`);
  if (frozen)
    lines.push(
      `Plan ${id} waits for the end of the freeze window "${escapeForDisplay(frozen.window)}": ${frozen.until}.`,
    );
  return lines;
}
