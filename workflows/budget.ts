/** Before each call of a model: whether the plan and the task may spend more, and the gate where they may not. */
import { condition } from '@temporalio/workflow';
import { BY_WORKFLOW } from '../plan/facts';
import { type Overrun, overrun, raisedTo, smaller } from '../plan/rules/budgets';
import type { Budgets } from '../plan/rules/types';
import type { GateView } from '../plan/view';
import { digestOfQuestion } from './bound';
import { ask, requirementOf, rulesOf, toolsOf } from './gatekeeping';
import type { TaskWork } from './task-work';

/** `drained`: the next execution asks again. `stopped`: a person, or the gate's deadline, said so. */
type Leave = 'spend' | 'drained' | 'stopped';

/** True where policy, flag or a person limits what this task may cost: then each call is asked for. */
export function hasBudget({ context, run }: TaskWork): boolean {
  const { plan, task } = rulesOf(context).budgets;
  return [plan.tokens, plan.calls, task.tokens, task.calls, run.request.maxTokens ?? null].some((one) => one !== null);
}

/** The budget that leaves nothing for one more call; null where there is something left. A call in flight counts as one. */
export function overBudget({ context, task, own, run }: TaskWork): Overrun | null {
  const { view, raised } = context.state;
  const { plan, task: each } = rulesOf(context).budgets;
  // What was raised in this run is above everything; what was raised before, above policy alone.
  const now = raised.run === run.number;
  const asked = smaller(now ? plan : raisedTo(plan, raised), { tokens: run.request.maxTokens ?? null });
  const limits: Budgets = { plan: now ? raisedTo(asked, raised) : asked, task: raisedTo(each, own.raised) };
  const spent = { ...view.usage, calls: view.usage.calls + context.callsInFlight };
  return overrun(limits, { plan: spent, task: task.usage });
}

/** Waits, at a gate where there is a limit to raise, until one more call may be made. */
export async function mayCall(work: TaskWork): Promise<Leave> {
  const { context, node, run, own } = work;
  const { view } = context.state;
  for (;;) {
    const over = overBudget(work);
    if (!over) return 'spend';
    if (over.scope === 'plan' ? run.budgetStopped : own.budgetStopped === run.number) return 'stopped';
    const gate = budgetGate(work, over);
    context.update(node.id, { held: `the budget of ${over.what} for the ${over.scope} is used up` });
    await condition(() => context.draining || !view.gates.includes(gate));
    context.update(node.id, { held: null });
    if (view.gates.includes(gate)) return 'drained';
  }
}

/** One gate for the plan's budget, however many tasks wait at it. */
function budgetGate({ context, node, run }: TaskWork, over: Overrun): GateView {
  const { view } = context.state;
  const task = over.scope === 'plan' ? null : node.id;
  const open = view.gates.find((gate) => gate.kind === 'budget' && gate.task === task);
  if (open) return open;
  const { risk } = view;
  const tools = task === null ? toolsOf(context, Object.keys(view.tasks)) : [node.tool];
  const about = `${over.used} of ${over.limit} ${over.what} of the ${over.scope} are used`;
  const requirement = requirementOf(context, { gate: 'budget', tools, path: null, risk });
  const digest = digestOfQuestion(context, run, 'budget', { task, budget: { ...over } });
  const gate = ask(context, run, { kind: 'budget', task, risk, budget: over, about, digest }, requirement);
  const limit = `${over.what} of the ${over.scope}`;
  const fact = { gate: gate.gate, run: run.number, limit, at: over.used, most: over.limit };
  context.record('budget.reached', BY_WORKFLOW, fact);
  return gate;
}
