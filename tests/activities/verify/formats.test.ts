import { rowOf, rules } from './help';

describe('the yaml verifier', () => {
  it('passes several documents, merges, anchors and block scalars with brackets', async () => {
    const text =
      'base: &b {a: 1}\nuse:\n  <<: *b\n  run: |\n    if [ -z "$X" ]; then echo "{["; fi\n---\nsecond: true\n';
    expect(await rowOf('yaml', 'k8s/a.yaml', text)).toMatchObject({ verdict: 'passed', findings: [] });
  });

  it.each([
    ['a duplicate key', 'a: 1\nb: 2\na: 3\n', 'duplicate-key', 3],
    ['an unknown tag', 'a: !!python/object/apply:os.system [id]\n', 'tag-resolve-failed', 1],
    ['a __proto__ key', 'x: 1\n__proto__:\n  a: 1\n', 'proto-key', 2],
    ['a tab as indentation', 'a:\n\tb: 1\n', 'tab-as-indent', 2],
  ])('refuses %s and gives its line', async (_name, text, rule, line) => {
    const row = await rowOf('yaml', 'a.yaml', text);
    expect(row.verdict).toBe('failed');
    expect(row.findings.find((finding) => finding.rule === rule)).toMatchObject({ severity: 'error', line });
  });

  it('knows the local tags of GitLab and compose, each in its own file only', async () => {
    expect((await rowOf('yaml', '.gitlab-ci.yml', 'a:\n  script: !reference [.b, script]\n')).verdict).toBe('passed');
    expect((await rowOf('yaml', 'compose.override.yaml', 'services:\n  a:\n    ports: !reset []\n')).verdict).toBe(
      'passed',
    );
    expect((await rowOf('yaml', 'a.yaml', 'a: !reference [b]\n')).verdict).toBe('failed');
  });

  it('refuses two documents where the reader takes one', async () => {
    expect(rules(await rowOf('yaml', '.github/workflows/a.yml', 'on: push\n---\non: push\n'))).toContain(
      'multiple-documents',
    );
  });

  it('refuses an alias bomb (T11)', async () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let n = 1; n < 10; n++)
      lines.push(
        `a${n}: &a${n} [${Array(9)
          .fill(`*a${n - 1}`)
          .join(', ')}]`,
      );
    expect(rules(await rowOf('yaml', 'a.yaml', lines.join('\n')), 'error')).toEqual(['alias']);
  });

  it.each([
    ['brackets', '['.repeat(100_000)],
    ['braces after a key', `a: ${'{'.repeat(100_000)}`],
    ['list indicators on one line', '- '.repeat(100_000)],
    ['question marks', '? '.repeat(100_000)],
  ])('refuses 100,000 %s before the parser sees them (T12)', async (_name, text) => {
    expect(rules(await rowOf('yaml', 'a.yaml', text))).toEqual(['too-deep']);
  });

  it('refuses real nesting beyond 100 levels that the scan let pass', async () => {
    expect(rules(await rowOf('yaml', 'a.yaml', `${'['.repeat(300)}${']'.repeat(300)}`))).toContain('too-deep');
  });

  it('refuses more than 256 KiB, and reads as much in a map without quadratic time', async () => {
    expect(rules(await rowOf('yaml', 'a.yaml', 'a: 1\n'.repeat(60_000)))).toEqual(['too-large']);
    const map = Array.from({ length: 20_000 }, (_, index) => `k${index}: v\n`).join('');
    expect((await rowOf('yaml', 'a.yaml', map)).verdict).toBe('passed');
  });

  it('leaves Helm templates alone and says so', async () => {
    const row = await rowOf('yaml', 'chart/templates/a.yaml', '{{- if .Values.x }}\na: 1\n{{- end }}\n');
    expect(row).toMatchObject({ verdict: 'skipped', reason: 'does not apply to this file' });
  });
});

describe('the json verifier', () => {
  it('passes JSON, and comments and trailing commas where the reader takes them', async () => {
    expect((await rowOf('json', 'a.json', '{"a": [1, {"b": "x\\"y"}], "c": {"b": 2}}\n')).verdict).toBe('passed');
    const jsonc = '{\n  // "a": 1\n  "a": "http://x", /* , */\n  "b": [1, 2,],\n}\n';
    expect((await rowOf('json', 'tsconfig.json', jsonc)).verdict).toBe('passed');
    expect((await rowOf('json', 'renovate.json', jsonc)).verdict).toBe('failed');
  });

  it.each([
    ['a missing comma', '{\n  "a": 1\n  "b": 2\n}', 'json-syntax', 3],
    ['a cut-off file', '{\n  "a": [1,', 'json-syntax', 2],
    ['a duplicate key', '{"a": 1,\n "a": 2}', 'duplicate-key', 2],
    ['a duplicate key in another spelling', '{"a": 1,\n "\\u0061": 2}', 'duplicate-key', 2],
    ['a __proto__ key', '{\n"__proto__": {"x": 1}}', 'proto-key', 2],
    ['100,000 brackets', '['.repeat(100_000), 'too-deep', 1],
  ])('refuses %s', async (_name, text, rule, line) => {
    const row = await rowOf('json', 'a.json', text);
    expect(row.findings[0]).toMatchObject({ rule, severity: 'error', line });
  });

  it('reads a megabyte of escaped quotes without quadratic time', async () => {
    expect((await rowOf('json', 'a.json', `"${'\\"'.repeat(500_000)}`)).verdict).toBe('failed');
    expect((await rowOf('json', 'tsconfig.json', `"${'\\"'.repeat(500_000)}`)).verdict).toBe('failed');
  });
});

describe('the toml verifier', () => {
  it('passes TOML and names the library version', async () => {
    const row = await rowOf('toml', 'config.toml', 'title = "x"\n[a.b]\nports = [1, 2]\n');
    expect(row.verdict).toBe('passed');
    expect(row.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('gives the line of a fault', async () => {
    const row = await rowOf('toml', 'config.toml', 'a = 1\nb = \n');
    expect(row.findings[0]).toMatchObject({ rule: 'toml-syntax', severity: 'error', line: 2 });
    expect((await rowOf('toml', 'config.toml', 'a = 1\na = 2\n')).verdict).toBe('failed');
  });

  it('refuses deep nesting', async () => {
    expect(rules(await rowOf('toml', 'a.toml', `a = ${'['.repeat(100_000)}`))).toEqual(['too-deep']);
  });
});
