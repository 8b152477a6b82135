import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realRooms } from '../../../client/cli/rooms';
import { DEFAULT_CONFIG_YAML, initWorkspace } from '../../../store/init';
import { workspaceLayout } from '../../../store/layout';
import { startModelServer } from '../../support/model-server';
import { world } from './world';

let folder: string;
let env: NodeJS.ProcessEnv;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'planwright-config-'));
  mkdirSync(join(folder, 'ws'));
  env = { PLANWRIGHT_HOME: join(folder, 'home') };
  await initWorkspace(workspaceLayout(join(folder, 'ws')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const workspaceFile = () => join(folder, 'ws', '.planwright', 'config.yaml');
const userFile = () => join(folder, 'home', 'config', 'config.yaml');
async function type(argv: string[], over: NodeJS.ProcessEnv = {}) {
  const cwd = join(folder, 'ws');
  const w = world({ cwd, env: { ...env, ...over }, rooms: { settings: realRooms.settings } });
  const code = await w.run(...argv);
  return { code, stdout: w.stdout.text, stderr: w.stderr.text };
}
const json = async (...argv: string[]) => JSON.parse((await type([...argv, '--json'])).stdout);

function keyFile(name = 'openai.key', mode = 0o600, content = 'sk-canary\n'): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

describe('planwright config', () => {
  it('set keeps every comment, and get tells the value with its source', async () => {
    expect(await type(['config', 'set', 'temperature', '0.7'])).toMatchObject({ code: 0 });
    const text = readFileSync(workspaceFile(), 'utf8');
    for (const line of DEFAULT_CONFIG_YAML.split('\n').filter((one) => one.startsWith('#')))
      expect(text).toContain(line);
    expect(await json('config', 'get', 'temperature')).toEqual({
      key: 'temperature',
      value: 0.7,
      source: '.planwright/config.yaml',
    });
    expect((await type(['config', 'get'])).stdout).toMatch(/temperature +0\.7 +\.planwright\/config\.yaml/);
  });

  it('set --user writes the own file, which the workspace goes before', async () => {
    await type(['config', 'set', 'baseUrl', 'http://127.0.0.1:1/v1', '--user']);
    await type(['config', 'set', 'temperature', '1', '--user']);
    expect(await json('config', 'get', 'baseUrl')).toMatchObject({
      value: 'http://127.0.0.1:1/v1',
      source: userFile(),
    });
    expect(await json('config', 'get', 'temperature')).toMatchObject({ value: 1, source: userFile() });
    await type(['config', 'set', 'temperature', '0']);
    expect(await json('config', 'get', 'temperature')).toMatchObject({ value: 0 });
  });

  it.each([
    [['get', 'modle'], 'There is no setting "modle"'],
    [['set', 'modle', 'x'], 'There is no setting "modle"'],
    [['set', 'toString', 'x'], 'There is no setting'],
    [['set', 'keyFile', '/x', '--user'], 'provider add openai --key-file'],
    [['set', 'provider', 'opnai'], 'There is no provider "opnai"'],
    [['set', 'temperature', 'warm'], 'a number from 0 to 2'],
    [['set', 'temperature', '3'], 'a number from 0 to 2'],
    [['set', 'model', ' '], 'empty'],
    [['set', 'model', 'x'.repeat(2001)], 'model'],
    [['set', 'baseUrl', 'https://host/v1'], 'not allowed in a workspace'],
    [['set', 'baseUrl', 'ftp://host', '--user'], 'not an http or https URL'],
  ])('%j exits 2 and changes nothing', async (argv, message) => {
    const { code, stderr } = await type(['config', ...argv]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(readFileSync(workspaceFile(), 'utf8')).toBe(DEFAULT_CONFIG_YAML);
  });

  it('set in a folder that is no workspace names init', async () => {
    rmSync(join(folder, 'ws', '.planwright'), { recursive: true });
    const { code, stderr } = await type(['config', 'set', 'model', 'x']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('planwright init')]);
  });

  it('set replaces a link in the workspace and leaves what it leads to', async () => {
    const other = join(folder, 'other.yaml');
    writeFileSync(other, 'version: 1\n');
    rmSync(workspaceFile());
    symlinkSync(other, workspaceFile());
    await type(['config', 'set', 'model', 'm']);
    expect(readFileSync(other, 'utf8')).toBe('version: 1\n');
  });
});

describe('planwright provider', () => {
  it('add refuses to call openai added while there is no key', async () => {
    const { code, stderr } = await type(['provider', 'add', 'openai']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--key-file FILE')]);
    expect((await type(['provider', 'add', 'openai'], { OPENAI_API_KEY: 'sk-canary' })).code).toBe(0);
  });

  it('add --key-file records the file and never the key; openai is in force then', async () => {
    const path = keyFile();
    const added = await type(['provider', 'add', 'openai', '--key-file', '../openai.key']);
    expect(added.code).toBe(0);
    expect(readFileSync(userFile(), 'utf8')).toContain(`keyFile: ${path}`);
    expect(added.stdout + added.stderr + readFileSync(userFile(), 'utf8')).not.toContain('canary');
    expect(await json('provider', 'list')).toMatchObject({
      inForce: 'openai',
      why: 'your config names a key file',
      providers: [{ name: 'openai', inForce: true, key: { present: true, source: 'keyFile', file: path } }, {}],
    });
  });

  it.each([
    ['that the group can read', () => keyFile('k', 0o640), 'mode 0640'],
    ['that anybody can read', () => keyFile('k', 0o604), 'mode 0604'],
    ['inside the workspace', () => keyFile('ws/k'), 'lies in the workspace'],
    ['that is not there', () => join(folder, 'none'), 'ENOENT'],
    ['that is a folder', () => join(folder, 'home'), 'regular file'],
    ['that is empty', () => keyFile('k', 0o600, '\n'), 'does not hold a key'],
    [
      'that is a link into the workspace',
      () => {
        symlinkSync(keyFile('ws/k'), join(folder, 'link'));
        return join(folder, 'link');
      },
      'lies in the workspace',
    ],
  ])('add refuses a file %s', async (_what, make, message) => {
    mkdirSync(join(folder, 'home'));
    const { code, stderr } = await type(['provider', 'add', 'openai', '--key-file', make()]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(() => readFileSync(userFile())).toThrow('ENOENT');
  });

  it('list shows a key file that became unusable, instead of falling back to the template', async () => {
    const path = keyFile();
    await type(['provider', 'add', 'openai', '--key-file', path]);
    chmodSync(path, 0o644);
    const { code, stdout } = await type(['provider', 'list']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/openai +file unusable/);
    expect(stdout).toContain('mode 0644');
  });

  it('test asks one tiny question and says what worked; the key is never shown', async () => {
    const model = await startModelServer({ apiKey: 'sk-canary', seed: false });
    const at = { OPENAI_API_KEY: 'sk-canary', OPENAI_BASE_URL: model.url.replace('//', '//user:hush@') };
    try {
      const { code, stdout, stderr } = await type(['provider', 'test'], { ...at, OPENAI_BASE_URL: model.url });
      expect([code, stderr]).toEqual([0, expect.not.stringContaining('✗')]);
      expect(stdout).toContain('✓ key: from OPENAI_API_KEY, accepted');
      expect(stdout).toContain(`✓ openai at ${model.url} answered in`);
      expect(stdout).toContain('✓ its answer has the form that plans need');
      expect(stdout).toContain('! refuses a seed');
      expect(stdout + stderr).not.toContain('canary');
      expect(model.calls.length).toBeGreaterThan(0);
      expect((await type(['provider', 'test', '--json'], at)).stdout).not.toMatch(/canary|hush/);
    } finally {
      await model.close();
    }
  });

  it('test of a provider that refuses the key, or that is not there, exits 4 and names where the key is from', async () => {
    const model = await startModelServer({ apiKey: 'another' });
    try {
      await type(['provider', 'add', 'openai', '--key-file', keyFile()]);
      const refused = await type(['provider', 'test'], { OPENAI_BASE_URL: model.url });
      expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining(join(folder, 'openai.key'))]);
      expect(refused.stderr).not.toMatch(/canary|OPENAI_API_KEY/);
    } finally {
      await model.close();
    }
    const gone = await type(['provider', 'test', 'openai'], {
      OPENAI_API_KEY: 'sk-canary',
      OPENAI_BASE_URL: model.url,
    });
    expect([gone.code, gone.stderr]).toEqual([4, expect.stringContaining('cannot be reached')]);
  });

  it.each([
    ['openai', 2, 'needs a key'],
    ['claud', 2, 'There is no provider "claud"'],
  ])('test %s without what it needs exits %i', async (name, exit, message) => {
    const { code, stderr } = await type(['provider', 'test', name]);
    expect([code, stderr]).toEqual([exit, expect.stringContaining(message)]);
  });

  it('test of the template provider says that there is nobody to ask', async () => {
    expect(await type(['provider', 'test'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nobody to ask'),
    });
  });

  it('add describes a provider by name; list shows it without credentials, and test asks it with its own key', async () => {
    const model = await startModelServer({ apiKey: 'sk-canary' });
    try {
      const url = model.url.replace('//', '//me:hush@');
      const words = ['--key-env', 'TEAM_KEY', '--model', 'big', '--price-prompt', '1', '--price-completion', '2'];
      const added = await type(['provider', 'add', 'team', '--base-url', url, ...words]);
      expect([added.code, added.stderr]).toEqual([0, expect.stringContaining('set TEAM_KEY')]);
      expect(added.stdout).not.toContain('hush');
      expect(await json('provider', 'list')).toMatchObject({
        providers: [{ name: 'openai' }, { name: 'team', models: { executor: 'big' }, price: { prompt: 1 } }, {}],
      });
      await type(['provider', 'add', 'team', '--base-url', model.url]);
      const tested = await type(['provider', 'test', 'team'], { TEAM_KEY: 'sk-canary' });
      expect([tested.code, tested.stdout]).toEqual([0, expect.stringContaining('key: from TEAM_KEY, accepted')]);
      expect(model.calls.at(-1)?.body.model).toBe('big');
      expect((await type(['provider', 'test', 'team'])).code).toBe(2);
    } finally {
      await model.close();
    }
  });

  it.each([
    ['template', 'needs no key'],
    ['claud', 'There is no provider "claud"'],
  ])('add %s exits 2', async (name, message) => {
    const { code, stderr } = await type(['provider', 'add', name]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
