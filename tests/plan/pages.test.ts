import fc from 'fast-check';
import { answerGates, answerPlan, type PlanQuestion } from '../../plan/pages';
import type { PlanView } from '../../plan/view';
import { viewOf } from './support/views';

const sizeOf = (view: PlanView): number => Buffer.byteLength(JSON.stringify(view));

function answer(view: PlanView, question: PlanQuestion | undefined, most: number): PlanView {
  const answered = answerPlan(view, question, most);
  if (answered === null) throw new Error('no answer');
  return answered;
}

/** As somebody does who asks until there is no next page. */
function allPages(view: PlanView, most: number): PlanView[] {
  const pages: PlanView[] = [];
  for (let from: number | null = 0; from !== null; from = pages.at(-1)?.page?.next ?? null) {
    pages.push(answer(view, pages.length === 0 ? {} : { from }, most));
  }
  return pages;
}

it('what fits is answered as it is, without a page', () => {
  const view = viewOf(['a', 'b']);
  expect(answer(view, undefined, 1_000_000)).toBe(view);
});

it('the whole is answered to who can unpack it, however large', () => {
  const view = viewOf(['a', 'b'], 5_000);
  expect(answer(view, { whole: true }, 1_000)).toBe(view);
});

it('who knows the newest view already hears so', () => {
  const view = viewOf(['a']);
  for (const also of [{}, { whole: true }, { from: 0 }]) {
    expect(answerPlan(view, { since: view.changes, ...also })).toBeNull();
    expect(answerPlan(view, { since: view.changes - 1, ...also })).not.toBeNull();
  }
});

it('a page holds the tasks that were asked for, and of gates and runs what is theirs', () => {
  const { graph, tasks, gates, runs, page } = answer(viewOf(['a', 'b', 'c', 'd']), { from: 1, count: 2 }, 1_000_000);
  expect(graph.nodes.map(({ id }) => id)).toEqual(['b', 'c']);
  expect(Object.keys(tasks)).toEqual(['b', 'c']);
  expect(gates.map(({ task }) => task)).toEqual([null, 'b', 'c']);
  expect(runs.map((run) => run.tasks)).toEqual([['b', 'c']]);
  expect(runs.map(({ previews }) => Object.keys(previews ?? {}))).toEqual([['b', 'c']]);
  expect(page).toEqual({ from: 1, count: 2, of: 4, next: 3 });
});

it('behind the last task there is an empty last page', () => {
  expect(answer(viewOf(['a']), { from: 7 }, 1_000_000)).toMatchObject({
    tasks: {},
    page: { from: 7, count: 0, of: 1, next: null },
  });
});

it('a task that is larger than a page is answered alone', () => {
  const pages = allPages(viewOf(['a', 'b', 'c'], 4_000), 3_000);
  expect(pages.map(({ tasks }) => Object.keys(tasks))).toEqual([['a'], ['b'], ['c']]);
});

it('what is no question is answered like none', () => {
  const view = viewOf(['a', 'b']);
  for (const question of [3, 'all', [], { from: -1 }, { from: 'x', count: null }, { whole: 'yes' }]) {
    expect(answerPlan(view, question)).toBe(view);
  }
});

it('page by page every task comes once, in order, and every page with more than one task fits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.array(fc.integer({ min: 0, max: 3_000 })), (count, sizes) => {
      const ids = Array.from({ length: count }, (_, at) => `t${at}`);
      const most = 9_000;
      const view = viewOf(ids, (at) => sizes[at % Math.max(1, sizes.length)] ?? 0);
      const pages = allPages(view, most);
      expect(pages.flatMap(({ tasks }) => Object.keys(tasks))).toEqual(ids);
      expect(pages.flatMap(({ graph }) => graph.nodes.map(({ id }) => id))).toEqual(ids);
      for (const page of pages) if (Object.keys(page.tasks).length > 1) expect(sizeOf(page)).toBeLessThanOrEqual(most);
      expect(pages.length === 1 && pages[0] === view).toBe(sizeOf(view) <= most);
    }),
    { numRuns: 60 },
  );
});

it('gates are answered as they are, and where they are too many it is said how to see them', () => {
  const { gates } = viewOf(['a', 'b']);
  expect(answerGates(gates)).toBe(gates);
  expect(() => answerGates(gates, 100)).toThrow('3 gates are open, too many for one answer. Ask the Query plan');
});
