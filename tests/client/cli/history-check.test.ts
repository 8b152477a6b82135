import { UnreachableError } from '../../../plan/errors';
import { planView } from './views';
import { FakeClient, world } from './world';

const replayed = (fault: string | null) => [{ run: 'run-1', events: 120, fault }];

function at(fault: string | null, missing: string | null = null) {
  const client = new FakeClient(planView());
  client.executions = { executions: [{ run: 'run-1', history: { events: [] } }], missing };
  return world({ client, rooms: { replay: async () => replayed(fault) } });
}

describe('history check', () => {
  it('says that the history is what the code does', async () => {
    const place = at(null);
    expect(await place.run('history', 'check', '--json')).toBe(0);
    expect(JSON.parse(place.stdout.text)).toMatchObject({
      deterministic: true,
      executions: replayed(null),
      missing: null,
    });
  });

  it('exits 3 and says where it is not', async () => {
    const place = at('event 12 is an ActivityTaskScheduled');
    expect(await place.run('history', 'check')).toBe(3);
    expect(place.stdout.text).toContain('execution run-1: event 12 is an ActivityTaskScheduled');
  });

  it('exits 4 where Temporal has forgotten a part, which it names', async () => {
    const place = at(null, 'run-0');
    expect(await place.run('history', 'check')).toBe(4);
    expect(place.stdout.text).toContain('run-0');
  });

  it('exits 4 where Temporal cannot be asked', async () => {
    const place = at(null);
    place.client.histories = async () => {
      throw new UnreachableError('Temporal is not running.');
    };
    expect(await place.run('history', 'check')).toBe(4);
  });
});
