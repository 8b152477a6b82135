import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPayloadConverter } from '@temporalio/common';
import { UsageError } from '../../plan/errors';
import { codecsOf } from '../../store/codec/codecs';
import { type KeyRing, newKey } from '../../store/codec/keys';
import type { PlainPayload } from '../../store/large-payloads';
import { codecServer, serverToken } from '../../worker/codec-server';

const keys: KeyRing = [newKey(new Date(0))];
const TOKEN = 'a-token-that-is-long-enough';
const UI = 'http://localhost:8233';
const PLAN = { namespace: 'planwright', workflowId: 'plan-00000001' };

const json = ({ metadata, data }: PlainPayload): object => ({
  metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([k, v]) => [k, Buffer.from(v).toString('base64')])),
  data: Buffer.from(data ?? []).toString('base64'),
});

async function sealed(value: unknown, context = PLAN): Promise<PlainPayload> {
  let payloads: PlainPayload[] = [defaultPayloadConverter.toPayload(value) ?? {}];
  for (const codec of codecsOf(keys, context.namespace)) payloads = await codec.encode(payloads, context);
  return payloads[0] ?? {};
}

describe('the codec server', () => {
  const lines: string[] = [];
  let url = '';
  let close = async (): Promise<void> => undefined;

  beforeAll(async () => {
    const log = { info: (fields: object) => void lines.push(JSON.stringify(fields)) };
    const server = await codecServer({
      ...{ host: '127.0.0.1', port: 0, keys, token: TOKEN, origins: [UI], namespaces: ['planwright'], log },
    });
    ({ url, close } = server);
  });
  afterAll(() => close());

  const ask = (verb: string, body: unknown, headers: Record<string, string> = {}, method = 'POST') =>
    fetch(`${url}/${verb}`, {
      method,
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${TOKEN}`,
        'x-namespace': 'planwright',
        ...headers,
      },
      ...(method === 'POST' ? { body: typeof body === 'string' ? body : JSON.stringify(body) } : {}),
    });

  it('opens what is sealed, leaves the rest as it is, and logs neither', async () => {
    const plain = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"keyword"') };
    const foreign = await sealed('other', { ...PLAN, namespace: 'elsewhere' });
    const response = await ask('decode', { payloads: [json(await sealed('canary')), json(plain), json(foreign)] });
    expect(response.status).toBe(200);
    const { payloads } = (await response.json()) as { payloads: { data: string }[] };
    expect(payloads.map(({ data }) => Buffer.from(data, 'base64').toString('latin1')).slice(0, 2)).toEqual([
      '"canary"',
      '"keyword"',
    ]);
    expect(payloads[2]).toEqual(json(foreign));
    expect(lines.join('')).not.toMatch(/canary|keyword|a-token/);
    expect(lines.at(-1)).toContain('"payloads":3');
  });

  it('seals for a plan that is named, so that workers take it, and for none otherwise', async () => {
    const plain = json({ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"gate":"g"}') });
    expect((await ask('encode', { payloads: [plain] })).status).toBe(400);
    const response = await ask('encode', { payloads: [plain] }, { 'x-planwright-workflow': PLAN.workflowId });
    const { payloads } = (await response.json()) as { payloads: { metadata: Record<string, string>; data: string }[] };
    const [one] = payloads;
    const payload: PlainPayload = {
      metadata: Object.fromEntries(
        Object.entries(one?.metadata ?? {}).map(([name, value]) => [name, Buffer.from(value, 'base64')]),
      ),
      data: Buffer.from(one?.data ?? '', 'base64'),
    };
    const [opened] = (await codecsOf(keys, 'planwright')[1]?.decode([payload], PLAN)) ?? [];
    expect(Buffer.from(opened?.data ?? []).toString()).toBe('{"gate":"g"}');
  });

  it.each([
    ['no token', 401, { authorization: '' }],
    ['another token', 401, { authorization: `Bearer ${TOKEN}x` }],
    ['no namespace', 400, { 'x-namespace': '' }],
    ['another namespace', 403, { 'x-namespace': 'elsewhere' }],
    ['a page of another origin', 403, { origin: 'http://evil.example' }],
    ['another type', 415, { 'content-type': 'text/plain' }],
  ])('refuses %s with %i', async (_, status, headers) => {
    const response = await ask('decode', { payloads: [json(await sealed('canary'))] }, headers);
    expect(response.status).toBe(status);
    expect(await response.text()).not.toContain('canary');
  });

  it.each([
    ['no JSON', 400, '{'],
    ['another shape', 400, { payloads: 'x' }],
    ['too many', 400, { payloads: Array.from({ length: 5_001 }, () => ({})) }],
    ['too much', 413, `{"payloads":[{"data":"${'A'.repeat(17 * 1024 * 1024)}"}]}`],
  ])('refuses %s with %i', async (_, status, body) => {
    expect((await ask('decode', body)).status).toBe(status);
  });

  it('tells the browser that the UI may ask, and no other page', async () => {
    const asked = await ask('decode', null, { origin: UI, 'access-control-request-method': 'POST' }, 'OPTIONS');
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, UI]);
    const other = await ask('decode', null, { origin: 'http://evil.example' }, 'OPTIONS');
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  it('has no other doors', async () => {
    expect((await ask('', null, {}, 'GET')).status).toBe(404);
    expect((await ask('keys', {})).status).toBe(404);
  });
});

describe('its token', () => {
  const folder = mkdtempSync(join(tmpdir(), 'planwright-token-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const on = (host: string, noAuth = false, tokenFile: string | null = null) => ({ host, noAuth, tokenFile });

  it('comes from a file or a variable', () => {
    const file = join(folder, 'token');
    writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 });
    expect(serverToken({}, null, on('0.0.0.0', false, file))).toBe(TOKEN);
    expect(serverToken({ PLANWRIGHT_CODEC_TOKEN: TOKEN }, null, on('127.0.0.1'))).toBe(TOKEN);
    expect(serverToken({}, null, on('127.0.0.1', true))).toBeNull();
  });

  it.each([
    ['none', {}, on('127.0.0.1'), /needs a token/],
    ['none is wanted beyond this machine', {}, on('0.0.0.0', true), /loopback/],
    ['none is wanted on a name that only begins like loopback', {}, on('127.evil.example', true), /loopback/],
    ['it is short', { PLANWRIGHT_CODEC_TOKEN: 'short' }, on('127.0.0.1'), /shorter/],
    ['there is one and none is wanted', { PLANWRIGHT_CODEC_TOKEN: TOKEN }, on('127.0.0.1', true), /both/],
  ])('is missed where %s', (_, env, how, why) => {
    expect(() => serverToken(env, null, how)).toThrow(UsageError);
    expect(() => serverToken(env, null, how)).toThrow(why);
  });

  it('is nothing without keys', async () => {
    const options = { host: '127.0.0.1', port: 0, keys: null, token: TOKEN, origins: [], namespaces: [] };
    await expect(codecServer(options)).rejects.toThrow(/no keys/);
  });
});
