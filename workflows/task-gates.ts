/** The file gates of one task: which files are asked about, and what people answered. */
import { condition } from '@temporalio/workflow';
import { riskAbove } from '../plan/risk/levels';
import type { Requirement } from '../plan/rules/match';
import type { FileView } from '../plan/view';
import { ask, requirementOf } from './gatekeeping';
import { afterStuck } from './stuck';
import type { TaskWork } from './task-work';
import { afterTool } from './tool-gate';

/** A file is asked about where policy demands it, or where the flags of the run do not answer for it. */
export function openGates(work: TaskWork): void {
  const { context, node, run, own } = work;
  const required = (file: FileView): Requirement =>
    requirementOf(context, { gate: 'file', tools: [node.tool], path: file.path, risk: file.risk });
  const questions = work.task.files.flatMap((file) => {
    if (file.action === 'unchanged' || own.approved[file.digest] || own.rejected[file.digest]) return [];
    const requirement = required(file);
    const flags = run.request.yes && !riskAbove(file.risk, run.passed);
    return flags && !requirement.demanded ? [] : [{ file, requirement }];
  });
  if (questions.length === 0) {
    context.update(node.id, { status: 'writing' });
    return;
  }
  for (const { file, requirement } of questions) {
    const { path, digest, risk, diffStat, sha256, preSha256 } = file;
    ask(context, run, { kind: 'file', task: node.id, path, digest, risk, diffStat, sha256, preSha256 }, requirement);
  }
  context.update(node.id, { status: 'awaiting_approval' });
}

export async function awaitDecisions(work: TaskWork): Promise<void> {
  const { context, own } = work;
  const open = (): boolean => context.state.view.gates.some((gate) => gate.task === work.node.id);
  await condition(() => context.draining || own.requested.length > 0 || !open());
  if (context.draining) return;
  if (own.requested.length > 0) work.nextGeneration(own.requested.splice(0), 'changes were requested');
  else if (own.stuck) await afterStuck(work);
  else if (own.toolGate) afterTool(work);
  else context.update(work.node.id, { status: 'writing' });
}
