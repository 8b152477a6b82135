/** Gates as the policy's rules want them: what it takes to pass one, by whom and until when. */

import { scheduleFrom } from '../plan/rules/deadlines';
import { type Requirement, requirementFor, type Subject } from '../plan/rules/match';
import { NO_RULES, type PolicyRules } from '../plan/rules/types';
import type { GateView } from '../plan/view';
import type { PlanContext } from './context';
import type { RunState } from './state';

export const rulesOf = ({ state }: PlanContext): PolicyRules => state.policy.rules ?? NO_RULES;

export const requirementOf = (context: PlanContext, subject: Subject): Requirement =>
  requirementFor(rulesOf(context), subject);

/** What a gate is about; everything else follows from the rule that it meets. */
type Question = Pick<GateView, 'kind' | 'task' | 'risk'> &
  Partial<Pick<GateView, 'path' | 'digest' | 'riskReasons' | 'diffStat' | 'sha256' | 'preSha256' | 'about' | 'budget'>>;

/** Opens a gate that asks for what the requirement says. */
export function ask(context: PlanContext, run: RunState, question: Question, requirement: Requirement): GateView {
  const { rule, approvals, by, excludeRequester, deadlines } = requirement;
  return context.openGate({
    path: null,
    digest: null,
    riskReasons: [],
    diffStat: { added: 0, removed: 0 },
    sha256: null,
    preSha256: null,
    ...question,
    ...scheduleFrom(context.at(), deadlines),
    rule,
    approvals,
    may: by,
    excludeRequester,
    requester: run.request.by,
    escalateTo: deadlines.escalateTo,
    votes: [],
    ...(context.state.policy.approvers ? { signed: true as const } : {}),
  });
}

/** Skills of the tasks that a run sets out to do. */
export function toolsOf(context: PlanContext, tasks: readonly string[]): string[] {
  const taken = new Set(tasks);
  return [...new Set(context.state.view.graph.nodes.filter(({ id }) => taken.has(id)).map(({ tool }) => tool))];
}
