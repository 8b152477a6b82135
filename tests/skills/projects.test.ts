import type { JsonObject, WorkspaceFacts } from '../../plan/types';
import { loadSkills } from '../../skills/load';
import { renderTemplates } from '../../skills/render';
import type { Skill } from '../../skills/types';
import { facts, PROJECTS } from './facts';

/** What maintainers of real projects objected to, each as a rule. */

let skills: Map<string, Skill>;
beforeAll(async () => {
  skills = await loadSkills();
});

function files(
  name: string,
  ws: WorkspaceFacts,
  existing: { [path: string]: string } = {},
  input: JsonObject = {},
): { [path: string]: string } {
  const skill = skills.get(name);
  if (!skill) throw new Error(name);
  return Object.fromEntries(
    renderTemplates(skill, { input, ws, existing }).map(({ path, content }) => [path, content]),
  );
}
const project = (name: string, more: Partial<WorkspaceFacts> = {}): WorkspaceFacts =>
  facts({ ...PROJECTS[name], ...more });
const dockerfile = (ws: WorkspaceFacts): string => files('dockerfile', ws).Dockerfile ?? '';
const makefile = (ws: WorkspaceFacts, input: JsonObject = {}): string =>
  files('makefile', ws, {}, input).Makefile ?? '';

describe('a Node project without dependencies for production', () => {
  const bare = project('node app with npm', { runtimeDependencies: 0 });

  it('copies no node_modules, since an install makes none', () => {
    expect(dockerfile(bare)).not.toMatch(/node_modules|AS dependencies/);
    expect(dockerfile(bare)).toContain('COPY . .\n');
    expect(dockerfile(project('node app with npm', { runtimeDependencies: 1 }))).toContain(
      'COPY --from=dependencies /app/node_modules ./node_modules',
    );
  });

  it('still builds with its development dependencies', () => {
    const build = { run: 'npm run build', source: 'package.json scripts.build' };
    const stated = dockerfile({ ...bare, build, buildOutput: 'dist', entryPoint: 'dist/server.js', typescript: true });
    expect(stated).toMatch(/AS build\n(.*\n)*RUN .* npm ci\n/);
    expect(stated).toContain('COPY --from=build /app/dist ./dist');
    expect(stated).not.toContain('--from=dependencies');
    const unstated = dockerfile({ ...bare, build, buildOutput: null });
    expect(unstated).toContain('COPY --from=build /app ./');
    expect(unstated).not.toContain('--from=dependencies');
  });

  it('keeps the stage where the start command is a development tool', () => {
    const scripts = { ...bare.scripts, start: 'tsx src/server.ts' };
    expect(dockerfile({ ...bare, scripts, entryPoint: 'src/server.ts' })).toContain('--from=dependencies');
  });
});

it('says that a range allows a version, not that it names it', () => {
  const ws = project('node app with npm', {
    engines: '>=20',
    runtime: { version: '24', source: 'package.json engines.node' },
  });
  expect(dockerfile(ws)).toContain(
    '# Node.js 24: the newest maintained version that package.json engines.node (>=20) allows.',
  );
  expect(dockerfile({ ...ws, runtime: { version: '22', source: '.nvmrc' } })).toContain('# Node.js 22: .nvmrc.');
});

it('puts no sources beside a Python tool that is installed', () => {
  expect(dockerfile(project('python tool with pip')).split('AS runtime')[1]).not.toContain('COPY . .');
  const poetry = { name: 'poetry', version: null, lockfile: 'poetry.lock' };
  expect(dockerfile(project('python tool with pip', { packageManager: poetry })).split('AS runtime')[1]).toContain(
    'COPY . .',
  );
});

it('ignores nothing that a Dockerfile needs that was there before', () => {
  const kept = 'FROM golang:1.24\nCOPY . .\nRUN git describe --tags\nCOPY target/app .npmrc /x/\n';
  for (const name of ['rust tool', 'go service', 'node app with npm']) {
    const lines = (files('dockerfile', project(name), { Dockerfile: kept })['.dockerignore'] ?? '').split('\n');
    expect(lines).toContain('.github');
    for (const needed of ['.git', 'target', '.npmrc']) expect(lines).not.toContain(needed);
  }
  expect(files('dockerfile', project('rust tool'))['.dockerignore']).toMatch(/^\.git$[\s\S]*^target$/m);
});

it('lints once where the test script lints by itself', () => {
  const scripts = { test: 'npm run lint && mocha', lint: 'eslint .' };
  const ws = project('node library without lock file', {
    scripts,
    lint: { run: 'npm run lint', source: 'package.json scripts.lint' },
    test: { run: 'npm test', source: 'package.json scripts.test' },
    typecheck: null,
  });
  expect(files('github-actions', ws)['.github/workflows/ci.yml']).not.toContain('npm run lint');
  expect(makefile(ws)).toContain('lint: ## Run the linter');
  expect(makefile(ws)).not.toContain('check: lint test');
});

