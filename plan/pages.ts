/**
 * What the Query `plan` answers to whom. Every tool of Temporal must be able to read an answer, and reads no packed one;
 * so a plan that is too large for that is told in pages. The product's own clients ask for the whole, packed.
 */
import type { GateView, PlanView } from './view';

/** Argument of the Query `plan`; nothing at all is the same as `{}`. */
export interface PlanQuestion {
  /** `changes` of a view that the caller has: the answer is null where nothing changed since. */
  since?: number;
  /** The whole plan, however large: it may come packed, so only for who has the codec of `store/large-payloads.ts`. */
  whole?: boolean;
  /** Index of the first task of a page, in the order of the graph; 0 unless told. */
  from?: number;
  /** At most so many tasks; as many as fit unless told. */
  count?: number;
}

/** In UTF-8, with room below the size from which payloads are packed (1 MiB). */
export const PLAIN_BYTES = 1_000_000;

const utf8 = new TextEncoder();
const sizeOf = (value: PlanView | readonly GateView[]): number => utf8.encode(JSON.stringify(value)).length;
const index = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

/**
 * What the Query `gates` answers: a list has no place to say that it is a part, so one that is too large is an error.
 * @throws Error that says how to ask
 */
export function answerGates(gates: readonly GateView[], most = PLAIN_BYTES): readonly GateView[] {
  if (sizeOf(gates) <= most) return gates;
  throw new Error(
    `${gates.length} gates are open, too many for one answer. Ask the Query plan for pages: {"from": 0}.`,
  );
}

/** @param question from outside: what is not a `PlanQuestion` counts as none */
export function answerPlan(view: PlanView, question: unknown, most = PLAIN_BYTES): PlanView | null {
  const asked: { [key in keyof PlanQuestion]: unknown } =
    typeof question === 'object' && question !== null ? question : {};
  if (asked.since === view.changes) return null;
  if (asked.whole === true) return view;
  const [from, count] = [index(asked.from), index(asked.count)];
  if (from === undefined && count === undefined && sizeOf(view) <= most) return view;
  return fittingPage(view, from ?? 0, count ?? view.graph.nodes.length, most);
}

/** Tasks from `from` on, as many as fit, but one at the least: otherwise nobody who asks page by page would come to the end. */
function fittingPage(view: PlanView, from: number, count: number, most: number): PlanView {
  let tasks = Math.max(1, count);
  for (;;) {
    const page = pageOf(view, from, tasks);
    const size = sizeOf(page);
    const there = page.page?.count ?? 0;
    if (size <= most || there <= 1) return page;
    // What does not belong to tasks is on every page, so this may take a few turns.
    tasks = Math.max(1, Math.min(there - 1, Math.floor((there * most * 0.95) / size)));
  }
}

/** A view with some of its tasks, and of what belongs to tasks only theirs. */
function pageOf(view: PlanView, from: number, count: number): PlanView {
  const { nodes } = view.graph;
  const shown = nodes.slice(from, from + count);
  const ids = new Set(shown.map(({ id }) => id));
  const next = from + shown.length;
  return {
    ...view,
    graph: { ...view.graph, nodes: shown },
    tasks: Object.fromEntries(Object.entries(view.tasks).filter(([id]) => ids.has(id))),
    gates: view.gates.filter(({ task }) => task === null || ids.has(task)),
    runs: view.runs.map((run) => ({
      ...run,
      tasks: run.tasks.filter((id) => ids.has(id)),
      ...(run.previews && {
        previews: Object.fromEntries(Object.entries(run.previews).filter(([id]) => ids.has(id))),
      }),
      ...(run.differences && { differences: run.differences.filter(({ task }) => ids.has(task)) }),
    })),
    page: { from, count: shown.length, of: nodes.length, next: next < nodes.length ? next : null },
  };
}
