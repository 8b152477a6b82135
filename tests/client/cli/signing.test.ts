import { createPublicKey, verify } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import { newSigner } from '../../support/signing';
import { SinkServer } from '../../support/sink-server';
import { atGate, dockerfile } from './views';
import { FakeClient, world } from './world';

let home: string;
let project: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'planwright-keys-')));
  project = join(home, 'project');
  mkdirSync(join(project, '.planwright'), { recursive: true });
  writeFileSync(join(project, '.planwright/config.yaml'), 'version: 1\n');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const policy = (text: string): void => writeFileSync(join(project, '.planwright/policy.yaml'), `version: 1\n${text}`);
const ana = newSigner('ana');
const keyFile = (mode = 0o600): string => {
  const path = join(home, 'ana.pem');
  writeFileSync(path, ana.privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode });
  return path;
};

describe('a decision with --key', () => {
  it('goes out in the name that the policy has for the key, signed over everything that it says', async () => {
    policy(`approvers:\n  - name: ana\n    key: "${ana.key}"\n`);
    const client = new FakeClient(atGate());
    const code = await world({ client, cwd: project }).run('approve', '--key', keyFile(), '--reason', 'read it');
    expect(code).toBe(0);
    const [decision] = client.decisions;
    expect(decision).toMatchObject({ gate: 'g-Dockerfile', by: 'ana', digest: dockerfile.digest, reason: 'read it' });
    const { nonce = '', expires = '', signature = '' } = decision?.signed ?? {};
    const covered = {
      v: 'planwright.decision/1',
      plan: 'plan-1a2b3c4d',
      gate: 'g-Dockerfile',
      digest: dockerfile.digest,
      decision: 'approve',
      value: null,
      reason: 'read it',
      by: 'ana',
      nonce,
      expires,
    };
    const text = Buffer.from(canonicalize(covered) ?? '');
    expect(verify(null, text, createPublicKey(ana.privateKey), Buffer.from(signature, 'base64'))).toBe(true);
    expect(expires).toBe('2026-01-01T00:20:00.000Z');
  });

  it('by decide covers the value as well, and --as is taken at its word', async () => {
    const client = new FakeClient(atGate());
    const run = world({ client, cwd: project }).run;
    expect(await run('decide', 'latest', '--gate', 'g-Dockerfile', 'reject', '--key', keyFile(), '--as', 'ben')).toBe(
      0,
    );
    expect(client.decisions[0]).toMatchObject({ by: 'ben', signed: { nonce: expect.any(String) } });
  });

  it('is not sent where the key can be read by others, lies in the workspace, or is none', async () => {
    const inside = join(project, 'ana.pem');
    writeFileSync(inside, ana.privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
    for (const [path, why] of [
      [keyFile(0o644), 'chmod 600'],
      [inside, 'lies in the workspace'],
      [join(home, 'none'), 'ENOENT'],
    ] as const) {
      const client = new FakeClient(atGate());
      const w = world({ client, cwd: project });
      expect(await w.run('approve', '--key', path)).toBe(2);
      expect(w.stderr.text).toContain(why);
      expect(client.decisions).toEqual([]);
    }
  });
});

describe('approvers', () => {
  it('new makes a key, prints what the policy needs, and show says the same again', async () => {
    const path = join(home, 'new.pem');
    const made = world({ cwd: project });
    expect(await made.run('approvers', 'new', 'ana', '--key', path)).toBe(0);
    policy(made.stdout.text);
    const shown = world({ cwd: project });
    expect(await shown.run('approvers', 'show', '--key', path, '--json')).toBe(0);
    expect(JSON.parse(shown.stdout.text)).toMatchObject({ name: 'ana', known: true });
    const again = world({ cwd: project });
    expect(await again.run('approvers', 'new', 'ana', '--key', path)).toBe(2);
    expect(again.stderr.text).toContain('is there already');
  });

  it.each([
    [
      'the same name twice',
      `  - { name: ana, key: "${ana.key}" }\n  - { name: Ana, key: "${newSigner('x').key}" }`,
      'name',
    ],
    ['the same key twice', `  - { name: ana, key: "${ana.key}" }\n  - { name: ben, key: "${ana.key}" }`, 'key'],
    ['no key', '  - { name: ana }', 'key'],
    ['another kind of key', '  - { name: ana, key: "rsa:AAAA" }', 'ed25519:'],
    ['nobody', '  []', 'approvers'],
  ])('in the policy with %s is an error', async (_what, text, word) => {
    policy(`approvers:\n${text}\n`);
    const w = world({ cwd: project });
    expect(await w.run('approvers', 'show', '--key', keyFile())).toBe(2);
    expect(w.stderr.text).toContain('is not valid');
    expect(w.stderr.text).toContain(word);
  });
});

describe('notify test', () => {
  it('says of each sink what it answered, and exits 1 where one did not take it', async () => {
    const [good, bad] = [await SinkServer.start(), await SinkServer.start()];
    bad.answer = (response) => response.writeHead(500).end();
    policy(
      `notify:\n  - { name: good, url: "${good.url}", secretEnv: S }\n  - { name: bad, url: "${bad.url}", format: slack }\n` +
        '  - { name: unset, url: "https://example.invalid/x", secretEnv: NOT_SET }\n',
    );
    const env = { S: 'a secret of sixteen' };
    const all = world({ cwd: project, env });
    expect(await all.run('notify', 'test')).toBe(1);
    expect(all.stdout.text.split('\n')).toEqual([
      '✓ good: it answered 204',
      '✗ bad: it answered 500',
      '✗ unset: The secret of sink "unset" is expected in NOT_SET, which is not set here.',
      '',
    ]);
    const one = world({ cwd: project, env });
    expect(await one.run('notify', 'test', 'good')).toBe(0);
    expect(good.received.map(({ headers }) => headers['planwright-event'])).toEqual([
      'notification.test',
      'notification.test',
    ]);
    expect(await world({ cwd: project, env }).run('notify', 'test', 'other')).toBe(2);
    await Promise.all([good.stop(), bad.stop()]);
  });

  it('exits 2 where the policy has none', async () => {
    expect(await world({ cwd: project }).run('notify', 'test')).toBe(2);
  });
});
