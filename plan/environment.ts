/** What a plan was made with against what is in force now: for the table of a replay, and for the warning of any other run. */
import type { Environment } from './types';
import type { ComparisonLine, PlanView } from './view';

const NONE = 'none';

/**
 * One line for everything that shapes what a generation answers and how it is judged.
 *
 * @param tasks ids; only their skills and verifiers are looked at
 * @param now as the worker found it when the run began
 */
export function compareEnvironment(view: PlanView, tasks: readonly string[], now: Environment): ComparisonLine[] {
  return [
    line('provider', view.provider, now.provider),
    line('model', view.model, now.model),
    line('temperature', String(view.temperature), now.temperature === null ? NONE : String(now.temperature)),
    line('policy', view.context.policySnapshot || NONE, now.policy),
    line('planwright', view.context.planwrightVersion, now.planwright),
    ...skillLines(view, tasks, now),
    ...verifierLines(view, tasks, now),
  ];
}

export function line(what: string, expected: string, actual: string): ComparisonLine {
  return { what, expected, actual, matches: expected === actual };
}

/** A skill's digest covers its whole folder; the system prompt is named apart, for it also changes with Planwright. */
function skillLines(view: PlanView, tasks: readonly string[], now: Environment): ComparisonLine[] {
  const lines = new Map<string, ComparisonLine>();
  for (const id of tasks) {
    const tool = view.graph.nodes.find((node) => node.id === id)?.tool;
    const recorded = view.tasks[id]?.skill;
    if (!tool || !recorded) continue;
    const found = now.skills[tool];
    const both = [
      line(`skill ${tool}`, recorded.toolHash, found?.toolHash ?? NONE),
      line(`system prompt of ${tool}`, recorded.systemPromptHash, found?.systemPromptHash ?? NONE),
    ];
    for (const one of both) lines.set(`${one.what} ${one.expected}`, one);
  }
  return [...lines.values()];
}

function verifierLines(view: PlanView, tasks: readonly string[], now: Environment): ComparisonLine[] {
  const lines = new Map<string, ComparisonLine>();
  for (const row of tasks.flatMap((id) => view.tasks[id]?.verification ?? [])) {
    // One that a skill names and that did not exist then may still not exist: nothing has changed.
    const absent = row.version === 'unknown' ? row.version : NONE;
    const one = line(`verifier ${row.verifier}`, row.version, now.verifiers[row.verifier] ?? absent);
    lines.set(`${one.what} ${one.expected}`, one);
  }
  return [...lines.values()];
}
