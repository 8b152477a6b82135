/** The activity's part: the policy as it stands now, what is tried again and what is not, and room for other activities. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNotify } from '../../activities/notify';
import { type Policy, policyShape } from '../../store/policy';
import { NEWS } from '../notify/news';
import { SinkServer } from '../support/sink-server';

let home: string;
let sink: SinkServer;
let policy: Policy;
const env: NodeJS.ProcessEnv = { S: 'a secret of sixteen' };
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'planwright-notify-'));
  mkdirSync(join(home, 'project'));
  sink = await SinkServer.start();
  policy = policyShape.parse({ version: 1, notify: [{ name: 'ops', url: sink.url, secretEnv: 'S' }] });
});
afterEach(async () => {
  await sink.stop();
  rmSync(home, { recursive: true, force: true });
});

const make = (from = env) =>
  createNotify({
    root: join(home, 'project'),
    env: from,
    policy: async () => policy,
    signal: () => new AbortController().signal,
  });
const request = (id: string) => ({ sink: 'ops', id, event: 'gate.opened', news: NEWS }) as const;

it('delivers to the sink as the policy has it now', async () => {
  expect(await make()(request('notification-1'))).toEqual({ status: 204 });
  expect(sink.received).toHaveLength(1);
});

it('is tried again while the receiver is down, as soon as the receiver says and no sooner', async () => {
  sink.answer = (response) => response.writeHead(503, { 'retry-after': '7' }).end();
  await expect(make()(request('notification-1'))).rejects.toMatchObject({
    nonRetryable: false,
    nextRetryDelay: 7_000,
    message: 'sink "ops": it answered 503',
  });
});

it('is tried again where a variable is missing: it may be there when the worker is started anew', async () => {
  await expect(make({})(request('notification-1'))).rejects.toMatchObject({
    nonRetryable: false,
    message: expect.stringContaining('expected in S'),
  });
});

it('is given up where the receiver is gone, and where the policy has the sink no more', async () => {
  sink.answer = (response) => response.writeHead(410).end();
  await expect(make()(request('notification-1'))).rejects.toMatchObject({ nonRetryable: true });
  policy = policyShape.parse({ version: 1 });
  await expect(make()(request('notification-2'))).rejects.toMatchObject({
    nonRetryable: true,
    message: 'the policy has no sink "ops" any more',
  });
});

it('leaves room for what plans wait for: beyond twenty at once, the next comes back a little later', async () => {
  const held: (() => void)[] = [];
  sink.answer = (response) => held.push(() => response.writeHead(204).end());
  const notify = make();
  const underWay = Array.from({ length: 20 }, (_, index) => notify(request(`notification-${index}`)));
  while (held.length < 20) await new Promise((resolve) => setImmediate(resolve));
  await expect(notify(request('notification-20'))).rejects.toMatchObject({
    nonRetryable: false,
    nextRetryDelay: 1_000,
  });
  for (const release of held.splice(0)) release();
  expect(await Promise.all(underWay)).toHaveLength(20);
  sink.answer = (response) => response.writeHead(204).end();
  expect(await notify(request('notification-20'))).toEqual({ status: 204 });
});
