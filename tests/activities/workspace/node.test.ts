import { factsOf, removeProjects } from './fixture';

afterEach(removeProjects);

const service = {
  'package.json': {
    name: 'orders',
    version: '1.0.0',
    main: 'server.js',
    scripts: { start: 'node server.js', test: 'jest', lint: 'eslint .' },
    engines: { node: '>=20' },
    dependencies: { express: '^5.0.0', pg: '^8.0.0', ioredis: '^5.0.0', bcrypt: '^6.0.0' },
    devDependencies: { mongoose: '^8.0.0', 'connect-redis': '^8.0.0' },
  },
  'package-lock.json': '{}',
  'server.js': [
    "const app = require('express')();",
    '// app.listen(9999)',
    "app.get('/healthz', (_q, s) => s.send('ok'));",
    'const port = process.env.PORT || 3000;',
    'const db = { port: process.env.DB_PORT || 5432, url: process.env.DATABASE_URL };',
    'app.listen(port);',
  ].join('\n'),
  'test/server.test.js': 'app.listen(4444); process.env.TEST_ONLY;',
};

describe('facts of a Node service', () => {
  it('come from its manifest, lock file and code', async () => {
    expect(await factsOf(service)).toMatchObject({
      name: 'orders',
      language: 'node',
      typescript: false,
      library: false,
      cli: false,
      runtime: { version: '24', source: 'package.json engines.node' },
      testVersions: ['20', '22', '24'],
      engines: '>=20',
      packageManager: { name: 'npm', version: null, lockfile: 'package-lock.json' },
      install: { run: 'npm ci', source: 'package-lock.json' },
      build: null,
      test: { run: 'npm test', source: 'package.json scripts.test' },
      lint: { run: 'npm run lint', source: 'package.json scripts.lint' },
      start: { run: 'npm start', source: 'package.json scripts.start' },
      entryPoint: 'server.js',
      ports: [{ port: 3000, source: 'server.js:4' }],
      healthPath: '/healthz',
      services: ['postgres', 'redis'],
      envNames: ['DATABASE_URL', 'DB_PORT', 'PORT'],
      nativeDependencies: ['bcrypt'],
    });
  });

  it('do not count services of development dependencies', async () => {
    expect((await factsOf(service)).services).not.toContain('mongodb');
  });

  it('leave out the placeholder that npm init writes for tests', async () => {
    const facts = await factsOf({
      'package.json': { name: 'a', scripts: { test: 'echo "Error: no test specified" && exit 1' } },
    });
    expect(facts.test).toBeNull();
  });

  it('leave out a test script that never ends, and take the one for CI', async () => {
    const scripts = { test: 'jest --watch', 'test:ci': 'jest --ci' };
    expect((await factsOf({ 'package.json': { name: 'a', scripts } })).test?.run).toBe('npm run test:ci');
  });

  it('call a service without a start script by its file when that listens', async () => {
    const { scripts: _scripts, ...manifest } = service['package.json'];
    const facts = await factsOf({ ...service, 'package.json': manifest });
    expect(facts).toMatchObject({ library: false, start: { run: 'node server.js', source: 'package.json main' } });
  });

  it('follow a TypeScript service into its build output', async () => {
    const facts = await factsOf({
      'package.json': {
        name: 'api',
        private: true,
        scripts: {
          build: 'tsc -p tsconfig.json',
          start: 'node --enable-source-maps dist/main',
          typecheck: 'tsc --noEmit',
        },
        devDependencies: { typescript: '^5.0.0' },
      },
      'tsconfig.json': '{ // output\n "compilerOptions": { "outDir": "./dist/", }, }',
      'src/main.ts': "server.listen({ host: '0.0.0.0', port: 8080 });",
    });
    expect(facts).toMatchObject({
      typescript: true,
      buildOutput: 'dist',
      build: { run: 'npm run build' },
      typecheck: { run: 'npm run typecheck' },
      entryPoint: 'dist/main.js',
      ports: [{ port: 8080, source: 'src/main.ts:1' }],
    });
  });

  it('read the route and the port of a server without a framework', async () => {
    const facts = await factsOf({
      'package.json': { name: 'a', private: true, scripts: { start: 'node .' }, main: 'lib' },
      'lib/index.js': "const { PORT = 8081 } = process.env;\nif (req.url === '/health') ok();\nserver.listen(PORT);",
    });
    expect(facts).toMatchObject({
      entryPoint: 'lib/index.js',
      ports: [{ port: 8081, source: 'lib/index.js:1' }],
      healthPath: '/health',
      envNames: ['PORT'],
    });
  });

  it('are found in reasonable time in a file made to be slow', async () => {
    const facts = await factsOf({
      'package.json': { name: 'a', private: true, scripts: { start: 'node a.js' } },
      'a.js': `${'a.'.repeat(50_000)}\nprocess.env.PORT${' '.repeat(60_000)}\n${'{'.repeat(20_000)}`,
    });
    expect(facts.ports).toEqual([]);
  });

  it('give no health path where a router is mounted somewhere that cannot be seen', async () => {
    const facts = await factsOf({
      'package.json': { name: 'a', private: true, scripts: { start: 'node app.js' } },
      'app.js': "app.use('/api', require('./routes/health'));",
      'routes/health.js': "router.get('/health', handler);",
    });
    expect(facts.healthPath).toBeNull();
  });
});

