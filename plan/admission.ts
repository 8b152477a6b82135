/**
 * Which tasks a run may set out to do: the state table of `docs/contract.md`, as functions of values.
 * The workflow asks here for every way in; the CLI does not decide.
 */
import { ancestorsOf, dependentsOf } from './graph';
import { lets, replayable, select } from './selection';
import type { PolicySnapshot, RunKind } from './types';
import type { ApplyRequest, PlanView } from './view';

/** A refused message. `type` is the failure type of the contract. */
export interface Refusal {
  type: 'NotReady' | 'BadInput' | 'NotAllowed' | 'PlanRunning';
  message: string;
}

export type Admission =
  | { kind: 'run'; runKind: RunKind; tasks: string[] }
  | { kind: 'attach' }
  | { kind: 'nothing'; message: string }
  | { kind: 'refused'; refusal: Refusal };

const refuse = (type: Refusal['type'], message: string): Admission => ({ kind: 'refused', refusal: { type, message } });

/**
 * Rules on an `apply`, in the order a person would want to hear of them. Flags that widen are left to the begin of the
 * run, which reads the policy anew: `policy` is the last run's, and may be stricter or looser than what is in force.
 */
export function admitApply(view: PlanView, request: ApplyRequest, policy: PolicySnapshot): Admission {
  const contradictory = contradiction(view, request);
  if (contradictory) return contradictory;
  switch (view.status) {
    case 'planning':
      return refuse('NotReady', `Plan ${view.id} is still being made.`);
    case 'running':
    case 'waiting':
    case 'paused':
      if (request.task)
        return refuse('PlanRunning', `Plan ${view.id} is running; a single task waits until it is done.`);
      if (request.dryRun || request.replay || view.runs.at(-1)?.kind === 'dry-run') {
        return refuse(
          'PlanRunning',
          `Plan ${view.id} is running; this waits until it is done: planwright watch ${view.id}`,
        );
      }
      // What is under way goes by this very policy: who asks for more than it allows is told so.
      return forbiddenFlag(request, policy) ?? { kind: 'attach' };
    case 'archived':
      return refuse('NotReady', `Plan ${view.id} is archived.`);
    default:
  }
  if (view.graph.nodes.length === 0) {
    return refuse('NotReady', `Plan ${view.id} has no tasks: planning failed. Make a new plan.`);
  }
  const admission = admitKind(view, request, policy);
  if (admission.kind !== 'run') return admission;
  const selected = select(view, admission.tasks, request, policy.onDecline);
  if ('fault' in selected) return refuse('NotReady', selected.fault);
  if (selected.tasks.length === 0) {
    return { kind: 'nothing', message: 'Nothing to do: --only and --exclude leave no task that is still to run.' };
  }
  return { kind: 'run', runKind: request.dryRun ? 'dry-run' : admission.runKind, tasks: selected.tasks };
}

function admitKind(view: PlanView, request: ApplyRequest, policy: PolicySnapshot): Admission {
  if (request.replay) return admitReplay(view, policy);
  if (request.task !== undefined) return admitTask(view, request, request.task, policy);
  if (request.resume) return admitResume(view, request.retry === true, policy);
  return admitFresh(view);
}

/** Flags that do not go together, and tasks that there are not: the same for every way in. */
function contradiction(view: PlanView, request: ApplyRequest): Admission | null {
  const { task, resume, retry, replay, recorded, dryRun, only, exclude, instruct } = request;
  if (retry && !resume) return refuse('BadInput', '--retry goes with --resume: `planwright apply --resume --retry`.');
  if (recorded && !replay) return refuse('BadInput', '--recorded goes with --replay.');
  if (instruct !== undefined && task === undefined) return refuse('BadInput', '--instruct is for one task: --task N.');
  if (task !== undefined && (resume || only || exclude || replay)) {
    return refuse(
      'BadInput',
      '--task runs one task alone; it does not go with --resume, --only, --exclude or --replay.',
    );
  }
  if (replay && (resume || dryRun)) return refuse('BadInput', '--replay does not go with --resume or --dry-run.');
  if (replay && (only || exclude)) return refuse('BadInput', '--replay runs all that is recorded.');
  const unknown = [...(only ?? []), ...(exclude ?? [])].find((id) => !view.tasks[id]);
  if (unknown !== undefined && view.status !== 'planning') {
    return refuse('BadInput', `Plan ${view.id} has no task "${unknown}".`);
  }
  return null;
}

