import { appendEntries, lastMirrored } from '../../audit/append';
import { LogGap } from '../../audit/errors';
import type { ProjectedEntry } from '../../audit/types';
import { ID, Logs } from './support/logs';

let logs: Logs;
beforeEach(() => {
  logs = new Logs();
});
afterEach(() => logs.remove());

const entry = (run: string, eventId: number, event: ProjectedEntry['event'], data: ProjectedEntry['data'] = {}) => ({
  run,
  eventId,
  at: '2026-11-21T10:00:00.000Z',
  event,
  actor: { kind: 'user', id: 'ana', auth: 'claimed' } as const,
  data,
});
const lost = [entry('a', 1, 'plan.created', { takenUp: false }), entry('a', 9, 'run.started')];

it('the history of a plan that was taken up goes on where the log of the lost one ends', async () => {
  await appendEntries(logs.layout, ID, lost);
  const again = [entry('b', 1, 'plan.created', { takenUp: true }), entry('b', 7, 'plan.taken_up')];
  expect(await appendEntries(logs.layout, ID, again)).toMatchObject({ size: 4, appended: 2 });
  expect(await appendEntries(logs.layout, ID, again)).toMatchObject({ size: 4, appended: 0 });
  expect(await lastMirrored(logs.layout, ID.plan)).toMatchObject({ run: 'b', eventId: 7 });
});

it('another history that does not say so is refused', async () => {
  await appendEntries(logs.layout, ID, lost);
  const other = [entry('b', 1, 'plan.created', { takenUp: false })];
  await expect(appendEntries(logs.layout, ID, other)).rejects.toBeInstanceOf(LogGap);
});
