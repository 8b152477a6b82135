/** The file gates of one task: which files are asked about, and what people answered. */
import { condition } from '@temporalio/workflow';
import type { Risk } from '../plan/types';
import type { FileView } from '../plan/view';
import type { TaskWork } from './task-work';

const LEVEL: { [risk in Risk]: number } = { LOW: 0, MEDIUM: 1, HIGH: 2 };

export function openGates(work: TaskWork): void {
  const { context, node, run } = work;
  const asks = (file: FileView): boolean =>
    file.action !== 'unchanged' &&
    !work.own.approved[file.digest] &&
    !work.own.rejected[file.digest] &&
    (!run.request.yes || LEVEL[file.risk] > LEVEL[run.passed]);
  const questions = work.task.files.filter(asks);
  if (questions.length === 0) {
    context.update(node.id, { status: 'writing' });
    return;
  }
  for (const file of questions) {
    context.openGate({
      kind: 'file',
      task: node.id,
      path: file.path,
      digest: file.digest,
      risk: file.risk,
      riskReasons: [],
      diffStat: file.diffStat,
      sha256: file.sha256,
      preSha256: file.preSha256,
    });
  }
  context.update(node.id, { status: 'awaiting_approval' });
}

export async function awaitDecisions(work: TaskWork): Promise<void> {
  const { context, own } = work;
  const open = (): boolean => context.state.view.gates.some((gate) => gate.task === work.node.id);
  await condition(() => context.draining || own.requested.length > 0 || !open());
  if (context.draining) return;
  if (own.requested.length > 0) work.nextGeneration(own.requested.splice(0), 'changes were requested');
  else context.update(work.node.id, { status: 'writing' });
}
