import { nextDue, scheduleFrom } from '../../../plan/rules/deadlines';
import { frozenAt } from '../../../plan/rules/freeze';
import type { FreezeWindow } from '../../../plan/rules/types';

const once = (name: string, from: string, until: string, run: FreezeWindow['run'] = 'wait'): FreezeWindow => ({
  name,
  once: { from: `2026-12-${from}:00.000Z`, until: `2026-12-${until}:00.000Z` },
  weekly: null,
  run,
});
const minute = (day: number, hour: number): number => (day * 24 + hour) * 60;
const weekend: FreezeWindow = {
  name: 'weekend',
  once: null,
  weekly: { from: minute(4, 16), until: minute(0, 6) },
  run: 'wait',
};

describe('a freeze window', () => {
  it('holds from its first moment to the one before its end', () => {
    const windows = [once('x', '20T10:00', '20T11:00')];
    expect(frozenAt(windows, '2026-12-20T09:59:59.999Z')).toBeNull();
    expect(frozenAt(windows, '2026-12-20T10:00:00.000Z')).toEqual({
      name: 'x',
      until: '2026-12-20T11:00:00.000Z',
      run: 'wait',
    });
    expect(frozenAt(windows, '2026-12-20T10:59:59.999Z')).not.toBeNull();
    expect(frozenAt(windows, '2026-12-20T11:00:00.000Z')).toBeNull();
  });

  it.each([
    // 2026-11-20 is a Friday.
    ['2026-11-20T15:59:59.999Z', null],
    ['2026-11-20T16:00:00.000Z', '2026-11-23T06:00:00.000Z'],
    ['2026-11-22T23:30:00.500Z', '2026-11-23T06:00:00.000Z'],
    ['2026-11-23T05:59:59.999Z', '2026-11-23T06:00:00.000Z'],
    ['2026-11-23T06:00:00.000Z', null],
  ])('of every week, over its end: at %s until %s', (at, until) => {
    expect(frozenAt([weekend], at)?.until ?? null).toBe(until);
  });

  it('ends where the last of those that follow each other ends, and one that refuses is told first', () => {
    const windows = [
      once('a', '20T10:00', '20T11:00'),
      once('b', '20T11:00', '20T12:00'),
      once('c', '20T10:30', '20T10:45', 'refuse'),
    ];
    expect(frozenAt(windows, '2026-12-20T10:40:00.000Z')).toEqual({
      name: 'c',
      until: '2026-12-20T12:00:00.000Z',
      run: 'refuse',
    });
  });
});

describe('deadlines', () => {
  const since = '2026-01-01T00:00:00.000Z';
  const schedule = scheduleFrom(since, { remindMs: 1000, escalateMs: 2000, escalateTo: [], expireMs: null });

  it('are counted from the moment that the gate opened; what is not set never comes', () => {
    expect(schedule).toEqual({
      remindAt: '2026-01-01T00:00:01.000Z',
      escalateAt: '2026-01-01T00:00:02.000Z',
      until: null,
    });
    expect(nextDue([])).toBeNull();
    expect(nextDue([{ gate: 'a', remindAt: null, until: null }])).toBeNull();
  });

  it('come in their order over all gates; what settles more comes first at the same moment', () => {
    const other = { gate: 'b', until: schedule.remindAt, remindAt: schedule.remindAt, escalateAt: null };
    expect(nextDue([{ gate: 'a', ...schedule }])).toMatchObject({ gate: 'a', what: 'remind' });
    expect(nextDue([other])).toMatchObject({ gate: 'b', what: 'expire' });
    expect(nextDue([{ gate: 'a', ...schedule, remindAt: null }, other])).toMatchObject({ gate: 'b', what: 'expire' });
  });
});
