import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../plan/errors';
import { DEFAULT_ALLOWLIST } from '../../plan/paths';
import {
  DEFAULT_POLICY,
  DEFAULT_POLICY_YAML,
  loadPolicy,
  policyReader,
  policyShape,
  policySnapshot,
} from '../../store/policy';
import { parseYaml } from '../../store/yaml-file';

let folder: string;
let policy: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'planwright-policy-'));
  policy = join(folder, 'policy.yaml');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const load = (text: string) => {
  writeFileSync(policy, text);
  return loadPolicy({ policy });
};

describe('the reader of a long process', () => {
  it('sees a changed file at once, and a broken one too', async () => {
    const read = policyReader({ policy });
    expect(await read()).toEqual(DEFAULT_POLICY);
    writeFileSync(policy, 'version: 1\nmaxTasks: 7\n');
    const first = await read();
    expect(first.maxTasks).toBe(7);
    expect(await read()).toBe(first);
    writeFileSync(policy, 'version: 1\nmaxTasks: 8\n');
    expect((await read()).maxTasks).toBe(8);
    writeFileSync(policy, 'version: 1\nmaxTask: 8\n');
    await expect(read()).rejects.toThrow(UsageError);
    rmSync(policy);
    expect(await read()).toEqual(DEFAULT_POLICY);
  });
});

describe('policy.yaml', () => {
  it('may be missing: then the defaults hold', async () => {
    expect(await loadPolicy({ policy })).toEqual(DEFAULT_POLICY);
    expect(DEFAULT_POLICY).toEqual({
      version: 1,
      flags: { yes: true, force: true, 'allow-all-paths': true, 'skip-verify': true, 'allow-dirty': true },
      maxTasks: 200,
      onDecline: 'run',
      write: { allow: DEFAULT_ALLOWLIST },
      limits: { fileBytes: 1_048_576, filesPerTask: 50 },
      rules: [],
      deadlines: {},
      budgets: { plan: {}, task: {} },
      freeze: [],
    });
  });

  it('as init writes it says exactly the defaults, every key of them', async () => {
    expect(await load(DEFAULT_POLICY_YAML)).toEqual(DEFAULT_POLICY);
    const written = parseYaml(DEFAULT_POLICY_YAML, policy, policyShape);
    expect(written.write.allow).toEqual(DEFAULT_ALLOWLIST);
    for (const key of [
      ...Object.keys(DEFAULT_POLICY),
      ...Object.keys(DEFAULT_POLICY.limits),
      ...Object.keys(DEFAULT_POLICY.flags),
    ]) {
      expect(DEFAULT_POLICY_YAML).toMatch(new RegExp(`^ *${key}:`, 'm'));
    }
  });

  it('may say a part, and keeps the defaults for the rest', async () => {
    const { flags, limits, maxTasks } = await load('version: 1\nflags:\n  yes: false\nlimits:\n  fileBytes: 5\n');
    expect(flags).toEqual({ ...DEFAULT_POLICY.flags, yes: false });
    expect(limits).toEqual({ ...DEFAULT_POLICY.limits, fileBytes: 5 });
    expect(maxTasks).toBe(200);
  });

  it.each([
    ['version: 1\nflag: {}\n', 'unknown key "flag" at the top level'],
    ['version: 1\nflags:\n  allow_dirty: true\n', 'unknown key "allow_dirty" under flags'],
    ['version: 1\nmaxTasks: 10001\n', 'maxTasks: '],
    ['version: 1\nmaxTasks: "many"\n', 'maxTasks: '],
    ['version: 1\nonDecline: stop\n', 'onDecline: '],
    ['version: 1\nflags:\n  yes: "no"\n', 'flags.yes: '],
    ['version: 1\nwrite:\n  allow: ["../x"]\n', 'write.allow.0: a pattern is relative'],
    ['version: 1\nwrite:\n  allow: ["!x"]\n', 'write.allow.0: a pattern is relative'],
    ['version: 2\n', 'version: expected version: 1'],
    ['maxTasks: 3\n', 'version: expected version: 1'],
    ['', 'the file: '],
    ['version: 1\nversion: 1\n', 'not valid YAML'],
    ['version: 1\nmaxTasks: 3\nmaxTasks: 4\n', 'not valid YAML'],
    ['version: [1\n', 'not valid YAML'],
    ['version: !!js/function 1\n', 'not valid'],
    ['version: 1\n__proto__: {}\n', 'unknown key "__proto__"'],
    [`a: &a [x]\nb: [${'*a, '.repeat(40)}]\n`, 'too many YAML aliases'],
    [`# ${'x'.repeat(300_000)}\n`, 'larger than 256 KiB'],
  ])('refuses %j', async (text, fault) => {
    await expect(load(text)).rejects.toThrow(UsageError);
    await expect(load(text)).rejects.toThrow(fault);
    await expect(load(text)).rejects.toThrow(policy);
  });

  it('a file that cannot be read is an error, never the defaults', async () => {
    await expect(loadPolicy({ policy: folder })).rejects.toThrow(/cannot be read: it is no regular file/);
  });

  it('a link in its place is refused, and a pipe does not hold anybody up', async () => {
    writeFileSync(join(folder, 'elsewhere.yaml'), 'version: 1\n');
    symlinkSync(join(folder, 'elsewhere.yaml'), policy);
    await expect(loadPolicy({ policy })).rejects.toThrow(/it is a symbolic link/);
    await expect(policyReader({ policy })()).rejects.toThrow(/it is a symbolic link/);
    rmSync(policy);
    symlinkSync(join(folder, 'nowhere.yaml'), policy);
    await expect(loadPolicy({ policy })).rejects.toThrow(/it is a symbolic link/);
    rmSync(policy);
    execFileSync('mkfifo', [policy]);
    await expect(loadPolicy({ policy })).rejects.toThrow(/it is no regular file/);
  });
});

