import type { PlanView } from '../../../plan/view';
import { fileView, gateView, planView, runView, taskView } from '../../client/cli/views';

/**
 * A plan with a task, an open gate and a preview for each id, one gate of the plan's own, and one run.
 * @param bytes about how large each task is
 */
export function viewOf(ids: readonly string[], bytes: number | ((at: number) => number) = 0): PlanView {
  const sizes = ids.map((_, at) => (typeof bytes === 'number' ? bytes : bytes(at)));
  const preview = { result: 'generated', reason: null } as const;
  return planView({
    changes: 7,
    graph: {
      nodes: ids.map((id, at) => ({
        id,
        tool: 'makefile',
        description: 'x'.repeat(sizes[at] ?? 0),
        input: {},
        deps: [],
      })),
    },
    tasks: Object.fromEntries(ids.map((id, at) => [id, taskView(at + 1, 'awaiting_approval')])),
    gates: [null, ...ids].map((task) => ({ ...gateView(task ?? '', fileView(`${task}.mk`, 'all:\n')), task })),
    runs: [runView({ tasks: [...ids], previews: Object.fromEntries(ids.map((id) => [id, preview])) })],
  });
}
