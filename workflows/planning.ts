/** From a goal to a checked graph: the model is asked, told what is wrong, and asked again at most twice. */
import { BY_WORKFLOW } from '../plan/facts';
import { type Overrun, overrun } from '../plan/rules/budgets';
import { addSpent } from '../plan/spending';
import type { DecomposeResult, Json, JsonObject, TaskGraph, Usage } from '../plan/types';
import type { TaskError } from '../plan/view';
import { leftBy, taskErrorOf } from './calls';
import type { PlanContext } from './context';
import { said } from './facts';
import { rulesOf } from './gatekeeping';
import { newInternals, newTaskView } from './state';

const QUESTIONS = 3;
const NOTHING: Usage = { promptTokens: 0, completionTokens: 0, calls: 0 };
/** Risk rules that the fact of a plan names. */
const RULES_SHOWN = 20;

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
    else fail(context, given !== null, result);
  } catch (error) {
    view.failure = taskErrorOf(error);
    const left = leftBy(error);
    if (left) addSpent(view, context.state.plan.settings.provider, left.usage);
    view.raw = left?.raw ?? view.raw;
    view.status = 'failed';
    recordFailure(context, view.failure);
  }
  context.changed();
}

/** `over`: the plan's budget that left nothing for one more question. */
type Asked = DecomposeResult & { over?: Overrun };

async function ask(context: PlanContext, given: TaskGraph | null): Promise<Asked> {
  const { state } = context;
  const { view, plan } = state;
  let faults: string[] = [];
  for (let attempt = 1; ; attempt++) {
    const step = {
      id: `decompose-${attempt}`,
      summary: given ? 'check the given graph' : `plan the goal with ${view.provider}, question ${attempt}`,
      timeoutMs: plan.timeoutMs,
      taskQueue: plan.llmQueue,
    };
    const result = await context.call('decompose', step, {
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
    addSpent(view, result.provider ?? plan.settings.provider, result.usage);
    if (result.raw) view.raw = result.raw;
    if (given || result.faults.length === 0 || attempt === QUESTIONS) return result;
    faults = result.faults;
    const over = overrun(rulesOf(context).budgets, { plan: view.usage, task: NOTHING });
    if (over?.scope === 'plan') return { ...result, over };
  }
}

function adopt(context: PlanContext, graph: TaskGraph, result: DecomposeResult): void {
  const { state } = context;
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
  context.record('plan.ready', BY_WORKFLOW, {
    graph: result.graphDigest ?? null,
    tasks: graph.nodes.length,
    skills: skillDigests(result),
    policy: state.policy.digest,
    workspace: state.snapshot?.digest ?? null,
    risk: result.risk,
    rules: [...new Set(result.riskReasons.map(({ rule }) => said(rule)))].slice(0, RULES_SHOWN),
    modelReturned: said(result.modelReturned),
  });
}

/** Of each skill that the graph uses: its version, the digest of all that it says, and that of its prompt. */
function skillDigests({ skills }: DecomposeResult): JsonObject {
  const records = Object.entries(skills).map(([tool, { toolVersion, toolHash, systemPromptHash }]): [string, Json] => [
    tool,
    { version: toolVersion, digest: toolHash, prompt: systemPromptHash },
  ]);
  return Object.fromEntries(records);
}

function recordFailure(context: PlanContext, { type, message }: TaskError): void {
  context.record('plan.failed', BY_WORKFLOW, { type: said(type), message: said(message) });
}

function fail(context: PlanContext, given: boolean, asked: Asked): void {
  const { view } = context.state;
  view.status = 'failed';
  view.failure = failureOf(given, asked);
  recordFailure(context, view.failure);
}

function failureOf(given: boolean, { faults, over }: Asked): TaskError {
  const list = faults.map((fault) => `- ${fault}`).join('\n');
  if (given) {
    const message = `The given graph breaks these rules:\n${list}`;
    return { type: 'BadInput', message, advice: 'Mend the file and plan again.' };
  }
  if (over) {
    return {
      type: 'BudgetReached',
      message: `${over.used} of ${over.limit} ${over.what} of the plan are used, and its graph still breaks these rules:\n${list}`,
      advice: 'Raise budgets.plan in .planwright/policy.yaml, or say the goal more plainly.',
    };
  }
  return {
    type: 'BadGraph',
    message: `The model was asked ${QUESTIONS} times and its graph still breaks these rules:\n${list}`,
    advice: 'Say the goal more plainly, or use another --model.',
  };
}
