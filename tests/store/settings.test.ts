import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../plan/errors';
import { DEFAULT_CONFIG_YAML, initWorkspace } from '../../store/init';
import { findWorkspace, workspaceLayout } from '../../store/layout';
import { providerEnvironment, resolveSettings, type SettingFlags } from '../../store/settings';
import { sameSettings, workerDigest } from '../../store/worker-digest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'planwright-settings-'));
  mkdirSync(join(folder, 'ws', '.planwright'), { recursive: true });
  mkdirSync(join(folder, 'home', 'config'), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const workspaceConfig = (text: string) =>
  writeFileSync(join(folder, 'ws', '.planwright', 'config.yaml'), `version: 1\n${text}\n`);
const userConfig = (text: string) =>
  writeFileSync(join(folder, 'home', 'config', 'config.yaml'), `version: 1\n${text}\n`);
const resolve = (flags: SettingFlags = {}, env: NodeJS.ProcessEnv = {}) =>
  resolveSettings({
    flags,
    env: { PLANWRIGHT_HOME: join(folder, 'home'), ...env },
    layout: workspaceLayout(join(folder, 'ws')),
  });
const key = { OPENAI_API_KEY: 'sk-canary' };

describe('settings', () => {
  it('without anything are the template provider', async () => {
    expect(await resolve()).toEqual({
      provider: 'template',
      model: 'template',
      temperature: 0.2,
      baseUrl: null,
      apiKeyPresent: false,
      sources: { provider: 'default', model: 'default', temperature: 'default', baseUrl: 'default' },
    });
  });

  it('with a key are openai, and never hold the key', async () => {
    const settings = await resolve({}, key);
    expect(settings).toMatchObject({ provider: 'openai', model: 'gpt-4o', apiKeyPresent: true });
    expect(settings.sources.provider).toBe('OPENAI_API_KEY');
    expect(JSON.stringify(settings)).not.toContain('canary');
  });

  it('come in the order flag, environment, workspace, user, default', async () => {
    userConfig('provider: template\nmodel: user\ntemperature: 0.4\nbaseUrl: http://user/v1');
    expect(await resolve({}, key)).toMatchObject({ provider: 'template', baseUrl: 'http://user/v1', temperature: 0.4 });
    workspaceConfig('provider: openai\nmodel: workspace\ntemperature: 0.5');
    expect(await resolve({}, key)).toMatchObject({
      provider: 'openai',
      model: 'workspace',
      temperature: 0.5,
      sources: { provider: '.planwright/config.yaml', baseUrl: join(folder, 'home', 'config', 'config.yaml') },
    });
    const env = { ...key, PLANWRIGHT_MODEL: 'environment', OPENAI_BASE_URL: 'https://env/v1' };
    expect(await resolve({}, env)).toMatchObject({
      model: 'environment',
      baseUrl: 'https://env/v1',
      sources: { model: 'PLANWRIGHT_MODEL', baseUrl: 'OPENAI_BASE_URL' },
    });
    expect(await resolve({ model: 'flag', temperature: 0 }, env)).toMatchObject({
      model: 'flag',
      temperature: 0,
      sources: { model: 'flag', temperature: 'flag' },
    });
    expect(await resolve({}, { ...env, PLANWRIGHT_PROVIDER: 'template' })).toMatchObject({
      provider: 'template',
      model: 'template',
      sources: { provider: 'PLANWRIGHT_PROVIDER' },
    });
  });

  it('an empty variable is no variable', async () => {
    expect(await resolve({}, { OPENAI_API_KEY: '', PLANWRIGHT_PROVIDER: '' })).toMatchObject({ provider: 'template' });
  });

  it.each<[string, SettingFlags, NodeJS.ProcessEnv, string]>([
    ['an unknown provider', { provider: 'clippy' }, {}, 'There is no provider "clippy" (from --provider).'],
    ['openai without a key', {}, { PLANWRIGHT_PROVIDER: 'openai' }, 'OPENAI_API_KEY is not set'],
    ['a model for the template provider', { model: 'gpt-4o' }, {}, 'no meaning for the template provider'],
    ['a temperature out of range', { temperature: 2.1 }, {}, '--temperature takes a number from 0 to 2'],
    ['a temperature that is no number', { temperature: Number.NaN }, {}, '--temperature'],
    ['a base URL that is none', { baseUrl: 'file:///etc/passwd' }, key, 'not an http or https URL'],
  ])('%s is bad input, exit 2', async (_, flags, env, message) => {
    await expect(resolve(flags, env)).rejects.toThrow(message);
    await expect(resolve(flags, env)).rejects.toMatchObject({ exitCode: 2 });
  });

  it('lists the providers that there are', async () => {
    await expect(resolve({ provider: 'x' })).rejects.toMatchObject({ advice: 'Known providers: openai, template.' });
  });

  it('an unknown key is an error in either file', async () => {
    workspaceConfig('modle: x');
    await expect(resolve()).rejects.toThrow('unknown key "modle" at the top level');
    workspaceConfig('');
    userConfig('apiKey: x');
    await expect(resolve()).rejects.toThrow('unknown key "apiKey"');
  });

  it('a workspace cannot say where the key is sent', async () => {
    workspaceConfig('baseUrl: https://thief/v1');
    await expect(resolve({}, key)).rejects.toThrow('baseUrl: not allowed in a workspace');
  });
});

describe('the digest of the settings', () => {
  it('changes with each variable of the provider and with no other', () => {
    const base = workerDigest({});
    for (const name of ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'PLANWRIGHT_PROVIDER', 'PLANWRIGHT_MODEL']) {
      expect(workerDigest({ [name]: 'x' })).not.toBe(base);
      expect(workerDigest({ [name]: '' })).toBe(base);
    }
    expect(workerDigest({ PATH: '/x', HOME: '/y' })).toBe(base);
    expect(workerDigest(key)).not.toContain('canary');
  });

  it('changes with the own config file, and tells new code from new settings', () => {
    const env = { PLANWRIGHT_HOME: join(folder, 'home') };
    const before = workerDigest(env);
    mkdirSync(join(folder, 'home', 'config'), { recursive: true });
    writeFileSync(join(folder, 'home', 'config', 'config.yaml'), 'version: 1\nbaseUrl: http://127.0.0.1:1/v1\n');
    expect(sameSettings(before, workerDigest(env))).toBe(false);
    const [settings] = before.split('.');
    expect(sameSettings(before, `${settings}.another-build`)).toBe(true);
    expect(before).not.toBe(`${settings}.another-build`);
  });
});

