import { UsageError } from '../../plan/errors';
import { DECISIONS } from '../../plan/gates';
import type { GateView, PlanView } from '../../plan/view';
import type { OpenGate } from '../types';
import { shellWord } from './show/style';

/** Decisions that are commands of their own. */
export type Verb = 'approve' | 'reject';

/** The line that decides a gate: with the verb where the gate takes it. Safe to paste into a shell. */
export function decideLine(
  plan: string,
  gate: Pick<GateView, 'gate' | 'kind' | 'signed'>,
  verb: Verb = 'approve',
): string {
  const id = shellWord(gate.gate);
  const key = gate.signed ? ' --key FILE' : '';
  if (DECISIONS[gate.kind].includes(verb)) return `planwright ${verb} ${plan} --gate ${id}${key}`;
  const value = gate.kind === 'budget' ? ' --value LIMIT' : '';
  return `planwright decide ${plan} --gate ${id} ${DECISIONS[gate.kind][0]}${value}${key}`;
}

/** Gates that nobody has decided yet. */
export const openGates = (view: PlanView): GateView[] => view.gates.filter(({ outcome }) => outcome === null);

export interface GateSelection {
  gate?: string;
  /** Number or id. */
  task?: string;
  path?: string;
  all?: boolean;
}

/**
 * The gates that a command means. Without a selector there must be exactly one.
 *
 * @param open the plan's open gates
 * @param verb what the listed lines are to do
 * @throws UsageError where nothing or too much matches; the message lists what is open
 */
export function selectGates(
  open: readonly OpenGate[],
  selection: GateSelection,
  plan: string,
  verb: Verb = 'approve',
): OpenGate[] {
  if (open.length === 0) {
    throw new UsageError(
      `Nothing of plan ${plan} waits for a decision.`,
      `See where it stands: planwright plan show ${plan}`,
    );
  }
  const { gate, task, path, all } = selection;
  // A task is meant by its number first: that is what people are shown.
  const byNumber = open.some(({ taskNumber }) => String(taskNumber) === task);
  const chosen = open.filter(
    (candidate) =>
      (gate === undefined || candidate.gate === gate) &&
      (task === undefined || (byNumber ? String(candidate.taskNumber) === task : candidate.task === task)) &&
      (path === undefined || candidate.path === path),
  );
  const selective = gate !== undefined || task !== undefined || path !== undefined;
  if (chosen.length === 0) throw new UsageError('No open gate matches.', `Open are:\n${listed(open, plan, verb)}`);
  if (selective || all || chosen.length === 1) return chosen;
  throw new UsageError(
    `${chosen.length} gates of plan ${plan} are open; say which one is meant.`,
    `With --gate, --task, --path, or --all for all of them:\n${listed(open, plan, verb)}`,
  );
}

function listed(gates: readonly OpenGate[], plan: string, verb: Verb): string {
  return gates.map((gate) => `  ${decideLine(plan, gate, verb)}    ${gateTitle(gate)}`).join('\n');
}

/** A gate in a few words; contains text that must be escaped before it is shown. */
function gateTitle(gate: Pick<OpenGate, 'kind' | 'path' | 'taskNumber' | 'risk'>): string {
  const what = gate.path ?? `the ${gate.kind} gate`;
  const task = gate.taskNumber === null ? '' : ` of task ${gate.taskNumber}`;
  return `${what}${task}, ${gate.risk} risk`;
}
