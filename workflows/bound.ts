/**
 * What a gate that is about no file is bound to: the digest of everything that is decided. A decision that names
 * another digest was made about something else. A file gate has the digest of its file (plan/digest.ts).
 */
import { canonicalJson } from '../plan/canonical';
import type { RunView } from '../plan/view';
import type { PlanContext } from './context';
import { sha256Hex } from './sha256';
import type { RunState } from './state';

type About = 'risk' | 'tool' | 'stuck' | 'budget';

/**
 * SHA-256 (hex) over canonical JSON of `{ kind, plan, run, … }`; docs/approvals.md lists the rest for each kind.
 * A goal's input may hold what has no canonical form (a lone surrogate, an integer beyond 2^53): that is spelled as
 * JSON spells it, so that the gate is bound all the same.
 */
export function digestOfQuestion({ state }: PlanContext, run: RunState, kind: About, what: object): string {
  const question = { kind, plan: state.view.id, run: run.number, ...what };
  try {
    return sha256Hex(canonicalJson(question));
  } catch (error) {
    if (error instanceof TypeError) return sha256Hex(JSON.stringify(question));
    throw error;
  }
}

/** What a run is let go with: the graph, the tasks that it takes, why it is risky, and who generates. */
export function riskQuestion({ state }: PlanContext, run: RunState, { tasks }: Pick<RunView, 'tasks'>): object {
  const { graph, risk, riskReasons } = state.view;
  const { task = null, instruct = null } = run.request;
  const { nodes } = graph;
  const instructions = nodes.flatMap(({ id }) => {
    const instruction = state.internals[id]?.instruction;
    return instruction ? [{ task: id, instruction }] : [];
  });
  return {
    graph: { nodes },
    tasks,
    risk,
    riskReasons,
    settings: run.settings,
    policy: state.policy.digest,
    instructions,
    ...(task !== null && instruct !== null ? { instruct: { task, instruction: instruct } } : {}),
  };
}
