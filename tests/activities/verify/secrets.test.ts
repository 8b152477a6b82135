import { rowOf, rules } from './help';

const TOKEN = `ghp_${'a1B2'.repeat(9)}`;

describe('the secrets verifier', () => {
  it('fails on a token, with its place and without its value (T15)', async () => {
    const row = await rowOf('secrets', 'a.sh', `#!/bin/sh\nexport GH=${TOKEN}\n`);
    expect(row.verdict).toBe('failed');
    expect(row.findings[0]).toMatchObject({ rule: 'github-token', line: 2, column: 11 });
    expect(JSON.stringify(row)).not.toContain(TOKEN);
  });

  it('fails on an AWS pair, a private key and a password literal', async () => {
    const text = `id: AKIA${'ABCD2345'.repeat(2)}\naws_secret_access_key: ${'abcd/EFGH+'.repeat(4)}\npassword: hunter2\nkey: |\n  -----BEGIN PRIVATE KEY-----\n  MIIE\n`;
    expect(rules(await rowOf('secrets', 'a.yaml', text), 'error')).toEqual([
      'aws-access-key-id',
      'aws-secret-access-key',
      'password',
      'private-key',
    ]);
  });

  it('only warns of placeholders for development', async () => {
    const row = await rowOf(
      'secrets',
      'compose.yaml',
      'services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: postgres\n',
    );
    expect(row.verdict).toBe('passed');
    expect(rules(row, 'warning')).toEqual(['password']);
  });

  it('only warns of a word that is the name of the user as well', async () => {
    const text = 'POSTGRES_USER: orders\nPOSTGRES_PASSWORD: orders\n';
    expect((await rowOf('secrets', 'compose.yaml', text)).verdict).toBe('passed');
    expect((await rowOf('secrets', 'compose.yaml', text.replace('USER: orders', 'USER: x'))).verdict).toBe('failed');
  });

  it('only warns of what was in the file before, and of passwords in samples', async () => {
    const before = await rowOf('secrets', 'a.yaml', 'a: 1\npassword: hunter2\n', { preContent: 'password: hunter2\n' });
    expect(before.verdict).toBe('passed');
    expect(before.findings[0]?.message).toContain('was there before');
    expect((await rowOf('secrets', '.env.example', 'DB_PASSWORD=hunter2\n')).verdict).toBe('passed');
  });

  it('masks what another verifier quotes', async () => {
    const row = await rowOf('toml', 'a.toml', `${TOKEN} = [\n`);
    expect(row.verdict).toBe('failed');
    expect(JSON.stringify(row)).not.toContain(TOKEN);
  });
});
