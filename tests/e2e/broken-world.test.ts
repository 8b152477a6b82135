/**
 * A world that was broken by hand or by circumstance: files of planwright edited, a disk full or closed, two first commands
 * at once. Each case says what is wrong, with the exit code of the contract, and can be put right.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlanView } from '../../plan/view';
import { type ModelServer, startModelServer } from '../support/model-server';
import { Installation } from './installation';
import { expectClear, graphText, KEY, node, type Refused, refusedBy } from './refusal';

let model: ModelServer;
let installation: Installation;

beforeAll(async () => {
  model = await startModelServer({ apiKey: KEY });
  installation = new Installation({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: model.url, PLANWRIGHT_MODEL: 'm' });
  await installation.ok(['init']);
});
afterAll(async () => {
  await installation.close();
  await model.close();
}, 60_000);

const inWorkspace = (path: string): string => join(installation.workspace, path);
const refused: Refused = (...given) => refusedBy(installation, ...given);

describe('files of planwright that somebody broke', () => {
  const planned = async (name: string): Promise<PlanView> => {
    writeFileSync(inWorkspace('graph.json'), graphText(node('1', 'dockerfile'), node('2', 'makefile')));
    await installation.ok(['plan', '--graph', 'graph.json', '--name', name]);
    return installation.view();
  };

  it.each([
    ['policy.yaml', 'version: 1\nmaxTask: 3\n', /policy\.yaml is not valid:\n\s+unknown key "maxTask"/],
    ['policy.yaml', 'version: 1\n x: ][', /policy\.yaml is not valid YAML/],
    ['config.yaml', 'version: 1\nprovidr: x\n', /config\.yaml is not valid:\n\s+unknown key "providr"/],
    ['config.yaml', 'version: 1\nbaseUrl: https://evil.example\n', /baseUrl: not allowed in a workspace/],
    ['config.yaml', 'version: 2\n', /expected version: 1/],
  ])('%s with %j: exit 2, and no plan is made', async (name, text, says) => {
    const plans = JSON.parse((await installation.ok(['plan', 'list', '--json'])).stdout) as unknown[];
    writeFileSync(inWorkspace(`.planwright/${name}`), text);
    await refused(['plan', 'Add a Makefile'], 2, says);
    writeFileSync(inWorkspace(`.planwright/${name}`), 'version: 1\n');
    expect(JSON.parse((await installation.ok(['plan', 'list', '--json'])).stdout)).toHaveLength(plans.length);
  });

  it.each(['{"schema":"planwr', '{"schema":"planwright.plan/99","tasks":{}}'])(
    'T36 a plan file with %j: Temporal is asked instead, and without it the file is named',
    async (text) => {
      const { id } = await planned('broken-file');
      const path = inWorkspace(`.planwright/plans/${id}.json`);
      await sleep(1_200);
      writeFileSync(path, text);
      expect((await installation.ok(['plan', 'list'])).stdout).toContain(id);
      expect((await installation.ok(['plan', 'show', 'latest'])).stdout).toContain('ready');
      await installation.ok(['down']);
      // The worker may have written it anew in the meantime.
      writeFileSync(path, text);
      await refused(['plan', 'show', id], 3, new RegExp(`plan file .*${id}\\.json`));
      rmSync(path);
      await installation.ok(['up']);
    },
  );

  it('T36 an object edited by hand is never written: the task fails and names it, and a retry mends the store', async () => {
    const { id } = await planned('tampered');
    rmSync(inWorkspace('Makefile'), { force: true });
    expect((await installation.run(['apply', id])).code).toBe(8);
    const sha256 = (await installation.view(id)).tasks['1']?.files[0]?.sha256 ?? '';
    const object = inWorkspace(`.planwright/objects/${sha256.slice(0, 2)}/${sha256.slice(2)}`);
    rmSync(object);
    writeFileSync(object, 'FROM evil\n');
    await installation.ok(['approve', id, '--all']);
    const watched = await installation.run(['watch', id]);
    expect(watched.code).toBe(1);
    expect(watched.stderr).toContain(`Object ${sha256.slice(0, 12)} was changed after it was stored.`);
    expect(installation.files().Dockerfile).toBeUndefined();
    await installation.ok(['apply', id, '--resume', '--retry', '--yes']);
    expect(installation.files().Dockerfile).toContain('FROM node:20-slim');
    rmSync(inWorkspace('Dockerfile'));
  });

  it('a plan, task or gate that is not there: exit 2 with what there is', async () => {
    const { id } = await planned('known');
    for (const command of [
      ['apply', 'nope'],
      ['plan', 'show', 'nope'],
      ['approve', 'nope', '--all'],
      ['watch', 'nope'],
    ]) {
      await refused(command, 2, /There is no plan "nope" in this workspace/);
    }
    await refused(['apply', id, '--task', '99'], 2, /has no task "99"[\s\S]*1 {2}1 {2}dockerfile/);
    await refused(['decide', id, '--gate', 'gate-0000000000000000', 'approve'], 2, /Nothing of plan .* waits/);
    expect((await installation.run(['apply', id])).code).toBe(8);
    await refused(
      ['decide', id, '--gate', 'gate-0000000000000000', 'approve'],
      2,
      /No open gate matches[\s\S]*planwright approve/,
    );
  });

  it('a flag that the policy forbids: exit 5, also of --detach; once it is allowed, the next command goes on', async () => {
    writeFileSync(inWorkspace('.planwright/policy.yaml'), 'version: 1\nflags: { yes: false }\n');
    const { id } = await planned('no-yes');
    await refused(['apply', id, '--yes'], 5, /does not allow --yes/);
    await refused(['apply', id, '--yes', '--detach'], 5, /does not allow --yes/);
    writeFileSync(inWorkspace('.planwright/policy.yaml'), 'version: 1\n');
    await installation.ok(['apply', id, '--yes', '--dry-run']);
  });
});

/** A small file system of its own, or null where this user may not mount one. */
function smallDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'planwright-e2e-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=600k', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
}

