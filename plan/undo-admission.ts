/** Which plans may be rolled back, cleaned or deleted: the contract's table of states, as functions of values. */
import type { Refusal } from './admission';
import type { UndoKind } from './steps';
import type { PlanView } from './view';

const NAMES: { [kind in UndoKind]: string } = { rollback: 'a rollback', clean: 'a clean' };

/** While files are being taken back nothing else may begin; null where that is not so. */
export function undoUnderWay(view: PlanView): Refusal | null {
  if (view.undo?.status !== 'running') return null;
  const message = `Plan ${view.id} is in the middle of ${NAMES[view.undo.kind]}. Wait until that is done.`;
  return { type: 'PlanRunning', message };
}

/** Null where nothing of the plan is under way or still to come. */
function busy(view: PlanView, what: string): Refusal | null {
  switch (view.status) {
    case 'planning':
    case 'running':
    case 'waiting':
    case 'paused': {
      const message = `Plan ${view.id} is ${view.status}: ${what} waits until nothing of it runs. Wait for it, or stop it with \`planwright cancel ${view.id}\`.`;
      return { type: view.status === 'planning' ? 'NotReady' : 'PlanRunning', message };
    }
    case 'archived':
      return { type: 'NotReady', message: `Plan ${view.id} was deleted.` };
    default:
      return undoUnderWay(view);
  }
}

/** @param written whether the plan remembers anything that it wrote and has not taken back */
export function refuseUndo(view: PlanView, kind: UndoKind, written: boolean): Refusal | null {
  const refusal = busy(view, NAMES[kind]);
  if (refusal || written) return refusal;
  return {
    type: 'NotReady',
    message: `Nothing that plan ${view.id} wrote is left to take back: it is ${view.status.replace('_', ' ')}.`,
  };
}

export function refuseDelete(view: PlanView): Refusal | null {
  return busy(view, 'its deletion');
}
