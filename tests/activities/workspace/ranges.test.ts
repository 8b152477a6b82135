import fc from 'fast-check';
import { isIgnored, parseGitignore } from '../../../activities/workspace/gitignore';
import { isProductionSource, isSecret } from '../../../activities/workspace/names';
import { allowsLine, lowestStated } from '../../../activities/workspace/ranges';

describe('version ranges', () => {
  it.each([
    ['>=18', '18', true],
    ['>=18', '16', false],
    ['>= 18.12.0 < 21', '18', true],
    ['>= 18.12.0 < 21', '21', false],
    ['^18 || ^20.3', '19', false],
    ['^18 || ^20.3', '20', true],
    ['18 - 20', '20', true],
    ['18 - 20', '21', false],
    ['~20.1', '20', true],
    ['20.x', '20', true],
    ['*', '24', true],
    ['<=20', '20', true],
    ['>20', '20', false],
    ['>=3.9,<4.0', '3.14', true],
    ['>=3.9,<3.13', '3.13', false],
    ['~=3.10', '3.14', true],
    ['~=3.10.2', '3.11', false],
    ['==3.11.*', '3.11', true],
    ['==3.11.*', '3.12', false],
    ['>=3.9, !=3.10.*', '3.10', false],
    ['>=3.9.1', '3.9', true],
  ])('"%s" and %s: %s', (range, line, allowed) => {
    expect(allowsLine(range, line)).toBe(allowed);
  });

  it('state their floor, if they have one', () => {
    expect(lowestStated('>=20 || ^18.3')).toEqual([18, 3, 0]);
    expect(lowestStated('<5')).toBeNull();
    expect(lowestStated('*')).toBeNull();
  });

  it('allow exactly the lines from a floor to below a ceiling', () => {
    const major = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(major, major, major, (floor, ceiling, line) => {
        expect(allowsLine(`>=${floor} <${ceiling}`, String(line))).toBe(line >= floor && line < ceiling);
      }),
    );
  });

  it('never throw on any text', () => {
    fc.assert(
      fc.property(
        fc.string(),
        (text) => typeof allowsLine(text, '20') === 'boolean' && lowestStated(text) !== undefined,
      ),
    );
  });
});

describe('.gitignore', () => {
  const ignores = (text: string, path: string, directory = false): boolean =>
    isIgnored(parseGitignore(text, ''), path, directory);

  it.each([
    ['*.log', 'a/b.log', true],
    ['/b.log', 'a/b.log', false],
    ['a/*.log', 'a/b.log', true],
    ['a/*.log', 'x/a/b.log', false],
    ['**/tmp', 'x/y/tmp', true],
    ['tmp/', 'tmp', false],
    ['*.log\n!keep.log', 'keep.log', false],
    ['{a,b}.log', 'a.log', false],
    ['\\#x', '#x', true],
    ['# x', '# x', false],
  ])('%j and %s: %s', (text, path, ignored) => {
    expect(ignores(text, path)).toBe(ignored);
  });

  it('leaves out a pattern made to be slow', () => {
    expect(parseGitignore('*a*a*a*a*a*a*a*a*a*a*a*b', '')).toEqual([]);
  });
});

describe('names', () => {
  it.each(['.env', 'a/.env.local', '.ENV', 'x/ID_RSA', 'a.tfstate', 'c.p12', '.npmrc', '.aws/credentials'])(
    '%s is a secret',
    (path) => {
      expect(isSecret(path)).toBe(true);
    },
  );
  it.each(['.env.example', '.env.sample', 'a/.env.template', 'environment.ts', 'keys.md', 'terraform.tfvars'])(
    '%s is none',
    (path) => {
      expect(isSecret(path)).toBe(false);
    },
  );
  it.each(['test/a.js', 'src/a.test.ts', 'a_test.go', 'examples/a.py', 'src/a.d.ts', 'README.md'])(
    '%s is not production source',
    (path) => {
      expect(isProductionSource(path)).toBe(false);
    },
  );
});
