import fc from 'fast-check';
import { parse } from 'yaml';
import * as filters from '../../skills/filters';

const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '${{',
        '}}',
        '\n',
        '\r',
        '\u2028',
        '\u0085',
        '\\',
        '"',
        "'",
        '#',
        ': ',
        '$',
        '`',
        '\t',
        'a',
        ' ',
        '- ',
        '|',
        '\u202e',
        '<<',
        '{',
        '*',
        '&',
        '!',
      ),
    )
    .map((parts) => parts.join('')),
);
const LINE_END = /[\n\r\u0085\u2028\u2029\v\f]/;

const lines = {
  oneLine: filters.oneLine,
  comment: filters.comment,
  yamlString: filters.yamlString,
  yamlQuoted: filters.yamlQuoted,
  actionsString: filters.actionsString,
  composeString: filters.composeString,
  shellQuote: filters.shellQuote,
  makeRecipe: filters.makeRecipe,
  dockerfileExec: filters.dockerfileExec,
  dockerfileRun: filters.dockerfileRun,
  jsonInline: filters.jsonInline,
  slug: filters.slug,
  safePath: filters.safePath,
  urlPath: filters.urlPath,
};

it.each(Object.entries(lines))('%s never gives a second line or an invisible character', (_name, filter) => {
  fc.assert(fc.property(nasty, (text) => !LINE_END.test(filter(text)) && !/[\p{Cc}\p{Cf}]/u.test(filter(text))));
});

it('quotes any text so that YAML reads it back as the same string, in block context', () => {
  fc.assert(
    fc.property(nasty, (text) => {
      for (const version of ['1.1', '1.2'] as const) {
        expect(parse(`a: ${filters.yamlString(text)}\nb: 1\n`, { version })).toEqual({
          a: filters.oneLine(text),
          b: 1,
        });
        expect(parse(`[${filters.yamlQuoted(text)}, 1]`, { version })).toEqual([filters.oneLine(text), 1]);
      }
    }),
  );
});

it('leaves plain commands plain and quotes what YAML would take for something else', () => {
  expect(filters.yamlString('npm run lint')).toBe('npm run lint');
  expect(filters.yamlString('on')).toBe("'on'");
  expect(filters.yamlString('3.10')).toBe("'3.10'");
  expect(filters.yamlString('a: b # c')).toBe("'a: b # c'");
});

it('makes an expression of a workflow evaluate to its own opening, never to more', () => {
  expect(parse(filters.actionsString('echo ${{ secrets.X }}'))).toBe("echo ${{ '${{' }} secrets.X }}");
  fc.assert(
    fc.property(nasty, (text) => {
      const value: unknown = parse(`a: ${filters.actionsString(text)}`).a;
      expect(String(value).replaceAll("${{ '${{' }}", '')).not.toContain('${{');
    }),
  );
});

it('keeps a dollar sign from compose and from make', () => {
  expect(filters.composeString('a$B')).toBe('a$$B');
  expect(filters.makeRecipe('echo $HOME \\')).toBe('echo $$HOME');
});

it('turns a plain command into exec form, quoted words included, and any other into one for a shell', () => {
  expect(filters.dockerfileExec('node --enable-source-maps dist/main.js')).toBe(
    '["node", "--enable-source-maps", "dist/main.js"]',
  );
  expect(filters.dockerfileExec('gunicorn "app:create_app()"')).toBe('["gunicorn", "app:create_app()"]');
  expect(filters.dockerfileExec('gunicorn -b :$PORT app')).toBe('["sh", "-c", "exec gunicorn -b :$PORT app"]');
  expect(filters.dockerfileExec('a && b')).toBe('["sh", "-c", "a && b"]');
  expect(filters.dockerfileExec('FOO=1 node x')).toBe('["sh", "-c", "FOO=1 node x"]');
});

it('always gives an exec form that is a JSON list of strings', () => {
  fc.assert(
    fc.property(nasty, (text) => {
      const words: unknown = JSON.parse(filters.dockerfileExec(text));
      expect(Array.isArray(words) && words.every((word) => typeof word === 'string')).toBe(true);
    }),
  );
});

it('gives names that images and compose take, and paths that stay in the project', () => {
  expect(filters.slug('@Acme/Web_App')).toBe('web-app');
  fc.assert(fc.property(nasty, (text) => /^[a-z0-9][a-z0-9-]*$/.test(filters.slug(text))));
  for (const path of ['../x', '/etc/passwd', 'a b', 'a/../../b', '.', '-x y', '$(id)'])
    expect(filters.safePath(path)).toBe('');
  expect(filters.safePath('./docker/Dockerfile.dev')).toBe('docker/Dockerfile.dev');
});

it('tells secrets from settings by name', () => {
  for (const name of ['SESSION_SECRET', 'API_KEY', 'GITHUB_TOKEN', 'DB_PASSWORD', 'SENTRY_DSN'])
    expect(filters.isSecretName(name)).toBe(true);
  for (const name of ['LOG_LEVEL', 'PORT', 'KEYBOARD', 'NODE_ENV']) expect(filters.isSecretName(name)).toBe(false);
  expect(filters.envNames(['PATH', 'PORT', 'PORT', 'bad-name', 'A\nB', 7])).toEqual(['PORT']);
});