describe('the snapshot for the workflow', () => {
  it('names the flags that may be used, and has a digest of all of it', async () => {
    const all = policySnapshot(DEFAULT_POLICY);
    expect(all).toMatchObject({
      maxTasks: 200,
      onDecline: 'run',
      flags: ['yes', 'force', 'allow-all-paths', 'skip-verify', 'allow-dirty'],
    });
    const some = policySnapshot(await load('version: 1\nflags: { force: false }\n'));
    expect(some.flags).not.toContain('force');
    expect(some.digest).not.toBe(all.digest);
    expect(policySnapshot(await load(DEFAULT_POLICY_YAML)).digest).toBe(all.digest);
  });
});

it('with approvers lets nobody decide by a flag, whatever it says of flags', () => {
  const key = `ed25519:${Buffer.alloc(32, 7).toString('base64')}`;
  const named = policyShape.parse({ version: 1, flags: { yes: true }, approvers: [{ name: 'ana', key }] });
  expect(policySnapshot(named)).toMatchObject({
    flags: ['allow-all-paths', 'skip-verify', 'allow-dirty'],
    approvers: [{ name: 'ana', key }],
  });
  expect(policySnapshot(DEFAULT_POLICY).flags).toContain('yes');
  expect(policySnapshot(DEFAULT_POLICY)).not.toHaveProperty('approvers');
});

it('with approvers refuses a rule that asks somebody without a key: the gate would wait for ever', () => {
  const key = `ed25519:${Buffer.alloc(32, 7).toString('base64')}`;
  const withRule = (rule: object) =>
    policyShape.parse({ version: 1, approvers: [{ name: 'ana', key }], rules: [{ name: 'all', ...rule }] });
  expect(() => withRule({ by: ['Ana'] })).not.toThrow();
  expect(() => withRule({ by: ['ana', 'ben'] })).toThrow(/asks ben, who has no key/);
  expect(() => withRule({ escalate: { after: '1h', to: ['lea'] } })).toThrow(/asks lea, who has no key/);
});
