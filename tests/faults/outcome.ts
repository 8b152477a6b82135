/** What a round left behind, as a value that is compared with that of an undisturbed one. */
import type { DecisionView, PlanView, TaskView } from '../../plan/view';
import type { ModelCall } from '../support/model-server';
import { questionOf } from './job';

/**
 * How much of an outcome a fault may change: nothing; what the bad answers cost; how often people and the model were asked;
 * or all but states and files.
 */
export type Strictness = 'all' | 'asked again' | 'retried' | 'taken up';

export interface Outcome {
  status: string;
  tasks: { [id: string]: object };
  files: { [path: string]: string };
}

export function outcomeOf(view: PlanView, files: { [path: string]: string }, strictness: Strictness): Outcome {
  return {
    status: view.status,
    tasks: Object.fromEntries(Object.entries(view.tasks).map(([id, task]) => [id, taskOf(task, strictness)])),
    files,
  };
}

const said = ({ decision, by, path, reason }: DecisionView): string => [decision, by, path, reason].join(' ');

function taskOf(task: TaskView, strictness: Strictness): object {
  const { status, attempts, usage, error } = task;
  if (strictness === 'taken up') return { status, error };
  const files = task.files.map(({ path, action, state, sha256, preSha256, backup }) => {
    return { path, action, state, sha256, preSha256, backup };
  });
  const decisions = task.decisions.map(said);
  // A task that runs again asks again: what was said is the same, only more often.
  if (strictness === 'retried')
    return { status, error, files, decisions: [...new Set(decisions)].filter((one) => !one.startsWith('void')).sort() };
  // Files of a task are asked about at once, so their order of being decided is nobody's promise.
  const asked = { status, error, files, decisions: decisions.sort(), attempts };
  return strictness === 'all' ? { ...asked, calls: usage.calls } : asked;
}

/** A time in which something was broken; calls that reach into it may be asked again (`to` before `from`: none may). */
export interface Window {
  from: number;
  to: number;
}

/** Between an answer's arrival and its record on disk, under load. */
const RECORDING_MS = 1_000;

/**
 * Questions that were asked again although their answer had long arrived, and was good.
 * @param spoiled calls that the model server answered badly on purpose
 */
export function repeatedCalls(
  calls: readonly ModelCall[],
  windows: readonly Window[],
  spoiled: ReadonlySet<ModelCall>,
): string[] {
  return calls.flatMap((call, index) => {
    const question = questionOf(call);
    const { at, answeredAt } = call;
    if (answeredAt === null || spoiled.has(call)) return [];
    if (!calls.slice(index + 1).some((later) => questionOf(later) === question)) return [];
    const excused = windows.some(({ from, to }) => from <= answeredAt + RECORDING_MS && to >= at);
    return excused ? [] : [question];
  });
}
