/**
 * The task graph: its order and its rules. Pure, without recursion and linear in tasks and dependencies for each
 * question, so that 10,000 tasks are no trouble. The workflow uses this too.
 */
import { pathKey } from './paths';
import { refsIn } from './refs';
import type { TaskGraph, TaskNode } from './types';

/** Longest id and description that a task may have, in UTF-16 units. */
const MAX_ID = 64;
const MAX_DESCRIPTION = 2000;

export interface GraphRules {
  maxTasks: number;
  /** Names of the skills that exist. */
  tools: string[];
  /** What is wrong with a task's input by its skill's schema, references still in place. Asked for known tools only. */
  inputFaults(node: TaskNode): string[];
  /** The paths that a task will write, as far as they are known before it runs. Asked for known tools only. */
  paths(node: TaskNode): string[];
}

/**
 * All that is wrong with a graph, as sentences that name the task; empty for a sound one.
 * Rules: 1 to `maxTasks` tasks, ids unique and well-formed, descriptions of 1 to 2000 characters, known tools, inputs
 * by schema, dependencies that exist and form no cycle, references to transitive dependencies only, and no two tasks
 * that write one path without a dependency between them.
 */
export function checkGraph(graph: TaskGraph, rules: GraphRules): string[] {
  const { nodes } = graph;
  const faults: string[] = [];
  if (nodes.length === 0) faults.push('The plan has no task; it needs at least one.');
  if (nodes.length > rules.maxTasks) {
    faults.push(`The plan has ${nodes.length} tasks; at most ${rules.maxTasks} are allowed. Combine some.`);
  }
  const tools = new Set(rules.tools);
  const ids = new Set<string>();
  for (const node of nodes) {
    if (ids.has(node.id)) faults.push(`Two tasks have the id "${node.id}"; each id may be used once.`);
    ids.add(node.id);
  }
  for (const node of nodes) {
    const add = (fault: string): number => faults.push(`Task "${node.id}": ${fault}`);
    ownFaults(node).forEach(add);
    dependencyFaults(node, ids).forEach(add);
    if (tools.has(node.tool)) rules.inputFaults(node).forEach(add);
    else add(unknownTool(node.tool, rules.tools));
  }
  const cycles = cyclesOf(graph);
  for (const cycle of cycles) {
    faults.push(`Tasks depend on each other in a circle: ${cycle.map((id) => `"${id}"`).join(' → ')}. Break it.`);
  }
  faults.push(...referenceFaults(graph, ids));
  // With a cycle, "before" and "after" mean nothing.
  if (cycles.length === 0) faults.push(...pathFaults(graph, (node) => (tools.has(node.tool) ? rules.paths(node) : [])));
  return faults;
}

function ownFaults(node: TaskNode): string[] {
  const faults: string[] = [];
  if (node.id.length > MAX_ID || !/^[A-Za-z0-9_-]([A-Za-z0-9._-]*[A-Za-z0-9_-])?$/.test(node.id)) {
    faults.push(`an id is 1 to ${MAX_ID} of the characters A-Z a-z 0-9 . _ - and does not begin or end with a dot.`);
  }
  const length = node.description.trim().length;
  if (length < 1 || node.description.length > MAX_DESCRIPTION) {
    faults.push(`the description has ${length} characters; it needs 1 to ${MAX_DESCRIPTION}.`);
  }
  return faults;
}

function dependencyFaults(node: TaskNode, ids: ReadonlySet<string>): string[] {
  return [...new Set(node.deps)].flatMap((dep) => {
    if (dep === node.id) return ['it depends on itself.'];
    return ids.has(dep) ? [] : [`it depends on "${dep}", and there is no such task.`];
  });
}

function unknownTool(tool: string, tools: string[]): string {
  const near = nearest(tool, tools);
  const hint = near === null ? `Known are: ${[...tools].sort().join(', ')}.` : `Did you mean "${near}"?`;
  return `there is no tool "${tool}". ${hint}`;
}

function referenceFaults(graph: TaskGraph, ids: ReadonlySet<string>): string[] {
  return graph.nodes.flatMap((node) => {
    const foreign = refsIn(node.input, ids).filter((ref) => !node.deps.includes(ref.task));
    if (foreign.length === 0) return [];
    const ancestors = ancestorsOf(graph, node.id);
    return foreign
      .filter((ref) => ref.task === node.id || !ancestors.has(ref.task))
      .map(({ task }) => {
        const why = ids.has(task) ? 'is not among its dependencies; add it to deps' : 'is no task of this plan';
        return `Task "${node.id}": its input refers to $ref:${task}, which ${why}.`;
      });
  });
}

