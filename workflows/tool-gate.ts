/** Where policy wants a person before a skill runs at all: the gate stands before the task's generation. */

import { maxRisk } from '../plan/risk/levels';
import type { Risk } from '../plan/types';
import { digestOfQuestion } from './bound';
import { ask, requirementOf } from './gatekeeping';
import { outcomeOf } from './rulings';
import { recordTask } from './run-facts';
import type { TaskWork } from './task-work';

/** @returns true where the task may go on; otherwise it waits at a gate from now on */
export function passTool(work: TaskWork): boolean {
  const { context, node, run, own } = work;
  if (run.request.dryRun || own.toolPassed === run.number) return true;
  const risk = riskOf(work);
  const requirement = requirementOf(context, { gate: 'tool', tools: [node.tool], path: null, risk });
  if (!requirement.demanded) return true;
  const about = `may ${node.tool} run for: ${node.description}`.slice(0, 500);
  const digest = digestOfQuestion(context, run, 'tool', {
    task: node,
    skill: work.task.skill?.toolHash ?? null,
    instruction: own.instruction,
    feedback: own.feedback,
    settings: run.settings,
  });
  own.toolGate = ask(context, run, { kind: 'tool', task: node.id, risk, about, digest }, requirement).gate;
  context.update(node.id, { status: 'awaiting_approval' });
  return false;
}

/** Carries out what was decided at the gate; requested changes were taken up before. */
export function afterTool({ context, node, run, own }: TaskWork): void {
  const outcome = outcomeOf(context.state, own.toolGate ?? '');
  own.toolGate = undefined;
  if (outcome?.decision === 'approve') {
    own.toolPassed = run.number;
    context.update(node.id, { status: 'pending' });
    return;
  }
  const reason = `its skill ${node.tool} was refused by ${outcome?.by ?? 'planwright'}`;
  context.update(node.id, { status: 'declined', reason, completedAt: context.at() });
  recordTask(context, 'task.declined', node.id, { files: 0 });
}

/** What the rules over the graph said of this task; the plan's risk is the highest of all. */
function riskOf({ context, task }: TaskWork): Risk {
  const place = `task ${task.number}`;
  const own = context.state.view.riskReasons.filter(({ where }) => where === place || where.startsWith(`${place},`));
  return own.reduce<Risk>((risk, { level }) => maxRisk(risk, level), 'LOW');
}
