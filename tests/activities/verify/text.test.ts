import { rowOf, rules } from './help';

describe('the text verifier', () => {
  it('passes plain text, tabs, other scripts and joined emoji', async () => {
    const row = await rowOf('text', 'README.md', 'Grüße\t世界 👨‍👩‍👧 👩🏽‍💻\r\n');
    expect(row).toMatchObject({ verdict: 'passed', version: 'planwright/1', findings: [] });
  });

  it('finds a right-to-left override with its line and column (T08)', async () => {
    const row = await rowOf('text', 'Dockerfile', 'FROM node:22\nRUN echo \u202e hi\n');
    expect(row.verdict).toBe('failed');
    expect(row.findings[0]).toMatchObject({
      rule: 'bidi-character',
      severity: 'error',
      line: 2,
      column: 10,
      path: 'Dockerfile',
    });
    expect(row.findings[0]?.message).toContain('U+202E');
  });

  it.each([
    ['a zero-width space', 'a\u200bb', 'invisible-character'],
    ['a joiner outside of an emoji', 'a\u200db', 'invisible-character'],
    ['hidden tag characters', 'a\u{e0041}b', 'invisible-character'],
    ['an escape character', 'a\u001b[31m', 'control-character'],
    ['a NUL', 'a\u0000b', 'nul'],
  ])('refuses %s', async (_name, content, rule) => {
    expect(rules(await rowOf('text', 'a.sh', content), 'error')).toEqual([rule]);
  });

  it('only warns of a byte order mark at the start', async () => {
    const row = await rowOf('text', 'a.sh', '\ufeffecho hi\n');
    expect(row.verdict).toBe('passed');
    expect(rules(row)).toEqual(['byte-order-mark']);
  });

  it('refuses bytes that are not UTF-8, and skips the parsers for them', async () => {
    const content = Buffer.concat([Buffer.from('a: 1\nb: '), Buffer.from([0xff, 0xfe])]);
    expect(rules(await rowOf('text', 'a.yaml', content))).toEqual(['not-utf8']);
    expect(await rowOf('yaml', 'a.yaml', content)).toMatchObject({
      verdict: 'skipped',
      reason: 'the content is not usable text',
    });
  });

  it('refuses more than one MiB and skips the other verifiers', async () => {
    const content = 'a'.repeat(1_048_577);
    expect(rules(await rowOf('text', 'a.json', content))).toEqual(['too-large']);
    expect((await rowOf('json', 'a.json', content)).verdict).toBe('skipped');
  });

  it('caps the findings of a row at 50 and says how many are left out', async () => {
    const row = await rowOf('text', 'a.txt', '\u200b'.repeat(500));
    expect(row.findings).toHaveLength(50);
    expect(row.findings.at(-1)?.rule).toBe('too-many-findings');
  });
});
