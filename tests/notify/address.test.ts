import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressOf } from '../../notify/address';
import { type Policy, policyShape, policySnapshot } from '../../store/policy';

const SECRET = 'c2VjcmV0IG9mIHRoZSBzaW5r';
let home: string;
let root: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'planwright-sinks-'));
  root = join(home, 'project');
  mkdirSync(root);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const policyWith = (...sinks: object[]): Policy => policyShape.parse({ version: 1, notify: sinks });
const sinkOf = (sink: object) => {
  const [one] = policyWith({ name: 'ops', ...sink }).notify ?? [];
  if (!one) throw new Error('no sink');
  return one;
};
const file = (name: string, content: string, mode = 0o600): string => {
  const path = join(home, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
};

it('takes address and secret from the policy, from variables, and from files of their owner', () => {
  file('url', 'https://example.org/T0/B0\n');
  const secretFile = file('secret', `${SECRET}\n`);
  const env = { HOME: home, OPS_URL: 'https://example.org/env', OPS_SECRET: SECRET };
  expect(addressOf(sinkOf({ url: 'https://example.org/x', secretEnv: 'OPS_SECRET' }), env, root)).toEqual({
    url: 'https://example.org/x',
    secret: SECRET,
  });
  expect(addressOf(sinkOf({ urlEnv: 'OPS_URL', secretFile }), env, root).url).toBe('https://example.org/env');
  expect(addressOf(sinkOf({ urlFile: '~/url', format: 'slack' }), env, root)).toEqual({
    url: 'https://example.org/T0/B0',
    secret: null,
  });
});

it.each([
  [
    'a variable that is not set',
    { url: 'https://example.org', secretEnv: 'OPS_SECRET' },
    /OPS_SECRET, which is not set/,
  ],
  ['a short secret', { url: 'https://example.org', secretEnv: 'SHORT' }, /shorter than 16/],
  ['an address that is none', { urlEnv: 'SHORT', format: 'slack' }, /is no URL/],
  ['an address without TLS', { urlEnv: 'PLAIN', format: 'slack' }, /http URL of another machine/],
])('refuses %s, and does not repeat what it found', (_what, sink, why) => {
  const env = { SHORT: 'hunter2-short', PLAIN: 'http://example.org/hunter2' };
  const look = (): unknown => addressOf(sinkOf(sink), env, root);
  expect(look).toThrow(why);
  expect(look).not.toThrow(/hunter2/);
});

it('refuses a secret that others can read, or that lies in the workspace', () => {
  const open = file('secret', SECRET, 0o644);
  expect(() => addressOf(sinkOf({ url: 'https://example.org', secretFile: open }), {}, root)).toThrow(
    /read or written by others/,
  );
  const inside = join(root, 'secret');
  writeFileSync(inside, SECRET, { mode: 0o600 });
  expect(() => addressOf(sinkOf({ url: 'https://example.org', secretFile: inside }), {}, root)).toThrow(
    /lies in the workspace/,
  );
});

describe('notify in the policy', () => {
  it.each([
    ['no address', { secretEnv: 'S' }, /exactly one of url, urlEnv and urlFile/],
    ['two addresses', { url: 'https://example.org', urlEnv: 'U', secretEnv: 'S' }, /exactly one of/],
    [
      'two secrets',
      { url: 'https://example.org', secretEnv: 'S', secretFile: '/s' },
      /one of secretEnv and secretFile/,
    ],
    ['JSON without a secret', { url: 'https://example.org' }, /format json has secretEnv or secretFile/],
    ['http to elsewhere', { url: 'http://example.org', secretEnv: 'S' }, /http URL of another machine/],
    ['another scheme', { url: 'file:///etc/passwd', secretEnv: 'S' }, /no https URL/],
    ['a password in the address', { url: 'https://a:b@example.org', secretEnv: 'S' }, /user name or password/],
    ['an unknown event', { url: 'https://example.org', secretEnv: 'S', events: ['gate.open'] }, /events/],
    ['an unknown key', { url: 'https://example.org', secretEnv: 'S', retries: 3 }, /retries/],
    ['a wrong duration', { url: 'https://example.org', secretEnv: 'S', timeout: '10' }, /no duration/],
    [
      'an attempt of an hour',
      { url: 'https://example.org', secretEnv: 'S', timeout: '1h' },
      /no duration of up to 60 s/,
    ],
  ])('with %s is an error', (_what, sink, why) => {
    expect(() => policyWith({ name: 'ops', ...sink })).toThrow(why);
  });

  it('lets http pass to this machine, and elsewhere where the sink says so', () => {
    for (const url of ['http://localhost:1/x', 'http://127.0.0.1/x', 'http://[::1]:8/x']) {
      expect(policyWith({ name: 'ops', url, secretEnv: 'S' }).notify).toHaveLength(1);
    }
    expect(policyWith({ name: 'ops', url: 'http://hooks/x', secretEnv: 'S', allowHttp: true }).notify).toHaveLength(1);
  });

  it('refuses two sinks of one name', () => {
    const sink = { name: 'ops', url: 'https://example.org', secretEnv: 'S' };
    expect(() => policyWith(sink, sink)).toThrow(/same name/);
  });

  it('tells the workflow names, events and times, and no address', () => {
    const policy = policyWith({ name: 'ops', url: 'https://example.org/hush', secretEnv: 'HUSH', giveUpAfter: '2h' });
    const { notify } = policySnapshot(policy);
    expect(notify).toMatchObject([{ sink: 'ops', timeoutMs: 10_000, giveUpMs: 7_200_000 }]);
    expect(notify?.[0]?.events).not.toContain('gate.withdrawn');
    expect(JSON.stringify(notify)).not.toMatch(/hush/i);
  });
});
