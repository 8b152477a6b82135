/** One attempt to deliver, over a real connection to a receiver that behaves well or badly. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { deliver, describe as inWords } from '../../notify/post';
import { type Received, SinkServer } from '../support/sink-server';
import { NEWS } from './news';

const SECRET = 'a secret of the receiver';
const NOW = Date.parse('2026-01-31T12:00:05.000Z');
const notification = { id: 'notification-1', event: 'gate.opened', news: NEWS } as const;
const options = { version: '0.0.0', now: NOW };
const json = { format: 'json', timeout: 2_000 } as const;

let sink: SinkServer;
beforeEach(async () => {
  sink = await SinkServer.start();
});
afterEach(() => sink.stop());

const send = (timeout = 2_000) =>
  deliver({ format: 'json', timeout }, { url: sink.url, secret: SECRET }, notification, options);

function first(): Received {
  const [one] = sink.received;
  if (!one) throw new Error('nothing came');
  return one;
}

it('posts the body once, signed over its time, so that a receiver of a few lines can check it', async () => {
  expect(await send()).toEqual({ result: 'delivered', status: 204 });
  expect(sink.received).toHaveLength(1);
  const { method, headers, body } = first();
  expect(method).toBe('POST');
  const timestamp = headers['planwright-timestamp'];
  const expected = `v1=${createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex')}`;
  expect(timingSafeEqual(Buffer.from(String(headers['planwright-signature'])), Buffer.from(expected))).toBe(true);
  expect(Number(timestamp)).toBe(NOW / 1000);
  expect(headers['planwright-delivery']).toBe('notification-1');
  expect(headers['planwright-event']).toBe('gate.opened');
  expect(headers['content-type']).toBe('application/json');
  expect(JSON.parse(body)).toMatchObject({ schema: 'planwright.notification/1', id: 'notification-1', seq: 7 });
});

it.each([500, 502, 404, 429, 301, 302, 307, 308])(
  'counts %i as not delivered, and follows it nowhere',
  async (status) => {
    sink.answer = (response) => response.writeHead(status, { location: `${sink.url}/elsewhere` }).end('go away');
    expect(await send()).toEqual({ result: 'refused', status, retryAfterMs: null });
    expect(sink.received.map(({ path }) => path)).toEqual(['/hook']);
  },
);

it('takes 410 for good', async () => {
  sink.answer = (response) => response.writeHead(410).end();
  const delivery = await send();
  expect(delivery).toMatchObject({ result: 'gone' });
  expect(inWords(delivery)).toMatch(/410: nobody is there any more/);
});

it.each([
  ['120', 120_000],
  ['Sat, 31 Jan 2026 12:01:05 GMT', 60_000],
  ['999999999', 3_600_000],
  ['-1', null],
  ['soon', null],
])('waits as long as Retry-After: %s says, an hour at most', async (value, expected) => {
  sink.answer = (response) => response.writeHead(503, { 'retry-after': value }).end();
  expect(await send()).toMatchObject({ status: 503, retryAfterMs: expected });
});

it('gives up a receiver that takes the message and never answers', async () => {
  sink.answer = () => undefined;
  expect(await send(100)).toEqual({ result: 'unreachable', why: 'no answer within 100 ms' });
});

it('reads nothing of an answer without end', async () => {
  let sent = 0;
  const closed = new Promise<void>((resolve) => {
    sink.answer = (response) => {
      response.on('close', resolve);
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) sent += 65_536;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
  });
  expect(await send()).toEqual({ result: 'delivered', status: 200 });
  await closed;
  expect(sent).toBeLessThan(64 * 1024 * 1024);
});

it('says in a word why nobody could be reached, and never where', async () => {
  const { url } = sink;
  await sink.stop();
  const delivery = await deliver(json, { url: `${url}/T0/B0/secret`, secret: SECRET }, notification, options);
  expect(delivery).toEqual({ result: 'unreachable', why: 'ECONNREFUSED' });
  expect(inWords(delivery)).not.toMatch(/127|secret/);
  sink = await SinkServer.start();
});

it('survives a receiver that speaks no HTTP', async () => {
  const server = createServer((socket) =>
    socket
      .on('error', () => undefined)
      .resume()
      .end('220 mail ready\r\n'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const delivery = await deliver(json, { url: `http://127.0.0.1:${port}/`, secret: SECRET }, notification, options);
  expect(delivery).toMatchObject({ result: 'unreachable' });
  await new Promise((resolve) => server.close(resolve));
});

it('sends Slack a text, and signs it only where there is a secret', async () => {
  const slack = { format: 'slack', timeout: 2_000 } as const;
  await deliver(slack, { url: sink.url, secret: null }, notification, options);
  const { headers, body } = first();
  expect(headers['planwright-signature']).toBeUndefined();
  expect(Object.keys(JSON.parse(body))).toEqual(['text']);
});
