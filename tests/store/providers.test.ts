import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addProvider } from '../../store/add-provider';
import { workspaceLayout } from '../../store/layout';
import { reachableProviders } from '../../store/provider-keys';
import { resolveSettings, type SettingFlags, settingsInForce } from '../../store/settings';
import { sameSettings, workerDigest } from '../../store/worker-digest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'planwright-providers-'));
  mkdirSync(join(folder, 'ws', '.planwright'), { recursive: true });
  mkdirSync(join(folder, 'home', 'config'), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const userFile = () => join(folder, 'home', 'config', 'config.yaml');
const user = (text: string) => writeFileSync(userFile(), `version: 1\n${text}\n`);
const workspace = (text: string) =>
  writeFileSync(join(folder, 'ws', '.planwright', 'config.yaml'), `version: 1\n${text}\n`);
const layout = () => workspaceLayout(join(folder, 'ws'));
const env = (more: NodeJS.ProcessEnv = {}) => ({ PLANWRIGHT_HOME: join(folder, 'home'), ...more });
const resolve = (flags: SettingFlags = {}, more: NodeJS.ProcessEnv = {}) =>
  resolveSettings({ flags, env: env(more), layout: layout() });

const TEAM = `providers:
  team:
    baseUrl: https://llm.example.com/v1
    keyEnv: TEAM_KEY
    models: { planner: small, executor: big }
    price: { prompt: 0.5, completion: 2 }
  local:
    baseUrl: http://localhost:1/v1
    key: none
    models: { executor: tiny }
`;
const key = { TEAM_KEY: 'sk-canary' };

describe('a provider of the config', () => {
  it('is taken by its name, with its own address, models and key', async () => {
    user(TEAM);
    const settings = await resolve({ provider: 'team' }, { ...key, OPENAI_BASE_URL: 'https://other/v1' });
    expect(settings).toMatchObject({
      provider: 'team',
      model: 'big',
      planner: 'small',
      baseUrl: 'https://llm.example.com/v1',
      apiKeyPresent: true,
    });
    expect(JSON.stringify(settings)).not.toContain('canary');
    expect(await resolve({ provider: 'local' })).toMatchObject({ provider: 'local', model: 'tiny' });
  });

  it('needs the key of its own variable, and no other', async () => {
    user(TEAM);
    await expect(resolve({ provider: 'team' }, { OPENAI_API_KEY: 'sk-other' })).rejects.toThrow('TEAM_KEY is not set');
  });

  it('is asked with one model for both where a flag or a variable names one', async () => {
    user(TEAM);
    for (const settings of [
      await resolve({ provider: 'team', model: 'x' }, key),
      await resolve({ provider: 'team' }, { ...key, PLANWRIGHT_MODEL: 'x' }),
    ]) {
      expect(settings.model).toBe('x');
      expect(settings).not.toHaveProperty('planner');
    }
  });

  it('takes the models that a workspace names for it before its own, and none that is meant for another', async () => {
    user(TEAM);
    workspace('model: gpt-4o\nproviders: { team: { models: { executor: theirs } } }');
    expect(await resolve({ provider: 'team' }, key)).toMatchObject({ model: 'theirs' });
    expect(await resolve({ provider: 'openai' }, { OPENAI_API_KEY: 'k' })).toMatchObject({ model: 'gpt-4o' });
    expect(await resolve({ provider: 'local' })).toMatchObject({ model: 'tiny' });
  });

  it('without a model is bad input that says how to name one', async () => {
    user('providers: { bare: { baseUrl: "http://h/v1", key: none } }');
    await expect(resolve({ provider: 'bare' })).rejects.toThrow('has no model');
    expect(await resolve({ provider: 'bare', model: 'm' })).toMatchObject({ model: 'm' });
  });

  it.each([
    ['providers: { team: { keyEnv: K } }', 'baseUrl is missing'],
    ['providers: { team: { baseUrl: "http://h/v1" } }', 'one of keyEnv'],
    ['providers: { team: { baseUrl: "http://h/v1", keyEnv: K, key: none } }', 'one of keyEnv'],
    ['providers: { team: { baseUrl: "file:///x", key: none } }', 'http or https'],
    ['providers: { team: { baseUrl: "http://h/v1", keyEnv: sk-abc } }', 'not a key'],
    ['providers: { template: { key: none } }', 'template provider has no settings'],
    ['providers: { openai: { baseUrl: "http://h/v1" } }', 'openai is reached by'],
    ['providers: { "Te am": { baseUrl: "http://h/v1", key: none } }', 'small letters'],
    ['providers: { a: { baseUrl: "http://h/v1", key: none, apiKey: x } }', 'unknown key "apiKey"'],
  ])('%s is refused', async (text, message) => {
    user(text);
    await expect(resolve()).rejects.toThrow(message);
  });

  it.each([
    'providers: { team: { baseUrl: "https://thief/v1" } }',
    'providers: { team: { keyEnv: AWS_SECRET_ACCESS_KEY } }',
    'providers: { team: { keyFile: /etc/passwd } }',
    'fallback: team',
  ])('a workspace cannot say where a key is sent or who else is asked: %s', async (text) => {
    user(TEAM);
    workspace(text);
    await expect(resolve({}, key)).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe('a fallback', () => {
  it('is there where the config or a flag names one, and nowhere else', async () => {
    user(TEAM);
    expect(await resolve({ provider: 'team' }, key)).not.toHaveProperty('fallback');
    expect(await resolve({ provider: 'team', fallback: 'local' }, key)).toMatchObject({
      fallback: { provider: 'local', model: 'tiny' },
    });
    user(`fallback: local\n${TEAM}`);
    expect(await resolve({ provider: 'team' }, key)).toMatchObject({ fallback: { provider: 'local' } });
    expect(await resolve({ provider: 'team', fallback: 'none' }, key)).not.toHaveProperty('fallback');
    expect(await resolve({ provider: 'local' }, key)).not.toHaveProperty('fallback');
    expect(await resolve({ provider: 'template' }, key)).not.toHaveProperty('fallback');
  });

  it('that is none, or has no key, is bad input', async () => {
    user(TEAM);
    await expect(resolve({ provider: 'local', fallback: 'team' })).rejects.toThrow('TEAM_KEY is not set');
    await expect(resolve({ provider: 'local', fallback: 'template' })).rejects.toThrow('no fallback');
    await expect(resolve({ provider: 'local', fallback: 'x' })).rejects.toThrow('no provider "x"');
  });
});

describe('the worker', () => {
  it('gets the named providers with their keys', async () => {
    user(TEAM);
    expect(await reachableProviders(env(key), layout())).toMatchObject([
      { name: 'team', key: 'sk-canary', keyPlace: 'TEAM_KEY', keyless: false },
      { name: 'local', key: '', keyless: true },
    ]);
  });

  it('is another where the key of a named provider is another, and no variable beside it counts', () => {
    user(TEAM);
    const before = workerDigest(env(key));
    expect(before).not.toContain('canary');
    expect(sameSettings(before, workerDigest(env({ ...key, OTHER: 'x' })))).toBe(true);
    expect(sameSettings(before, workerDigest(env({ TEAM_KEY: 'sk-new' })))).toBe(false);
    const file = join(folder, 'key');
    writeFileSync(file, 'one', { mode: 0o600 });
    user(`providers: { f: { baseUrl: "http://h/v1", keyFile: ${file} } }`);
    const filed = workerDigest(env());
    writeFileSync(file, 'two');
    expect(sameSettings(filed, workerDigest(env()))).toBe(false);
  });
});

describe('adding a provider', () => {
  it('keeps comments and what was there, and has one way to a key', async () => {
    user(`# mine\n${TEAM}`);
    await addProvider(env(), layout(), { name: 'team', entry: { key: 'none', models: { executor: 'new' } } });
    const text = readFileSync(userFile(), 'utf8');
    expect(text).toContain('# mine');
    expect(text).not.toContain('TEAM_KEY');
    const { providers, model, planner } = await settingsInForce({
      flags: { provider: 'team' },
      env: env(),
      layout: layout(),
    });
    expect({ model, planner }).toEqual({ model: 'new', planner: 'small' });
    expect(providers.team).toMatchObject({
      key: { needed: false },
      price: { prompt: 0.5, completion: 2, currency: 'USD' },
    });
  });

  it('writes nothing that no reader would take', async () => {
    user(TEAM);
    const before = readFileSync(userFile(), 'utf8');
    await expect(addProvider(env(), layout(), { name: 'x', entry: { keyEnv: 'K' } })).rejects.toThrow('baseUrl');
    expect(readFileSync(userFile(), 'utf8')).toBe(before);
  });
});