/** Writers of one path must stand in one line: it is enough that neighbours in topological order do. */
function pathFaults(graph: TaskGraph, paths: (node: TaskNode) => string[]): string[] {
  const writers = new Map<string, { id: string; path: string }[]>();
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  for (const id of topologicalOrder(graph)) {
    const node = byId.get(id);
    for (const path of node ? paths(node) : []) {
      const key = pathKey(path);
      const list = writers.get(key) ?? [];
      if (list.at(-1)?.id !== id) list.push({ id, path });
      writers.set(key, list);
    }
  }
  const faults: string[] = [];
  const known = new Map<string, Set<string>>();
  for (const list of writers.values()) {
    list.slice(1).forEach((later, index) => {
      const earlier = list[index];
      if (!earlier) return;
      const ancestors = known.get(later.id) ?? ancestorsOf(graph, later.id);
      known.set(later.id, ancestors);
      if (ancestors.has(earlier.id)) return;
      const where = earlier.path === later.path ? later.path : `${earlier.path} and ${later.path}`;
      faults.push(
        `Tasks "${earlier.id}" and "${later.id}" both write ${where}, and neither depends on the other. ` +
          'Make one depend on the other, or combine them.',
      );
    });
  }
  return faults;
}

/** Ids of all transitive dependencies of a task, itself left out (but for a cycle through it). */
export function ancestorsOf(graph: TaskGraph, id: string): Set<string> {
  const deps = new Map(graph.nodes.map((node) => [node.id, node.deps]));
  return reach(id, (at) => deps.get(at) ?? []);
}

/** Ids of all tasks that depend on a task, directly or not. */
export function dependentsOf(graph: TaskGraph, id: string): Set<string> {
  const dependents = dependentsByTask(graph);
  return reach(id, (at) => dependents.get(at) ?? []);
}

function reach(start: string, next: (id: string) => string[]): Set<string> {
  const seen = new Set<string>();
  const open = [...next(start)];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    open.push(...next(at));
  }
  return seen;
}

function dependentsByTask(graph: TaskGraph): Map<string, string[]> {
  const dependents = new Map<string, string[]>();
  for (const node of graph.nodes) {
    for (const dep of new Set(node.deps)) {
      const list = dependents.get(dep);
      if (list) list.push(node.id);
      else dependents.set(dep, [node.id]);
    }
  }
  return dependents;
}

/**
 * Ids in an order in which each task comes after its dependencies (Kahn 1962), layer by layer, and within a layer as
 * they were freed. Dependencies that do not exist are ignored; tasks in or behind a cycle are left out.
 */
export function topologicalOrder(graph: TaskGraph): string[] {
  const ids = new Set(graph.nodes.map((node) => node.id));
  const missing = new Map(graph.nodes.map((node) => [node.id, new Set(node.deps.filter((dep) => ids.has(dep))).size]));
  const dependents = dependentsByTask(graph);
  const order = graph.nodes.map((node) => node.id).filter((id) => missing.get(id) === 0);
  for (let at = 0; at < order.length; at++) {
    for (const id of dependents.get(order[at] ?? '') ?? []) {
      const left = (missing.get(id) ?? 0) - 1;
      missing.set(id, left);
      if (left === 0) order.push(id);
    }
  }
  return order;
}

/** One cycle for each place where tasks wait for each other, its first id repeated at the end; no self-dependencies. */
function cyclesOf(graph: TaskGraph): string[][] {
  const sorted = new Set(topologicalOrder(graph));
  const stuck = new Map(graph.nodes.filter((node) => !sorted.has(node.id)).map((node) => [node.id, node.deps]));
  const done = new Set<string>();
  const cycles: string[][] = [];
  for (const start of stuck.keys()) {
    const walk = new Map<string, number>();
    let at: string | undefined = start;
    while (at !== undefined && !done.has(at) && !walk.has(at)) {
      walk.set(at, walk.size);
      const from: string = at;
      at = stuck.get(from)?.find((dep) => dep !== from && stuck.has(dep) && !done.has(dep));
    }
    const trail = [...walk.keys()];
    const first = at === undefined ? undefined : walk.get(at);
    if (at !== undefined && first !== undefined) cycles.push([...trail.slice(first), at]);
    for (const id of trail) done.add(id);
  }
  return cycles;
}

/**
 * The candidate nearest to a word by edit distance, ignoring case; null where none is near enough
 * to be a slip of the keyboard (more than a third of its length).
 */
export function nearest(word: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let least = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase().slice(0, MAX_ID), candidate.toLowerCase());
    if (distance < least && distance <= Math.max(1, Math.floor(candidate.length / 3))) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Optimal string alignment: Levenshtein's distance, with two neighbours swapped counted as one slip. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (before[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min(change, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
