import { digestOf } from '../../plan/digest';
import { maskSecrets, maskTexts } from '../../plan/mask';
import { parseTaskGraph, TASK_GRAPH_WIRE } from '../../plan/schema';
import type { DecomposeRequest, DecomposeResult, TaskGraph, WorkspaceFacts } from '../../plan/types';
import type { Skill } from '../../skills/types';
import { summarizeFacts } from '../workspace/summary';
import { askModel } from './ask';
import { checkPlan } from './check';
import { type LlmDeps, readOverlay, readSnapshot, TEMPLATE, whoOf } from './context';
import { finalFailure } from './errors';
import { planningSystem, planningUser } from './prompts';
import { planTemplate, templateAbilities } from './template';
import { templateNotes } from './template-notes';
import { templateTrace } from './trace';

/** Longest goal, in bytes of UTF-8; the command line refuses a longer one before it gets here. */
const MAX_GOAL = 32 * 1024;

/** A graph and where it came from. */
type Planned = Pick<DecomposeResult, 'modelReturned' | 'usage' | 'raw' | 'notes' | 'calls' | 'provider'> & {
  graph: TaskGraph;
};

/**
 * The activity that turns a goal into a checked task graph. A graph that breaks a rule comes back with its faults; the
 * workflow asks again with them. A request that brings its own `graph` has it checked, and no model is asked.
 *
 * It throws ApplicationFailure: `BadInput` for an empty or overlong goal or an unknown provider, `NoRule` where the
 * template provider has no rule for the goal, and as `askModel`.
 */
export function createDecompose(deps: LlmDeps): (request: DecomposeRequest) => Promise<DecomposeResult> {
  return async (request) => {
    const skills = await deps.skills();
    const snapshot = await readSnapshot(deps.objects, request.workspace);
    const { graph: made, notes = [], ...rest } = await plan(deps, request, snapshot.facts, skills);
    // Here and not where it leaves: the graph's digest is that of what is recorded.
    const graph = maskTexts(made, deps.mask ?? maskSecrets);
    const unused = ((await deps.skillFaults?.()) ?? []).map(({ source, why }) => `${source} is not used: ${why}`);
    const { existing } = await readOverlay(deps.objects, snapshot, {});
    const checked = checkPlan(graph, skills, snapshot.facts, request.maxTasks, existing);
    const said = [...notes, ...unused.map((note) => note.slice(0, 500)).slice(0, 20)];
    return { graph, ...checked, ...rest, graphDigest: digestOf(graph), ...(said.length > 0 ? { notes: said } : {}) };
  };
}

async function plan(
  deps: LlmDeps,
  request: DecomposeRequest,
  facts: WorkspaceFacts,
  skills: Map<string, Skill>,
): Promise<Planned> {
  const noUsage = { promptTokens: 0, completionTokens: 0, calls: 0 };
  if (request.graph)
    return { graph: givenGraph(request.graph), modelReturned: 'none', usage: noUsage, raw: null, calls: [] };
  const goal = checkedGoal(request.goal);
  if (request.settings.provider === TEMPLATE) {
    const graph = planTemplate(goal, facts, skills);
    if (!graph) throw noRule(skills, templateNotes(goal, facts, skills));
    const raw = await deps.objects.put(JSON.stringify(graph, null, 2));
    return {
      graph,
      modelReturned: TEMPLATE,
      usage: noUsage,
      raw,
      calls: [templateTrace(digestOf({ provider: TEMPLATE, goal, workspace: request.workspace }), raw)],
      notes: templateNotes(goal, facts, skills),
    };
  }
  const answer = await askModel(
    deps,
    whoOf(deps, request.settings, true),
    { plan: request.plan, task: null, generation: request.attempt, timeoutMs: request.timeoutMs },
    {
      schemaName: 'task_graph',
      schema: TASK_GRAPH_WIRE,
      system: planningSystem(skills.values(), request.maxTasks),
      user: planningUser(goal, summarizeFacts(facts), request.faults),
      model: request.settings.planner ?? request.settings.model,
      temperature: request.settings.temperature,
      seed: request.attempt,
    },
    parseTaskGraph,
  );
  const raw = await deps.objects.put(answer.completion.text);
  const { usage, calls, provider } = answer;
  const by = provider === undefined ? {} : { provider };
  return { graph: answer.value, modelReturned: answer.completion.model, usage, raw, calls, ...by };
}

/** Whoever sent the request, its graph has been outside: its shape is checked like a model's. */
function givenGraph(graph: TaskGraph): TaskGraph {
  try {
    return parseTaskGraph(JSON.stringify(graph));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw finalFailure(
      'BadInput',
      `The given graph cannot be read: ${why} It needs { nodes: [{ id, tool, description, input, deps }] }.`,
    );
  }
}

function checkedGoal(goal: string): string {
  const text = goal.trim();
  if (text === '') throw finalFailure('BadInput', 'The goal is empty. Say in a sentence what should be set up.');
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_GOAL) return text;
  throw finalFailure('BadInput', `The goal has ${bytes} bytes; at most ${MAX_GOAL} are allowed. Say it shorter.`);
}

/** @param notes why what the goal asks for is not planned, where that is known */
function noRule(skills: Map<string, Skill>, notes: readonly string[]): Error {
  const known = notes.filter((note) => note.startsWith('The plan has no task'));
  if (known.length > 0) return finalFailure('NoRule', known.join(' '));
  return finalFailure(
    'NoRule',
    'The template provider plans by fixed rules, and none of them fits this goal. ' +
      `It can make: ${templateAbilities(skills)}. Name one of these in the goal, or set OPENAI_API_KEY to plan with a model.`,
  );
}