it('a hook that compiles before the start is the build', async () => {
  const facts = await factsOf({
    'package.json': {
      name: 'a',
      private: true,
      scripts: { 'prestart:prod': 'tsc', 'start:prod': 'node dist/main.js' },
    },
    'tsconfig.json': '{"compilerOptions":{"outDir":"dist"}}',
  });
  expect(facts).toMatchObject({
    build: { run: 'npm run prestart:prod' },
    buildOutput: 'dist',
    start: { run: 'npm run start:prod' },
    entryPoint: 'dist/main.js',
  });
});

describe('the package manager and its install command', () => {
  const manifest = { name: 'a', private: true };
  it.each([
    ['npm without a lock file', manifest, {}, 'npm install'],
    ['npm with one', manifest, { 'package-lock.json': '{}' }, 'npm ci'],
    ['npm with a shrinkwrap', manifest, { 'npm-shrinkwrap.json': '{}' }, 'npm ci'],
    [
      'npm whose lock file git ignores',
      manifest,
      { 'package-lock.json': '{}', '.gitignore': 'package-lock.json\n' },
      'npm install',
    ],
    ['yarn classic', manifest, { 'yarn.lock': '# yarn lockfile v1\n' }, 'yarn install --frozen-lockfile'],
    [
      'yarn berry by its lock file',
      manifest,
      { 'yarn.lock': '__metadata:\n  version: 8\n' },
      'yarn install --immutable',
    ],
    [
      'yarn berry by its field',
      { ...manifest, packageManager: 'yarn@4.5.0' },
      { 'yarn.lock': '' },
      'yarn install --immutable',
    ],
    ['pnpm', manifest, { 'pnpm-lock.yaml': "lockfileVersion: '9.0'\n" }, 'pnpm install --frozen-lockfile'],
    ['pnpm named by a script alone', { ...manifest, scripts: { test: 'pnpm test:a && x' } }, {}, 'pnpm install'],
    ['bun', manifest, { 'bun.lock': '{}' }, 'bun install --frozen-lockfile'],
  ])('is right for %s', async (_name, packageJson, files, run) => {
    expect((await factsOf({ 'package.json': packageJson, ...files })).install?.run).toBe(run);
  });

  it('takes the version from the packageManager field without its hash', async () => {
    const facts = await factsOf({ 'package.json': { ...manifest, packageManager: 'pnpm@10.2.1+sha512.abc' } });
    expect(facts.packageManager).toEqual({ name: 'pnpm', version: '10.2.1', lockfile: null });
  });

  it('runs a script named test by its script under bun, which has a test command of its own', async () => {
    const facts = await factsOf({ 'package.json': { ...manifest, scripts: { test: 'vitest run' } }, 'bun.lock': '' });
    expect(facts.test?.run).toBe('bun run test');
  });
});