describe('a disk that refuses', () => {
  const disk = smallDisk();
  /** One that no worker has a file open on. */
  const another = smallDisk();
  const onDisk = disk === null ? it.skip : it;
  afterAll(() => {
    for (const one of [disk, another]) {
      if (one === null) continue;
      execFileSync('umount', ['-l', one]);
      rmSync(one, { recursive: true });
    }
  });

  onDisk(
    'a full disk: the task fails after one call, says so, and leaves no temp file; with room a retry does it',
    async () => {
      const folder = disk ?? '';
      cpSync(join(installation.workspace, 'package.json'), join(folder, 'package.json'));
      writeFileSync(join(folder, 'graph.json'), graphText(node('1', 'makefile')));
      await installation.ok(['-C', folder, 'plan', '--graph', join(folder, 'graph.json')]);
      model.reply = () => ({
        content: {
          files: [{ path: 'Makefile', content: `.PHONY: all\nall:\n\ttrue\n${'# x\n'.repeat(60_000)}` }],
          summary: '',
        },
      });
      const from = model.calls.length;
      const failed = await installation.run(['-C', folder, 'apply', '--yes']);
      model.reply = undefined;
      expect(failed.code).toBe(1);
      expect(failed.stderr).toMatch(
        /failed: Could not write Makefile: ENOSPC\.\n\s+The disk is full.* no model is asked again\./,
      );
      expectClear(failed);
      expect(model.calls.length - from).toBe(1);
      expect(existsSync(join(folder, 'Makefile'))).toBe(false);
      expect(execFileSync('find', [folder, '-name', '*.tmp'], { encoding: 'utf8' })).toBe('');
      execFileSync('mount', ['-o', 'remount,size=4m', folder]);
      await installation.ok(['-C', folder, 'apply', '--resume', '--retry', '--yes']);
      expect(existsSync(join(folder, 'Makefile'))).toBe(true);
    },
  );

  onDisk(
    'a workspace that cannot be written: the path and the permission are named, and it is no bug of ours',
    async () => {
      const folder = another ?? '';
      execFileSync('mount', ['-o', 'remount,ro', folder]);
      await refused(
        ['-C', folder, 'init'],
        1,
        /\.planwright cannot be read or written \(EROFS\)\.\n\s+Check its permissions/,
      );
      await refused(['-C', folder, 'plan', 'Add a Makefile'], 1, /\.planwright cannot be read or written \(EROFS\)/);
    },
  );
});

it('two first commands at the same moment start one server and one worker, and both plans are made', async () => {
  const fresh = new Installation({ PLANWRIGHT_PROVIDER: 'template' });
  const made = await Promise.all(['a', 'b'].map((name) => fresh.run(['plan', 'Add a Makefile', '--name', name])));
  expect(made.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual([0, 0]);
  expect((await fresh.processes()).map(({ name }) => name).sort()).toEqual(['server', 'supervisor', 'worker']);
  const plans = JSON.parse((await fresh.ok(['plan', 'list', '--json'])).stdout) as { name: string }[];
  expect(plans.map(({ name }) => name).sort()).toEqual(['a', 'b']);
  await fresh.close();
});
