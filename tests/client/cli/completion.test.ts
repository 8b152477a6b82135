import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REGISTRY } from '../../../client/cli/registry';
import { world } from './world';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'planwright-completion-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function script(shell: string): Promise<string> {
  const w = world();
  expect(await w.run('completion', shell)).toBe(0);
  return w.stdout.text;
}

/** What bash would offer for these words; the last is the one under the cursor. */
async function offered(words: string[], names: string[] = []): Promise<string[]> {
  const plans = names.map((name, at) => ({ id: `plan-0000000${at}`, name, goal: '"name": "no"', tasks: { total: 1 } }));
  writeFileSync(join(folder, 'plans.json'), JSON.stringify(plans, null, 2));
  writeFileSync(join(folder, 'script'), await script('bash'));
  const program = `set -eu
planwright() { printf '%s\\n' "$*" >> asked; cat plans.json; }
source ./script
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_planwright
printf '%s\\n' "\${COMPREPLY[@]:-}"`;
  const out = execFileSync('bash', ['-c', program, 'bash', 'planwright', ...words], { cwd: folder, encoding: 'utf8' });
  return out.split('\n').filter((line) => line !== '');
}

describe('completion in bash', () => {
  it('offers every command of the registry', async () => {
    const top = REGISTRY.map(({ path }) => path).filter((path) => !path.includes(' '));
    expect(await offered([''])).toEqual(top);
    expect(await offered(['hist'])).toEqual(['history']);
    const verbs = REGISTRY.flatMap(({ path }) => (path.startsWith('history ') ? [path.slice('history '.length)] : []));
    expect(verbs).toContain('verify');
    expect(await offered(['history', ''])).toEqual(verbs);
  });

  it("offers a command's options and the global ones", async () => {
    expect(await offered(['plan', 'show', '--'])).toEqual(expect.arrayContaining(['--task', '--raw', '--json']));
    expect(await offered(['apply', '--dry'])).toEqual(['--dry-run']);
    expect(await offered(['completion', ''])).toEqual(['bash', 'zsh', 'fish']);
  });

  it('offers the plans of the workspace at the time, by id and name', async () => {
    expect(await offered(['plan', 'show', ''], ['release'])).toEqual(['latest', 'plan-00000000', 'release']);
    expect(await offered(['-C', 'there', 'apply', '--yes', 'rel'], ['release'])).toEqual(['release']);
  });

  it('offers none after an option that takes a word, nor a second plan', async () => {
    expect(await offered(['apply', '--timeout', ''], ['release'])).toEqual([]);
    expect(await offered(['apply', 'release', ''], ['release'])).toEqual([]);
  });

  it('never runs what a plan is named', async () => {
    const names = ['$(touch hacked)', '`touch hacked`', 'a;touch hacked', 'fine'];
    expect(await offered(['watch', ''], names)).toEqual(expect.arrayContaining(['latest', 'fine']));
    expect((await offered(['watch', ''], names)).some((word) => word.includes('hacked'))).toBe(false);
    expect(existsSync(join(folder, 'hacked'))).toBe(false);
  });
});

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

/** What zsh would offer: its completion functions run on a terminal only, so the one that lists candidates is called in a zsh. */
function offeredByZsh(words: string[]): string[] {
  const program = `emulate -R zsh
compdef() { :; }
planwright() { cat plans.json; }
source ./script
local_found=()
compadd() { shift; for name in "$@"; do local_found+=("\${(@P)name}"); done; }
_files() { :; }
words=(planwright "$@"); CURRENT=$#words
_planwright
for word in $local_found; do [[ $word == "\${words[CURRENT]}"* ]] && print -r -- "$word"; done; true`;
  const out = execFileSync('zsh', ['-f', '-c', program, 'zsh', ...words], { cwd: folder, encoding: 'utf8' });
  return out.split('\n').filter((line) => line !== '');
}

/** What fish would offer, by its own `complete -C`. */
function offeredByFish(words: string[]): string[] {
  const program = `function planwright; cat plans.json; end; source ./script; complete -C "$argv"`;
  const line = ['planwright', ...words].join(' ');
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder, XDG_CACHE_HOME: folder };
  const out = execFileSync('fish', ['--no-config', '-c', program, line], { cwd: folder, env, encoding: 'utf8' });
  return out
    .split('\n')
    .map((one) => one.split('\t')[0] ?? '')
    .filter((one) => one !== '');
}

const SHELLS = { zsh: offeredByZsh, fish: offeredByFish };

describe.each(Object.entries(SHELLS))('completion in %s', (shell, complete) => {
  const inShell = has(shell) ? it : it.skip;
  const asked = async (words: string[], names: string[] = []): Promise<string[]> => {
    const plans = names.map((name, at) => ({ id: `plan-0000000${at}`, name, goal: '"name": "no"' }));
    writeFileSync(join(folder, 'plans.json'), JSON.stringify(plans, null, 2));
    writeFileSync(join(folder, 'script'), await script(shell));
    return complete(words);
  };

  inShell(`offers commands, and what follows them (needs ${shell})`, async () => {
    const top = REGISTRY.map(({ path }) => path).filter((path) => !path.includes(' '));
    expect((await asked([''])).sort()).toEqual([...top].sort());
    expect(await asked(['hist'])).toEqual(['history']);
    expect((await asked(['history', ''])).sort()).toEqual(
      'audit check export list prove repair show verify'.split(' '),
    );
  });

  inShell(`offers a command's options and the global ones (needs ${shell})`, async () => {
    expect(await asked(['apply', '--dry'])).toEqual(['--dry-run']);
    expect(await asked(['plan', 'show', '--'])).toEqual(expect.arrayContaining(['--task', '--raw', '--json']));
  });

  inShell(`offers the plans of the workspace, and never runs what one is named (needs ${shell})`, async () => {
    const names = ['release', '$(touch hacked)', '(touch hacked)', '`touch hacked`', 'a;touch hacked'];
    const found = await asked(['plan', 'show', ''], names);
    expect(found).toEqual(expect.arrayContaining(['latest', 'plan-00000000', 'release']));
    expect(found.some((word) => word.includes('hacked'))).toBe(false);
    expect(existsSync(join(folder, 'hacked'))).toBe(false);
  });

  inShell(`offers no plan after an option that takes a word (needs ${shell})`, async () => {
    expect(await asked(['apply', '--timeout', ''], ['release'])).not.toContain('release');
  });
});

describe('completion in other shells', () => {
  it.each(['zsh', 'fish'])('for %s names every command', async (shell) => {
    const text = await script(shell);
    for (const { path } of REGISTRY) expect(text).toMatch(new RegExp(`\\b${path.split(' ').at(-1)}\\b`));
    expect(text).toContain('plan list --json');
  });

  it('for any other exits 2', async () => {
    const w = world();
    expect(await w.run('completion', 'tcsh')).toBe(2);
    expect(w.stderr.text).toContain('bash, zsh, fish');
  });
});
