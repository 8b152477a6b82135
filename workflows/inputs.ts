/** What a task's generation is given of its ancestors, and whether an artifact that was kept still fits them. */
import { ancestorsOf } from '../plan/graph';
import { refsIn } from '../plan/refs';
import type { GenerateRequest, TaskNode } from '../plan/types';
import type { PlanContext } from './context';
import type { RunState } from './state';

/** Outputs of the tasks that a task's input refers to. */
export function referencesOf(context: PlanContext, node: TaskNode): GenerateRequest['refs'] {
  const { nodes } = context.state.view.graph;
  const tool = (id: string): string => nodes.find((candidate) => candidate.id === id)?.tool ?? '';
  const named = refsIn(node.input, new Set(nodes.map(({ id }) => id)));
  return Object.fromEntries(named.map(({ task: id }) => [id, { tool: tool(id), output: context.task(id).output }]));
}

/**
 * Files of ancestors that the snapshot cannot hold: those that were written since it was read and, in a dry run, those
 * that are only proposed.
 * @returns path → SHA-256 (hex) of an object
 */
export function overlayOf(context: PlanContext, id: string, dryRun: boolean): { [path: string]: string } {
  const { view, snapshot } = context.state;
  const ancestors = ancestorsOf(view.graph, id);
  const overlay: { [path: string]: string } = {};
  for (const { id: ancestor } of view.graph.nodes) {
    if (!ancestors.has(ancestor)) continue;
    const inSnapshot = context.internals(ancestor).writtenAfterSnapshot < (snapshot?.number ?? 0);
    for (const { path, sha256, state } of context.task(ancestor).files) {
      const laid = state === 'written' ? !inSnapshot : dryRun && state === 'proposed';
      if (laid) overlay[path] = sha256;
    }
  }
  return overlay;
}

/**
 * True for an artifact of a dry run that this run takes as it is: no model is asked. Not where the run names another
 * model, nor where an ancestor's artifact was made anew since, for then it was made from something else.
 */
export function usableArtifact(context: PlanContext, run: RunState, id: string): boolean {
  const { made, kept } = context.internals(id);
  if (!kept || !made) return false;
  const { provider, model, temperature } = run.settings;
  const other = made.settings;
  const same = other.provider === provider && other.model === model && other.temperature === temperature;
  if (run.request.settings !== undefined && !same) return false;
  return [...ancestorsOf(context.state.view.graph, id)].every((ancestor) => {
    const before = context.internals(ancestor).made;
    return before === undefined || before.at <= made.at;
  });
}
