import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../plan/errors';
import { resolveConnection } from '../../worker/connection';

describe('resolveConnection', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'planwright-connection-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const resolve = (flags = {}, env: NodeJS.ProcessEnv = {}) =>
    resolveConnection({ flags, env: { HOME: home, ...env } });
  const toml = (content: string): string => {
    const path = join(home, 'temporal.toml');
    writeFileSync(path, content);
    return path;
  };

  it('is the embedded server where nothing names an address', async () => {
    expect(await resolve()).toEqual({ kind: 'embedded' });
    expect(await resolve({}, { TEMPORAL_ADDRESS: '', TEMPORAL_NAMESPACE: 'x' })).toEqual({ kind: 'embedded' });
    const file = toml('[profile.default]\nnamespace = "x"\n');
    expect(await resolve({}, { TEMPORAL_CONFIG_FILE: file })).toEqual({ kind: 'embedded' });
  });

  it('takes the address from the flag, then the environment, then the profile', async () => {
    const env = { TEMPORAL_CONFIG_FILE: toml('[profile.default]\naddress = "file:1"\nnamespace = "ns"\n') };
    expect(await resolve({}, env)).toMatchObject({ options: { address: 'file:1', namespace: 'ns' } });
    const both = { ...env, TEMPORAL_ADDRESS: 'env:2' };
    expect(await resolve({}, both)).toMatchObject({ options: { address: 'env:2', namespace: 'ns' } });
    expect(await resolve({ address: 'flag:3', namespace: 'mine' }, both)).toMatchObject({
      kind: 'configured',
      options: { address: 'flag:3', namespace: 'mine' },
    });
    expect(await resolve({ address: 'flag:3' })).toMatchObject({ options: { namespace: 'default' } });
  });

  it('reads the named profile with its certificate, and the flag before the variable', async () => {
    const path = toml(`
[profile.one]
address = "one:7233"
[profile.cloud]
address = "cloud:7233"
[profile.cloud.tls]
client_cert_data = "CERT"
client_key_data = "KEY"
server_name = "inner"
`);
    const env = { TEMPORAL_CONFIG_FILE: path, TEMPORAL_PROFILE: 'one' };
    expect(await resolve({}, env)).toMatchObject({ options: { address: 'one:7233' } });
    const cloud = await resolve({ profile: 'cloud' }, env);
    if (cloud.kind !== 'configured') throw new Error('expected a configured server');
    const { tls } = cloud.options;
    if (typeof tls !== 'object' || tls === null) throw new Error('expected TLS');
    expect(tls.serverNameOverride).toBe('inner');
    expect(String(Buffer.from(tls.clientCertPair?.crt ?? ''))).toBe('CERT');
  });

  it('means TLS by an API key', async () => {
    const found = await resolve({}, { TEMPORAL_ADDRESS: 'cloud:7233', TEMPORAL_API_KEY: 'secret' });
    expect(found).toMatchObject({ options: { apiKey: 'secret', tls: true } });
  });

  it.each([
    ['a profile without a file', { profile: 'x' }, {}, null],
    ['a file that is not there', {}, { TEMPORAL_CONFIG_FILE: '/nowhere/temporal.toml' }, null],
    ['a profile that the file has not', { profile: 'x' }, {}, '[profile.y]\naddress = "y:1"\n'],
    ['a profile without an address', { profile: 'y' }, {}, '[profile.y]\nnamespace = "n"\n'],
    ['a broken file', {}, {}, '[profile'],
    ['a namespace without an address', { namespace: 'mine' }, {}, null],
  ])('refuses %s with a usage error', async (_, flags, env, content) => {
    const file: NodeJS.ProcessEnv = content === null ? {} : { TEMPORAL_CONFIG_FILE: toml(content) };
    await expect(resolve(flags, { ...env, ...file })).rejects.toThrow(UsageError);
  });
});
