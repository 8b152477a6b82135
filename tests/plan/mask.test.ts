import fc from 'fast-check';
import { classifyValue, findSecrets, maskSecrets } from '../../plan/mask';

// Put together here, so that no scanner takes this file for a leak.
const GITHUB = `ghp_${'a1B2'.repeat(9)}`;
const SECRETS: [string, string, string][] = [
  ['an AWS key id', `AKIA${'ABCD2345'.repeat(2)}`, 'aws-access-key-id'],
  ['a GitHub token', GITHUB, 'github-token'],
  ['a fine-grained GitHub token', `github_pat_${'1a2B3c'.repeat(8)}`, 'github-token'],
  ['a Slack token', `xoxb-${'123456789012-'.repeat(2)}abcDEF`, 'slack-token'],
  ['an OpenAI key', `sk-proj-${'aB3d'.repeat(10)}`, 'api-key'],
  ['a Google key', `AIza${'Ab3_-'.repeat(7)}`, 'google-api-key'],
  ['a web token', `eyJ${'hbGciOiJI'.repeat(2)}.eyJ${'zdWIiOiIx'.repeat(2)}.${'SflKxwRJ'.repeat(3)}`, 'jwt'],
];

describe('masking secrets', () => {
  it.each(SECRETS)('hides %s wherever it stands', (_name, secret, kind) => {
    const masked = maskSecrets(`before ${secret} after`);
    expect(masked).toBe(`before [masked ${kind}] after`);
  });

  it('hides the value of an AWS secret key and keeps its name', () => {
    const value = 'wJalrXUtn/EMI7K7MDENG+bPxRfiCYzzzzzzKEYa';
    expect(maskSecrets(`aws_secret_access_key = ${value}\n`)).toBe(
      'aws_secret_access_key = [masked aws-secret-access-key]\n',
    );
  });

  it('hides a whole private key, also one that is cut off', () => {
    const body = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEpAIBAAKC\n'.repeat(20)}`;
    expect(maskSecrets(`${body}-----END RSA PRIVATE KEY-----\nx`)).toBe('[masked private-key]\nx');
    expect(maskSecrets(body)).toBe('[masked private-key]');
  });

  it('hides passwords given as literals and in URLs', () => {
    expect(maskSecrets('password: hunter2\nDB_PASSWORD="kj3h4 kj"\n')).toBe(
      'password: [masked password]\nDB_PASSWORD="[masked password]"\n',
    );
    expect(maskSecrets('postgres://app:kj3h4kj@db:5432/x')).toBe('postgres://app:[masked url-password]@db:5432/x');
    expect(maskSecrets('{"api_key": "0123456789abcdef01"}')).toBe('{"api_key": "[masked secret-value]"}');
  });

  it.each([
    'password: ${DB_PASSWORD}',
    'password: $DB_PASSWORD',
    'password: ${{ secrets.DB_PASSWORD }}',
    'password: {{ db_password }}',
    'PASSWORD=$(cat /run/secrets/x)',
    'POSTGRES_PASSWORD_FILE: /run/secrets/db',
    'POSTGRES_PASSWORD: postgres',
    'password = var.db_password',
    'id-token: write',
    'app ALL=(ALL) NOPASSWD:ALL',
    'token: deploy',
    'persist-credentials: false',
    'DATABASE_URL=postgres://postgres:${PW}@db/app',
    'secret: tls-cert-name',
    'class="sk-loading-spinner-animation-container"',
    'password:',
  ])('leaves "%s" as it is', (text) => {
    expect(maskSecrets(text)).toBe(text);
  });

  it('tells references, placeholders and literals apart', () => {
    expect(['$X', '${X:-a}', '', 'true', '/run/secrets/a', '*anchor'].map(classifyValue)).toEqual(
      Array(6).fill('reference'),
    );
    expect(
      [
        'changeme',
        'change-me',
        'postgres',
        'your_password_here',
        '<password>',
        'xxxxx',
        'test123',
        '********',
        'supersecret',
      ].map(classifyValue),
    ).toEqual(Array(9).fill('placeholder'));
    expect(['hunter2', 'correct-horse', 'S3cr3t!x', '!Zk3+9', '@b7(x)'].map(classifyValue)).toEqual(
      Array(5).fill('literal'),
    );
  });

  it('is idempotent, and finds hits in order without overlaps, for any text', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        ...SECRETS.map((one) => one[1]),
        'password: hunter2',
        'token="',
        "secret='a1b2c3d4e5f6g7'",
        '-----BEGIN PRIVATE KEY-----',
        '\n',
        'a://b:c1d2@',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        let end = 0;
        for (const hit of findSecrets(text)) {
          expect(hit.start).toBeGreaterThanOrEqual(end);
          end = hit.end;
        }
        const masked = maskSecrets(text);
        expect(maskSecrets(masked)).toBe(masked);
      }),
    );
  });

  it('never lets a token through next to any other text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        expect(maskSecrets(`${before} ${GITHUB}\n${after}`)).not.toContain(GITHUB);
      }),
    );
  });

  it.each(['password=', 'eyJ-', 'sk-', '-----BEGIN PRIVATE KEY-----', 'a://b:', 'token: "', 'aws_secret', 'x'])(
    'reads a megabyte of "%s" in linear time (T20)',
    (unit) => {
      // A quadratic pattern would take minutes here and meet the test's time limit.
      expect(typeof maskSecrets(unit.repeat(Math.floor(1_000_000 / unit.length)))).toBe('string');
    },
  );
});