describe('what a package is', () => {
  it('is a library where it has what only a registry needs and nothing starts it', async () => {
    const facts = await factsOf({
      'package.json': {
        name: 'lib',
        version: '5.0.0',
        files: ['lib/'],
        engines: { node: '>= 18' },
        scripts: { test: 'mocha' },
      },
      'index.js': "module.exports = require('./lib/app');",
      'lib/app.js':
        'app.listen = function () { return http.createServer(this).listen(3000); }; process.env.PORT || 3000;',
    });
    expect(facts).toMatchObject({
      library: true,
      start: null,
      entryPoint: null,
      ports: [],
      testVersions: ['18', '22', '24'],
    });
  });

  it('is a tool where it has a command and no service, and then serves no port', async () => {
    const facts = await factsOf({
      'package.json': {
        name: 'say',
        version: '1.0.0',
        main: './index',
        bin: { say: './cli.js' },
        files: ['cli.js'],
        engines: { node: '>= 4' },
      },
      'cli.js': '#!/usr/bin/env node\nconst port = 8000;',
    });
    expect(facts).toMatchObject({
      library: false,
      cli: true,
      start: { run: 'node cli.js' },
      entryPoint: 'cli.js',
      ports: [],
    });
    expect(facts.testVersions).toEqual(['22', '24']);
  });

  it('is a library where its start script only shows a demonstration', async () => {
    const facts = await factsOf({
      'package.json': { name: 'ui', version: '1.0.0', exports: './index.js', scripts: { start: 'node demo.js' } },
      'index.js': 'module.exports = {};',
    });
    expect(facts).toMatchObject({ library: true, start: null });
  });

  it('is neither where a private front end is only built', async () => {
    const facts = await factsOf({
      'package.json': { name: 'web', private: true, scripts: { build: 'vite build', dev: 'vite' } },
    });
    expect(facts).toMatchObject({ library: false, start: null, buildOutput: 'dist' });
  });

  it('has the packages of its workspaces, and their services', async () => {
    const facts = await factsOf({
      'package.json': { name: 'mono', private: true, workspaces: ['packages/*', '!packages/old'] },
      'packages/api/package.json': { name: 'api', dependencies: { pg: '1' } },
      'packages/old/package.json': { name: 'old', dependencies: { mysql2: '1' } },
    });
    expect(facts).toMatchObject({ packages: ['packages/api'], services: ['postgres'] });
  });
});

describe('the Node version', () => {
  it.each([
    ['.nvmrc', { '.nvmrc': 'v20.11.0\n' }, '20'],
    ['an LTS name', { '.nvmrc': 'lts/jod\n' }, '22'],
    ['.node-version', { '.node-version': '22\n' }, '22'],
    ['.tool-versions', { '.tool-versions': 'ruby 3.3.0\nnodejs 22.4.1\n' }, '22'],
    ['its own Dockerfile', { Dockerfile: 'FROM node:22-alpine\n' }, '22'],
  ])('comes from %s, and a service is tested on that one', async (_name, files, version) => {
    const facts = await factsOf({
      'package.json': { name: 'a', private: true, scripts: { start: 'node a.js' } },
      ...files,
    });
    expect(facts.runtime?.version).toBe(version);
    expect(facts.testVersions).toEqual([version]);
  });

  it.each([
    ['^20.9.0 || >=22', '24', ['20', '22', '24']],
    ['22.x', '22', ['22']],
    ['<21', '20', ['20']],
    ['16', '16', ['16']],
    ['nonsense', '24', ['22', '24']],
  ])('follows engines "%s"', async (range, version, lines) => {
    const facts = await factsOf({ 'package.json': { name: 'a', private: true, engines: { node: range } } });
    expect(facts.runtime?.version).toBe(version);
    expect(facts.testVersions).toEqual(lines);
  });
});

it('survives a manifest in which everything has the wrong type', async () => {
  const facts = await factsOf({
    'package.json': {
      name: 7,
      scripts: [],
      engines: 'x',
      bin: 3,
      workspaces: { packages: 'a' },
      dependencies: null,
      main: {},
    },
  });
  expect(facts).toMatchObject({ name: 'shop', language: 'node', test: null });
});

