/** What has to hold before a run's first task, whatever the way in: policy, the working tree, bases, a replay's record. */
import { forbiddenFlag } from '../plan/admission';
import { compareEnvironment } from '../plan/environment';
import { claimedBy } from '../plan/facts';
import type { RunStartFacts } from '../plan/types';
import type { ComparisonLine, DecisionView, RunView } from '../plan/view';
import type { PlanContext } from './context';
import { said } from './facts';
import { askAnew, basesOf, staleBases } from './prepare';
import type { RunState } from './state';

const SHOWN = 20;

/**
 * Reads the workspace and rules on the run. What it finds is put into the run's view.
 * @returns null where the run may go on; otherwise why it may not, in sentences
 */
export async function startRun(context: PlanContext, run: RunState, view: RunView): Promise<string | null> {
  const { request } = run;
  const bases = basesOf(context, run, view.tasks);
  const facts = await context.readWorkspace([], `run-${run.number}`, {
    settings: request.settings ?? {},
    checkGit: !request.dryRun,
    bases: Object.keys(bases),
  });
  view.policy = context.state.policy.digest;
  const forbidden = forbiddenFlag(request, context.state.policy);
  if (forbidden?.kind === 'refused') return forbidden.refusal.message;
  if (!facts) return null;
  const dirty = dirtyTree(context, run, view, facts);
  if (dirty) return dirty;
  const stale = staleBases(bases, facts.bases);
  if (stale.length > 0 && !(request.refresh && !request.replay)) {
    view.stale = [...new Set(stale.map(({ path }) => path))];
    return staleReason(context, view.stale, request.replay === true);
  }
  for (const id of new Set(stale.map(({ task }) => task))) askAnew(context.internals(id));
  if (request.replay) run.bases = facts.bases;
  return compared(context, run, view, facts);
}

function dirtyTree(context: PlanContext, run: RunState, view: RunView, facts: RunStartFacts): string | null {
  const { dirty, gitFault } = facts;
  if (dirty.length === 0 && gitFault === null) return null;
  const { allowDirty, force } = run.request;
  if (allowDirty || force) {
    if (force) passedByForce(context, run, 'dirty', gitFault ?? `${dirty.length} uncommitted path(s)`);
    return null;
  }
  view.dirty = dirty;
  const advice = 'Commit or stash first, or pass --allow-dirty.';
  if (gitFault !== null) return `git could not tell whether the working tree is clean: ${gitFault}\n${advice}`;
  return `The git working tree has uncommitted changes:\n${listed(dirty)}\n${advice}`;
}

function staleReason(context: PlanContext, paths: readonly string[], replay: boolean): string {
  const { id } = context.state.view;
  if (replay) {
    return (
      `These files are no longer what plan ${id} wrote, nor what stood there before:\n${listed(paths)}\n` +
      'A replay would overwrite them. Put them back, or run the task again: planwright apply --task N.'
    );
  }
  return (
    `These artifacts are stale: the file that each was made for changed since.\n${listed(paths)}\n` +
    'Generate them anew with --refresh.'
  );
}

/** A replay needs every line to match; any other run only shows what changed since the plan was made. */
function compared(context: PlanContext, run: RunState, view: RunView, facts: RunStartFacts): string | null {
  const lines = compareEnvironment(context.state.view, view.tasks, facts.environment);
  const changed = lines.filter(({ matches }) => !matches);
  if (!run.request.replay) {
    if (changed.length > 0) view.comparison = changed;
    return null;
  }
  view.comparison = lines;
  if (changed.length === 0) return null;
  const text = listed(changed.map(({ what, expected, actual }: ComparisonLine) => `${what}: ${expected} → ${actual}`));
  if (run.request.force) {
    passedByForce(context, run, 'drift', changed.map(({ what }) => what).join(', '));
    // Forced, it replays in the environment that there is: the plan's own provider may be gone.
    const { provider, model } = facts.environment;
    if (provider !== 'none') run.settings = { provider, model, temperature: 0 };
    return null;
  }
  return `The environment is not the one on record:\n${text}\nUse --force to replay all the same.`;
}

/** What `--force` passed is a decision like any other: who, when, and by which flag. */
export function passedByForce(context: PlanContext, run: RunState, kind: DecisionView['kind'], what: string): void {
  context.state.view.decisions.push({
    gate: `force-r${run.number}-${kind}`,
    kind,
    decision: 'approve',
    by: run.request.by,
    reason: `passed by --force: ${what}`,
    at: context.at(),
    path: null,
  });
  const gate = `force-r${run.number}-${kind}`;
  const passed = { gate, kind, task: null, run: run.number, how: 'force', upTo: null, what: said(what) };
  context.record('gate.passed', claimedBy(run.request.by), passed);
  context.changed();
}

function listed(lines: readonly string[]): string {
  const more = lines.length - SHOWN;
  return [...lines.slice(0, SHOWN).map((one) => `  ${one}`), ...(more > 0 ? [`  … and ${more} more`] : [])].join('\n');
}