describe('a Makefile', () => {
  it('does not take the word "install" of Go and Rust for fetching modules', () => {
    expect(makefile(project('rust tool'))).toMatch(/^deps: .*\n\tcargo fetch --locked$/m);
    expect(makefile(project('rust tool'))).not.toMatch(/^install:/m);
    expect(makefile(project('node app with npm'))).toMatch(/^install:/m);
  });

  it('passes arguments on to a tool', () => {
    expect(makefile(project('rust tool'))).toContain('\tcargo run --release -- $(ARGS)');
    expect(makefile(project('node app with npm'))).not.toContain('ARGS');
  });

  it('runs what does not serve once, by the name of its service', () => {
    const input = { composeFile: 'docker-compose.yml', service: 'test' };
    expect(makefile(project('go library'), input)).toContain('\tdocker compose run --rm --build test\n');
    expect(makefile(project('go library'), input)).not.toContain('compose-up');
    expect(makefile(project('node app with npm'), { ...input, service: 'app' })).toContain('compose-up');
    const before = { 'docker-compose': ['docker-compose.yml'] };
    expect(makefile(project('go library', { existing: before }), input)).toContain('compose-up');
  });
});

describe('the workflow that exists', () => {
  const pull = 'on: [pull_request]\n';
  const written = (ws: WorkspaceFacts, existing: { [path: string]: string }): string[] =>
    Object.keys(files('github-actions', { ...ws, existing: { 'github-actions': Object.keys(existing) } }, existing));

  it('is found by its words, the one of the package manager first', () => {
    const java = project('java service with maven');
    const existing = {
      '.github/workflows/gradle-build.yml': pull,
      '.github/workflows/maven-build.yml': pull,
      '.github/workflows/test-docs.yml': pull,
    };
    expect(written(java, existing)).toEqual(['.github/workflows/maven-build.yml']);
    expect(written(project('go library'), { '.github/workflows/unit-tests.yml': pull })).toEqual([
      '.github/workflows/unit-tests.yml',
    ]);
  });

  it('is not one that never sees a pull request, or that does something else', () => {
    const others = { '.github/workflows/release-build.yml': 'on: push\n', '.github/workflows/docs.yml': pull };
    expect(written(project('go library'), others)).toEqual(['.github/workflows/ci.yml']);
  });
});

it('starts what was built, where the start script builds first', () => {
  const scripts = { start: 'npm run build && node dist/server.js', build: 'tsc' };
  const build = { run: 'npm run build', source: 'package.json scripts.build' };
  const ws = project('node app with npm', {
    scripts,
    build,
    buildOutput: 'dist',
    entryPoint: 'dist/server.js',
    typescript: true,
  });
  expect(dockerfile(ws)).toContain('CMD ["node", "dist/server.js"]');
});

it('checks with make what CI checks, the build included', () => {
  expect(makefile(project('rust tool'))).toContain('check: lint build test ## Run everything that CI checks');
});

it('runs the start script itself where its hook is the build', () => {
  const scripts = { 'prestart:prod': 'tsc', 'start:prod': 'node dist/main.js' };
  const build = { run: 'npm run prestart:prod', source: 'package.json scripts.prestart:prod' };
  const start = { run: 'npm run start:prod', source: 'package.json scripts.start:prod' };
  const ws = project('node app with npm', { scripts, build, start, buildOutput: 'dist', entryPoint: 'dist/main.js' });
  expect(dockerfile(ws)).toContain('CMD ["node", "dist/main.js"]');
  expect(dockerfile({ ...ws, build: null })).toContain('CMD ["npm", "run", "start:prod"]');
});

it('generates the client of Prisma where its schema and its tool are, and takes it along', () => {
  const build = { run: 'npm run build', source: 'package.json scripts.build' };
  const ws = project('node app with npm', {
    build,
    buildOutput: 'dist',
    prismaSchema: 'prisma/schema.prisma',
  });
  expect(dockerfile(ws)).toMatch(/COPY \. \.\nRUN .* npm ci\nRUN npx prisma generate\nRUN npm run build\n/);
  expect(dockerfile(ws)).toContain('--no-install-recommends openssl');
  expect(dockerfile({ ...ws, prismaSchema: 'src/db/schema.prisma' })).toContain(
    'prisma generate --schema src/db/schema.prisma\n',
  );
  expect(dockerfile({ ...ws, prismaSchema: undefined })).not.toMatch(/prisma|openssl/);
  expect(dockerfile(ws)).toMatch(/RUN npm prune --omit=dev[\s\S]*COPY --from=build \/app \.\/\n/);
});

it('publishes no port of what does not serve', () => {
  const ws = project('node monorepo with yarn 1', {
    start: null,
    library: false,
    ports: [{ port: 9524, source: 'a.ts:1' }],
  });
  expect(makefile(ws, { dockerfile: 'Dockerfile' })).toContain('docker run --rm --init mono');
  expect(makefile(ws, { dockerfile: 'Dockerfile' })).not.toContain('--publish');
});

it('builds C code of Go against the libc of the final image', () => {
  const ws = project('go service', { nativeDependencies: ['github.com/mattn/go-sqlite3'] });
  expect(dockerfile(ws)).toMatch(/^FROM golang:[\d.]+-bookworm AS build$/m);
  expect(dockerfile(ws)).toContain('FROM gcr.io/distroless/base-debian12:nonroot AS runtime');
});