describe('what a production install brings', () => {
  const of = async (manifest: object): Promise<number | undefined> =>
    (await factsOf({ 'package.json': { name: 'a', ...manifest } })).runtimeDependencies;

  it('is counted by the manifest, without development dependencies', async () => {
    expect(await of({ devDependencies: { jest: '1' } })).toBe(0);
    expect(await of({ dependencies: { a: '1' }, optionalDependencies: { b: '1' }, peerDependencies: { c: '1' } })).toBe(
      3,
    );
  });

  it('is not known without a manifest', async () => {
    expect((await factsOf({ 'a.js': '' })).runtimeDependencies).toBeUndefined();
  });
});

describe('scripts for CI', () => {
  const testOf = async (scripts: object): Promise<string | undefined> =>
    (await factsOf({ 'package.json': { name: 'a', scripts } })).test?.run;

  it('are taken where the everyday test also lints', async () => {
    const unit = { test: 'npm run lint && npm run unit', unit: 'borp' };
    expect(await testOf({ ...unit, 'test:ci': 'npm run unit' })).toBe('npm run test:ci');
    expect(await testOf({ ...unit, 'test-ci': 'nyc npm test' })).toBe('npm test');
    expect(await testOf({ test: 'mocha', 'test-ci': 'nyc mocha' })).toBe('npm test');
  });
});

it('lists at the top only what a fresh clone has', async () => {
  const facts = await factsOf({
    'package.json': { name: 'a' },
    '.gitignore': 'public/\nlocal.json\n',
    'public/a.css': '',
    'views/a.html': '',
    'local.json': '{}',
  });
  expect(facts.topLevel).toEqual(['.gitignore', 'package.json', 'views/']);
});

it('lets Yarn 2 make its first lock file in CI', async () => {
  const { install } = await factsOf({ 'package.json': { name: 'a', packageManager: 'yarn@4.1.0' } });
  expect(install?.run).toBe('yarn install --no-immutable');
});

it('names the variables that the schema of Prisma reads', async () => {
  const schema = 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n';
  const facts = await factsOf({ 'package.json': { name: 'a' }, 'prisma/schema.prisma': schema });
  expect(facts).toMatchObject({ services: ['postgres'], envNames: ['DATABASE_URL'] });
  expect(facts.prismaSchema).toBeUndefined();
  const manifest = { name: 'a', dependencies: { '@prisma/client': '6' } };
  const client = await factsOf({ 'package.json': manifest, 'src/prisma/schema.prisma': schema });
  expect(client.prismaSchema).toBe('src/prisma/schema.prisma');
});

describe('a service that is easily taken for something else', () => {
  it('is started by the file that its development script watches, where another file listens', async () => {
    const facts = await factsOf({
      'package.json': { name: 'blog', version: '6.0.0', scripts: { dev: 'node --watch --import=tsx index.js' } },
      'index.js': "require('./blog');",
      'core/server.js': 'http.createServer(app).listen(config.port);',
    });
    expect(facts).toMatchObject({ library: false, start: { run: 'node index.js' }, entryPoint: 'index.js' });
  });

  it('is read in its own language where package.json only builds its front end', async () => {
    const facts = await factsOf({
      'package.json': { name: 'comments', scripts: { test: 'jest' }, devDependencies: { webpack: '^5.0.0' } },
      'pyproject.toml':
        '[project]\nname = "comments"\nversion = "1.0"\n[project.scripts]\ncomments = "comments:main"\n',
      'comments/__init__.py': 'def main():\n    pass\n',
      'comments/js/a.js': 'x',
      'comments/js/b.js': 'x',
    });
    expect(facts).toMatchObject({ language: 'python', start: { run: 'comments' } });
  });

  it('has no settings of a login session, of systemd or of Windows', async () => {
    const facts = await factsOf({
      ...service,
      'dirs.js':
        'process.env.XDG_CONFIG_HOME; process.env.NOTIFY_SOCKET; process.env.USERPROFILE; process.env.MY_SETTING;',
    });
    expect(facts.envNames).toContain('MY_SETTING');
    expect(facts.envNames.filter((name) => /^(XDG_|NOTIFY|USERPROFILE)/.test(name))).toEqual([]);
  });
});
