import { relative, resolve } from 'node:path';
import fc from 'fast-check';
import { checkPath, checkPaths, DEFAULT_ALLOWLIST, isAllowed, isDenied, pathKey } from '../../plan/paths';

const rules = { allowlist: DEFAULT_ALLOWLIST, allowAllPaths: false };
const ZWSP = '\u200b';
const RLO = '\u202e';

describe('T01: traversal in a path is refused', () => {
  it.each(['../x', 'a/../../x', 'a/..', '..', '..\\x', 'a//b', './a', 'a/./b', 'a/', '.', ''])('%j', (path) => {
    expect(checkPath(path)).toMatch(/^The path ".*" (leaves|has|holds|is empty)/);
  });
});

describe('T02: absolute, drive, home and UNC paths are refused', () => {
  it.each(['/etc/cron.d/x', 'C:\\x', 'C:x', 'c:/x', '\\\\srv\\x', '//srv/x', '~/.ssh/x', '~', '~root/x'])(
    '%j',
    (path) => {
      expect(checkPath(path)).not.toBeNull();
    },
  );
});

describe('T05: the .git family is refused in any case and disguise', () => {
  it.each([
    ...[
      '.git',
      '.git/hooks/pre-commit',
      '.GIT/config',
      '.Git',
      'sub/.git/config',
      '.git ',
      '.git.',
      '.git. .',
      ' .git/x',
    ],
    ...[
      'git~1',
      'GIT~1/config',
      `.g${ZWSP}it/config`,
      '.git\u200d/x',
      '.git::$INDEX_ALLOCATION/x',
      '.gitmodules',
      '.gitconfig',
    ],
    ...['HEAD', 'scripts/head'],
  ])('%j', (path) => {
    expect(checkPath(path)).not.toBeNull();
    expect(isDenied(path)).toBe(true);
  });

  it.each(['.github/workflows/ci.yml', '.gitlab-ci.yml', '.gitignore', '.gitattributes', 'git/x', 'digit', 'header'])(
    'but %j is not of it',
    (path) => {
      expect(checkPath(path)).toBeNull();
      expect(isDenied(path)).toBe(false);
    },
  );
});

describe('T07: invisible characters are refused and shown escaped', () => {
  it.each([
    ['a\u0000b', '\\x00'],
    ['a\nb', '\\n'],
    ['a\u001b[2Jb', '\\x1b'],
    ['a\u0085b', '\\x85'],
    [`Dockerfile${RLO}fdp`, '\\u202e'],
    [`a${ZWSP}b`, '\\u200b'],
    ['a\u2028b', '\\u2028'],
    ['a\ufeffb', '\\ufeff'],
    ['a\u{e0041}b', '\\u{e0041}'],
    ['a\ud800b', '\\ud800'],
    ['a\u00adb', '\\xad'],
  ])('%j', (path, shown) => {
    const reason = checkPath(path) ?? '';
    expect(reason).toContain(shown);
    expect(reason).toContain('invisible');
    expect(reason).toMatch(/^[\x20-\x7e]+$/);
  });

  it('refuses spaces that only look like one', () => {
    expect(checkPath('a\u00a0b')).toContain('space');
    expect(checkPath('a\u3000b')).toContain('space');
  });
});

describe('names that another system cannot have', () => {
  it.each([
    'con',
    'NUL',
    'aux.yml',
    'deploy/COM1',
    'lpt9.txt',
    'a.',
    'a /b',
    'PLANWR~1/x',
    'SSH~1',
    'a:b',
    'a?',
    'a*b',
    '<x>',
  ])('%j is refused', (path) => expect(checkPath(path)).not.toBeNull());
  it.each([
    'conf/x',
    'nginx/nginx.conf',
    'console',
    'com/a',
    'unit@.service',
    'a b/c',
    'café/x',
    '-x',
    '$(id).tf',
    '...x',
  ])('%j is fine', (path) => expect(checkPath(path)).toBeNull());
  it('bounds length and depth in bytes', () => {
    expect(checkPath(`a/${'é'.repeat(120)}`)).toBeNull();
    expect(checkPath(`a/${'é'.repeat(121)}`)).toContain('240 bytes');
    expect(checkPath(Array(32).fill('a').join('/'))).toBeNull();
    expect(checkPath(Array(33).fill('a').join('/'))).toContain('deep');
    expect(checkPath(`${'a/'.repeat(10)}${`${'b'.repeat(200)}/`.repeat(5)}c`)).toContain('1000 bytes');
  });
  it('keeps the names of backups and temporary files for the writer', () => {
    expect(checkPath('Dockerfile.bak')).toContain('.bak');
    expect(checkPath('Dockerfile.BAK.3')).toContain('.bak');
    expect(checkPath('scripts/.planwright-tmp-x')).toContain('temporary');
  });
  it('refuses a path that is not NFC', () => {
    expect(checkPath('cafe\u0301/x')).toContain('normalisation form C');
  });
});