describe('init', () => {
  it('makes three files, which are valid, and is no work the second time', async () => {
    rmSync(join(folder, 'ws', '.planwright'), { recursive: true });
    const layout = workspaceLayout(join(folder, 'ws'));
    const made = await initWorkspace(layout);
    expect(made).toEqual(['.planwright/.gitignore', '.planwright/policy.yaml', '.planwright/config.yaml']);
    expect(await initWorkspace(layout)).toEqual([]);
    expect(findWorkspace(join(folder, 'ws')).root).toBe(layout.root);
    expect(await resolve()).toMatchObject({ provider: 'template', temperature: 0.2 });
    expect(DEFAULT_CONFIG_YAML).toContain('Default: gpt-4o.');
  });

  it('never overwrites what is there', async () => {
    workspaceConfig('temperature: 1');
    expect(await initWorkspace(workspaceLayout(join(folder, 'ws')))).not.toContain('.planwright/config.yaml');
    expect(readFileSync(join(folder, 'ws', '.planwright', 'config.yaml'), 'utf8')).toContain('temperature: 1');
  });

  it('refuses a .planwright that is a link', async () => {
    mkdirSync(join(folder, 'other'));
    symlinkSync(folder, join(folder, 'other', '.planwright'));
    await expect(initWorkspace(workspaceLayout(join(folder, 'other')))).rejects.toThrow(UsageError);
  });
});

describe('a key file', () => {
  const file = (): string => join(folder, 'key');
  const home = (): NodeJS.ProcessEnv => ({ PLANWRIGHT_HOME: join(folder, 'home') });
  const layout = () => workspaceLayout(join(folder, 'ws'));
  beforeEach(() => {
    writeFileSync(file(), 'sk-canary\n', { mode: 0o600 });
    userConfig(`keyFile: ${file()}`);
  });

  it('makes openai the provider, and its key is never in the settings', async () => {
    const settings = await resolve();
    expect(settings).toMatchObject({ provider: 'openai', apiKeyPresent: true, sources: { provider: 'keyFile' } });
    expect(JSON.stringify(settings)).not.toContain('canary');
  });

  it('gives a worker its key, where no variable does', async () => {
    expect(await providerEnvironment(home(), layout())).toMatchObject({ OPENAI_API_KEY: 'sk-canary' });
    expect(await providerEnvironment({ ...home(), OPENAI_API_KEY: 'sk-own' }, layout())).toMatchObject({
      OPENAI_API_KEY: 'sk-own',
    });
  });

  it('that others can read is refused by settings and worker; another provider does without it', async () => {
    chmodSync(file(), 0o640);
    await expect(resolve()).rejects.toThrow('mode 0640');
    await expect(providerEnvironment(home(), layout())).rejects.toThrow('mode 0640');
    expect(await resolve({ provider: 'template' })).toMatchObject({ provider: 'template', apiKeyPresent: false });
    expect(await resolve({}, key)).toMatchObject({ provider: 'openai' });
  });

  it('is refused inside any workspace, initialised or in use', async () => {
    for (const path of [join(folder, 'ws', 'key'), join(folder, 'other', 'deep', 'key')]) {
      mkdirSync(join(folder, 'other', '.planwright'), { recursive: true });
      mkdirSync(join(folder, 'other', 'deep'), { recursive: true });
      writeFileSync(join(folder, 'other', '.planwright', 'config.yaml'), 'version: 1\n');
      writeFileSync(path, 'sk-canary', { mode: 0o600 });
      userConfig(`keyFile: ${path}`);
      await expect(resolve()).rejects.toThrow('lies in the workspace');
    }
  });

  it('is part of the digest of the worker: another key is another worker', () => {
    const before = workerDigest(home());
    expect(before).not.toContain('canary');
    writeFileSync(file(), 'sk-other');
    expect(sameSettings(before, workerDigest(home()))).toBe(false);
  });

  it('is not for a workspace to name, and has an absolute path', async () => {
    workspaceConfig(`keyFile: ${file()}`);
    await expect(resolve()).rejects.toThrow('keyFile: not allowed in a workspace');
    workspaceConfig('');
    userConfig('keyFile: key');
    await expect(resolve()).rejects.toThrow('expected an absolute path');
  });
});
