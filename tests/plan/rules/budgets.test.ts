import { overrun, raisedTo, smaller } from '../../../plan/rules/budgets';

const usage = (tokens: number, calls: number) => ({ promptTokens: tokens, completionTokens: 0, calls });
const none = { tokens: null, calls: null };

it('of policy and flag the smaller one holds', () => {
  expect(smaller({ tokens: 10, calls: null }, { tokens: 5 })).toEqual({ tokens: 5, calls: null });
  expect(smaller({ tokens: 5, calls: 1 }, { tokens: 10 })).toEqual({ tokens: 5, calls: 1 });
  expect(smaller(none, { tokens: null })).toEqual(none);
});

it('a raise lifts a limit, and never lowers one or makes one up', () => {
  expect(raisedTo({ tokens: 10, calls: null }, { tokens: 20, calls: 3 })).toEqual({ tokens: 20, calls: null });
  expect(raisedTo({ tokens: 10, calls: 2 }, { tokens: 5 })).toEqual({ tokens: 10, calls: 2 });
});

it('a call may be made while anything is left, and none where nothing is', () => {
  const limits = { plan: { tokens: 100, calls: 3 }, task: { tokens: 50, calls: null } };
  expect(overrun(limits, { plan: usage(99, 2), task: usage(49, 9) })).toBeNull();
  expect(overrun(limits, { plan: usage(100, 0), task: usage(0, 0) })).toEqual({
    scope: 'plan',
    what: 'tokens',
    limit: 100,
    used: 100,
  });
  expect(overrun(limits, { plan: usage(0, 3), task: usage(0, 0) })).toMatchObject({ scope: 'plan', what: 'calls' });
  expect(overrun(limits, { plan: usage(100, 3), task: usage(60, 0) })).toMatchObject({ scope: 'task', used: 60 });
});