describe('the denylist that no flag lifts', () => {
  it.each([
    ...['.planwright/policy.yaml', '.PLANWRIGHT/x', 'sub/.planwright/x', '.ssh/config', '.gnupg/x', '.aws/credentials'],
    ...['.kube/config', 'x/.Kube/Config', '.docker/config.json', '.npmrc', 'packages/a/.NPMRC', '.netrc', '.pypirc'],
    ...['id_rsa', 'deploy/id_ed25519', 'tls/server.key', 'cert.PEM', 'x.p12', '.env', '.env.local', '.ENV.production'],
    ...['.env.example.local', 'app/.env'],
  ])('%j', (path) => {
    expect(isDenied(path)).toBe(true);
    expect(checkPaths([path], { ...rules, allowAllPaths: true })).toHaveLength(1);
  });
  it.each([
    '.env.example',
    'a/.env.example',
    '.envrc',
    '.kube/other',
    '.docker/x',
    'id_rsa.pub',
    'keys.md',
    '.husky/pre-commit',
  ])('but not %j', (path) => {
    expect(isDenied(path)).toBe(false);
    expect(checkPaths([path], { ...rules, allowAllPaths: true })).toEqual([]);
    expect(checkPaths([path], rules)[0]?.reason).toContain('write allowlist');
  });
});

describe('the default allowlist', () => {
  it.each([
    ...[
      '.github/workflows/ci.yml',
      '.github/actions/x/action.yml',
      '.github/dependabot.yml',
      '.gitlab-ci.yml',
      'Jenkinsfile',
    ],
    ...[
      'Dockerfile',
      'app/Dockerfile',
      'Dockerfile.dev',
      'api.Dockerfile',
      '.dockerignore',
      'docker-compose.yml',
      'compose.yaml',
    ],
    ...[
      'docker-compose.prod.yaml',
      'k8s/a/b.yaml',
      'main.tf',
      'modules/x/main.tf',
      'Makefile',
      'scripts/deploy.py',
      'x/y.sh',
    ],
    ...['dockerfile', 'DOCKER-COMPOSE.YML', '.pre-commit-config.yaml', 'systemd/x', 'a.service', 'helm/.helmignore'],
  ])('allows %j', (path) => expect(isAllowed(path, DEFAULT_ALLOWLIST)).toBe(true));
  it.each([
    'README.md',
    'src/index.js',
    'package.json',
    '.github/CODEOWNERS',
    'sub/.github/workflows/x.yml',
    'x/k8s/a.yaml',
    'compose.json',
  ])('does not allow %j', (path) => expect(isAllowed(path, DEFAULT_ALLOWLIST)).toBe(false));
  it('names no pattern twice', () => {
    expect(new Set(DEFAULT_ALLOWLIST).size).toBe(DEFAULT_ALLOWLIST.length);
    expect(DEFAULT_ALLOWLIST).toEqual(
      expect.arrayContaining(['buildspec.yml', '*.tfvars', 'overlays/**', 'renovate.json']),
    );
  });
  it('takes a leading "!" as a name, not as "everything else"', () => {
    expect(isAllowed('src/index.js', ['!README.md'])).toBe(false);
  });
});

describe('a set of paths', () => {
  it('T06: refuses two that differ only by case or Unicode form', () => {
    const faults = checkPaths(['Dockerfile', 'dockerfile'], rules);
    expect(faults.map(({ path }) => path)).toEqual(['dockerfile']);
    expect(faults[0]?.reason).toContain('differs from "Dockerfile" only by case');
    expect(checkPaths(['k8s/\u00e9.yaml', 'k8s/e\u0301.yaml'], rules)).toHaveLength(1);
    expect(checkPaths(['k8s/A/x.yaml', 'k8s/a/y.yaml'], rules)).toHaveLength(1);
    expect(checkPaths(['k8s/stra\u00dfe', 'k8s/STRASSE'], rules)).toHaveLength(1);
  });
  it('refuses the same path twice, and a file that would be a directory', () => {
    expect(checkPaths(['Makefile', 'Makefile'], rules)[0]?.reason).toContain('twice');
    expect(checkPaths(['k8s/a', 'k8s/a/b'], rules)[0]?.reason).toContain('a file and a directory');
    expect(checkPaths(['k8s/a/b', 'k8s/a'], rules)[0]?.reason).toContain('a file and a directory');
  });
  it('accepts neighbours, and holds each to the scope of its skill, whatever the flag', () => {
    expect(checkPaths(['k8s/a', 'k8s/b', 'k8s/c/d', 'k8s/c/e'], rules)).toEqual([]);
    const scoped = checkPaths(['Dockerfile', 'Makefile'], { ...rules, allowAllPaths: true, scope: ['Dockerfile'] });
    expect(scoped).toEqual([{ path: 'Makefile', reason: expect.stringContaining('its skill may write') }]);
  });
});

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '..',
        '.',
        '',
        '.git',
        'GIT~1',
        'a',
        'Dockerfile',
        '~',
        'C:',
        '\\',
        '/',
        ZWSP,
        RLO,
        'é',
        ' ',
        '\0',
      ),
      fc.string({ unit: 'binary', maxLength: 6 }),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(parts.length % 2 ? '/' : ''));

describe('properties', () => {
  it('no accepted path resolves outside the root, or into git or Planwright', () => {
    fc.assert(
      fc.property(hostile, (path) => {
        if (checkPath(path) !== null) return;
        expect(relative('/w', resolve('/w', path))).toBe(path);
        expect(path.toLowerCase().split('/')).not.toContain('.git');
      }),
      { numRuns: 2000 },
    );
  });
  it('a refusal is one printable line', () => {
    fc.assert(fc.property(hostile, (path) => !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(checkPath(path) ?? '')));
  });
  it('the key of a path is its own key, and is blind to case and form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (path) => {
        const key = pathKey(path);
        expect(pathKey(key)).toBe(key);
        expect(pathKey(path.normalize('NFD'))).toBe(key);
        expect(pathKey(path.toUpperCase())).toBe(key);
      }),
      { numRuns: 2000 },
    );
  });
});