/** The widening flags that policy names; one that is not allowed is refused by every way in. */
export function forbiddenFlag(request: ApplyRequest, policy: PolicySnapshot): Admission | null {
  const used: string[] = [];
  if (request.yes) used.push('yes');
  if (request.allowAllPaths) used.push('allow-all-paths');
  if (request.allowDirty) used.push('allow-dirty');
  if (request.skipVerify) used.push('skip-verify');
  if (request.force) used.push('force');
  const forbidden = used.filter((flag) => !policy.flags.includes(flag));
  if (forbidden.length === 0) return null;
  const names = forbidden.map((flag) => `--${flag}`).join(', ');
  const unsigned = policy.approvers && forbidden.some((flag) => flag === 'yes' || flag === 'force');
  const why = unsigned ? 'approvers: wants signed decisions, and a flag signs nothing' : 'flags:';
  return refuse('NotAllowed', `.planwright/policy.yaml does not allow ${names} (${why}).`);
}

function admitTask(view: PlanView, { dryRun }: ApplyRequest, id: string, policy: PolicySnapshot): Admission {
  if (!view.tasks[id]) return refuse('BadInput', `Plan ${view.id} has no task "${id}".`);
  const node = view.graph.nodes.find((candidate) => candidate.id === id);
  const missing = (node?.deps ?? []).filter((dep) => !lets(view.tasks[dep]?.status ?? 'pending', policy.onDecline));
  if (missing.length > 0) {
    const names = missing.map((dep) => `task ${view.tasks[dep]?.number} (${dep}, ${view.tasks[dep]?.status})`);
    return refuse('NotReady', `Task ${view.tasks[id].number} depends on ${names.join(', ')}, which has not completed.`);
  }
  const { status, number } = view.tasks[id];
  if (dryRun && (status === 'completed' || status === 'declined')) {
    // Its files are what a rollback goes by; a preview must not stand in their place.
    return refuse('NotReady', `Task ${number} is ${status}; a dry run shows what is still to be written.`);
  }
  return { kind: 'run', runKind: 'task', tasks: [id] };
}

function admitReplay(view: PlanView, policy: PolicySnapshot): Admission {
  const tasks = replayable(view, policy.onDecline);
  if (tasks.length > 0) return { kind: 'run', runKind: 'replay', tasks };
  return refuse('NotReady', `Plan ${view.id} has nothing on record yet: apply it first, then replay it.`);
}

function admitResume(view: PlanView, retry: boolean, policy: PolicySnapshot): Admission {
  const order = view.graph.nodes.map((node) => node.id);
  const wanted = order.filter((id) => {
    const status = view.tasks[id]?.status;
    if (status === 'pending' || status === 'cancelled') return true;
    return retry && (status === 'failed' || status === 'skipped');
  });
  const chosen = new Set(wanted);
  const settled = (id: string): boolean => lets(view.tasks[id]?.status ?? 'pending', policy.onDecline);
  const runnable = wanted.filter((id) =>
    [...ancestorsOf(view.graph, id)].every((dep) => chosen.has(dep) || settled(dep)),
  );
  if (runnable.length > 0) {
    return { kind: 'run', runKind: retry ? 'retry' : 'resume', tasks: runnable };
  }
  if (order.every((id) => ['completed', 'declined'].includes(view.tasks[id]?.status ?? ''))) {
    return { kind: 'nothing', message: 'Nothing to do: every task is settled.' };
  }
  const failed = order.filter((id) => view.tasks[id]?.status === 'failed');
  return {
    kind: 'nothing',
    message:
      `Nothing to resume: ${failed.length} task(s) failed, and --resume alone leaves them. ` +
      'Retry them with `planwright apply --resume --retry`.',
  };
}

function admitFresh(view: PlanView): Admission {
  const pending = view.graph.nodes.map((node) => node.id).filter((id) => view.tasks[id]?.status === 'pending');
  switch (view.status) {
    case 'ready':
    case 'rolled_back':
    case 'cleaned':
      return { kind: 'run', runKind: 'apply', tasks: pending };
    case 'completed':
      return { kind: 'nothing', message: 'Nothing to do: the plan is completed.' };
    default:
      return refuse(
        'NotReady',
        `Plan ${view.id} is ${view.status}. Say how to go on: --resume (run what is pending), ` +
          '--resume --retry (also run what failed), or --task N (one task again).',
      );
  }
}

/** Transitive dependents of a failed, skipped or blocked task that have not settled yet: they are skipped with it. */
export function cascade(view: PlanView, id: string): string[] {
  return [...dependentsOf(view.graph, id)].filter((dependent) => view.tasks[dependent]?.status === 'pending');
}

/** The plan's status once nothing runs any more. */
export function settledStatus(view: PlanView): 'ready' | 'completed' | 'partial' | 'failed' | 'cancelled' {
  const statuses = Object.values(view.tasks).map((task) => task.status);
  if (statuses.every((status) => status === 'completed' || status === 'declined')) return 'completed';
  const broken = statuses.some((status) => ['failed', 'skipped', 'cancelled'].includes(status));
  if (!broken) return 'ready';
  return statuses.some((status) => status === 'completed' || status === 'declined') ? 'partial' : 'failed';
}
