import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const repository = resolve(__dirname, '../..');
let folder: string;

const launch = (...args: string[]) =>
  spawnSync(process.execPath, [join(folder, 'bin/planwright.js'), ...args], { encoding: 'utf8', timeout: 20_000 });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'planwright-launcher-'));
  cpSync(join(repository, 'bin'), join(folder, 'bin'), { recursive: true });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a clone that was never built says what to type, and fails', () => {
  const { status, stdout, stderr } = launch('--help');
  expect(status).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain('npm install && npm run build');
});

it('a built clone hands the arguments to the command line as they came', () => {
  mkdirSync(join(folder, 'dist/client/cli'), { recursive: true });
  writeFileSync(
    join(folder, 'dist/client/cli/main.js'),
    'process.stdout.write(JSON.stringify(process.argv.slice(2))); process.exitCode = 8;',
  );
  const { status, stdout } = launch('plan', 'a goal with spaces', '--yes');
  expect(JSON.parse(stdout)).toEqual(['plan', 'a goal with spaces', '--yes']);
  expect(status).toBe(8);
});

it('the example service passes its own tests', () => {
  const { status, stdout } = spawnSync(process.execPath, ['--test'], {
    cwd: join(repository, 'examples/node-service'),
    encoding: 'utf8',
    timeout: 30_000,
    // Without this variable of the test runner above, node reports to it instead of to a reader.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  expect(stdout).toMatch(/(#|ℹ) fail 0/);
  expect(status).toBe(0);
});
