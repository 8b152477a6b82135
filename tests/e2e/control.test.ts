/** A plan that waits for people by the policy's rules, on real processes that are killed while it waits. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Installation, useInstallation } from './installation';

const installation = useInstallation(() => new Installation());
const at = (path: string): string => join(installation().workspace, path);
const policy = (text: string): void => writeFileSync(at('.planwright/policy.yaml'), `version: 1\n${text}`);

/** kill -9 of everything, as of the machine; then it is started again. */
async function killAll(): Promise<void> {
  for (const name of ['supervisor', 'worker', 'server'] as const) await installation().kill(name);
  await installation().ok(['up']);
}

const TWO = `
flags: { allow-dirty: true }
rules:
  - { name: images, tools: [dockerfile], approvals: 2, by: [ana, ben, cem], expire: 7d }
`;

describe('a rule for two approvals', () => {
  let plan: string;

  beforeAll(async () => {
    await installation().ok(['init']);
    policy(TWO);
    await installation().ok(['plan', 'a Dockerfile']);
    plan = (await installation().view()).id;
  }, 120_000);

  it('is explained before anything runs', async () => {
    const { stdout } = await installation().ok(['policy', 'check']);
    expect(stdout).toContain('is valid: 1 rule');
    expect(stdout).toContain('the first of "images" that matches');
  });

  it('stops --yes and --force with exit code 8, and is listed', async () => {
    const { code, stderr } = await installation().run(['apply', '--yes', '--force', '--allow-dirty']);
    expect({ code, stderr }).toMatchObject({ code: 8 });
    expect(stderr).toContain('rule "images": 2 approvals by ana, ben, cem');
    expect((await installation().ok(['approvals'])).stdout).toMatch(/0\/2 +ana, ben, cem/);
    expect((await installation().ok(['plan', 'list'])).stdout).toMatch(/waiting for \d approvals since/);
    expect(existsSync(at('Dockerfile'))).toBe(false);
  });

  it('counts the first approval over kill -9 of everything, refuses a stranger, and writes after the second', async () => {
    const stranger = await installation().run(['approve', plan, '--all', '--as', 'mallory']);
    expect(stranger.code).toBe(5);
    expect(stranger.stderr).toContain('lets ana, ben, cem decide here; not mallory');
    const first = await installation().ok(['approve', plan, '--all', '--as', 'ana']);
    expect(first.stdout).toContain('(1 of 2 approvals)');
    await killAll();
    const view = await installation().view(plan);
    expect(view.status).toBe('waiting');
    expect(view.gates[0]?.votes).toMatchObject([{ by: 'ana', decision: 'approve' }]);
    await installation().ok(['pause', plan]);
    expect((await installation().run(['watch', plan])).code).toBe(8);
    await installation().ok(['approve', plan, '--all', '--as', 'ben']);
    await killAll();
    expect((await installation().view(plan)).status).toBe('paused');
    expect(existsSync(at('Dockerfile'))).toBe(false);
    await installation().ok(['unpause', plan]);
    expect((await installation().run(['watch', plan])).code).toBe(0);
    expect(existsSync(at('Dockerfile'))).toBe(true);
    const late = await installation().run([
      'decide',
      plan,
      'reject',
      '--gate',
      view.gates[0]?.gate ?? '',
      '--as',
      'cem',
    ]);
    expect(late.code).not.toBe(0);
  }, 240_000);
});

it('a policy that is not valid refuses a run, and never falls back to allow', async () => {
  policy(TWO.replace('dockerfile', 'docker-file'));
  const check = await installation().run(['policy', 'check']);
  expect(check.code).toBe(2);
  const { code, stderr } = await installation().run(['apply', '--task', '1', '--yes', '--allow-dirty']);
  expect({ code, stderr }).toMatchObject({ code: 5 });
  expect(stderr).toContain('rule "images" names the tool "docker-file", which does not exist');
}, 120_000);

it('a gate that nobody answers expires into a rejection: exit code 2, nothing written', async () => {
  policy('rules: [{ name: soon, expire: 2s }]\n');
  await installation().ok(['plan', 'a Makefile', '--name', 'soon']);
  const { code } = await installation().run(['apply', '--yes', '--allow-dirty', '--wait', '1m']);
  expect(code).toBe(2);
  const view = await installation().view();
  expect(view.tasks['1']).toMatchObject({ status: 'declined' });
  expect(view.tasks['1']?.decisions).toMatchObject([{ decision: 'expire', by: 'planwright' }]);
  expect(existsSync(at('Makefile'))).toBe(false);
}, 120_000);
