import type { PlanView } from '../../plan/view';
import type { PlanClient } from '../types';
import type { Io } from './io';

/**
 * Waits until a run has read the policy and its workspace, which is when it is refused or goes on: who hands a run over
 * hears of a forbidden flag too.
 * @param run number of the run
 * @returns the plan as it is then; null where this person leaves before
 */
export async function runBegin(client: PlanClient, io: Io, id: string, run: number): Promise<PlanView | null> {
  const stop = new AbortController();
  const unhook = io.onSignal(() => stop.abort());
  try {
    for await (const view of client.follow(id, stop.signal)) {
      const now = view.runs.find(({ number }) => number === run);
      if (now && (now.status !== 'running' || now.policy !== undefined)) return view;
    }
    return null;
  } finally {
    unhook();
  }
}
