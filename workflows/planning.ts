/** From a goal to a checked graph: the model is asked, told what is wrong, and asked again at most twice. */
import type { DecomposeResult, TaskGraph, Usage } from '../plan/types';
import { call, leftBy, taskErrorOf } from './calls';
import type { PlanContext } from './context';
import { newInternals, newTaskView } from './state';

const QUESTIONS = 3;

/**
 * Leaves the plan `ready`, or `failed` with `failure` set.
 *
 * @param given a graph made elsewhere; it is checked once and the model is not asked
 */
export async function makePlan(context: PlanContext, given: TaskGraph | null): Promise<void> {
  const { view } = context.state;
  try {
    await context.readWorkspace([], 'plan');
    view.context.policySnapshot = context.state.policy.digest;
    const result = await ask(context, given);
    if (result.graph && result.faults.length === 0) adopt(context, result.graph, result);
    else fail(context, given !== null, result.faults);
  } catch (error) {
    view.failure = taskErrorOf(error);
    const left = leftBy(error);
    if (left) count(view.usage, left);
    view.raw = left?.raw ?? view.raw;
    view.status = 'failed';
  }
  context.changed();
}

async function ask({ state }: PlanContext, given: TaskGraph | null): Promise<DecomposeResult> {
  const { view, plan } = state;
  let faults: string[] = [];
  for (let attempt = 1; ; attempt++) {
    const step = {
      id: `decompose-${attempt}`,
      summary: given ? 'check the given graph' : `plan the goal with ${view.provider}, question ${attempt}`,
      timeoutMs: plan.timeoutMs,
      taskQueue: plan.llmQueue,
    };
    const result = await call('decompose', step, {
      plan: view.id,
      goal: view.goal,
      attempt,
      faults,
      workspace: state.snapshot?.digest ?? '',
      settings: plan.settings,
      timeoutMs: plan.timeoutMs,
      maxTasks: state.policy.maxTasks,
      ...(given ? { graph: given } : {}),
    });
    count(view.usage, result);
    if (result.raw) view.raw = result.raw;
    if (given || result.faults.length === 0 || attempt === QUESTIONS) return result;
    faults = result.faults;
  }
}

function count(total: Usage, { usage }: { usage: Usage }): void {
  total.promptTokens += usage.promptTokens;
  total.completionTokens += usage.completionTokens;
  total.calls += usage.calls;
}

function adopt({ state }: PlanContext, graph: TaskGraph, result: DecomposeResult): void {
  const { view } = state;
  view.graph = graph;
  view.risk = result.risk;
  view.riskReasons = result.riskReasons;
  if (result.notes && result.notes.length > 0) view.notes = result.notes;
  graph.nodes.forEach((node, index) => {
    const skill = result.skills[node.tool] ?? null;
    view.tasks[node.id] = { ...newTaskView(index + 1), skill };
    state.internals[node.id] = newInternals();
    if (skill) view.context.toolVersions[node.tool] = skill.toolVersion;
  });
  view.status = 'ready';
}

function fail({ state }: PlanContext, given: boolean, faults: string[]): void {
  const list = faults.map((fault) => `- ${fault}`).join('\n');
  state.view.status = 'failed';
  state.view.failure = given
    ? {
        type: 'BadInput',
        message: `The given graph breaks these rules:\n${list}`,
        advice: 'Mend the file and plan again.',
      }
    : {
        type: 'BadGraph',
        message: `The model was asked ${QUESTIONS} times and its graph still breaks these rules:\n${list}`,
        advice: 'Say the goal more plainly, or use another --model.',
      };
}
