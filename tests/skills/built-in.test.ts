import { validate } from 'dockerfile-utils';
import fc from 'fast-check';
import { parse, parseDocument } from 'yaml';
import type { WorkspaceFacts } from '../../plan/types';
import { loadSkills } from '../../skills/load';
import { renderTemplates } from '../../skills/render';
import type { Skill } from '../../skills/types';
import { facts, PROJECTS } from './facts';

let skills: Map<string, Skill>;
beforeAll(async () => {
  skills = await loadSkills();
});

/** The files of all four skills, in the order of a usual plan: each sees those before it. */
function rendered(
  ws: WorkspaceFacts,
  order = ['dockerfile', 'github-actions', 'docker-compose', 'makefile'],
): { [path: string]: string } {
  const existing: { [path: string]: string } = {};
  for (const name of order) {
    const skill = skills.get(name);
    if (!skill) throw new Error(name);
    for (const { path, content } of renderTemplates(skill, { input: {}, ws, existing: { ...existing } }))
      existing[path] = content;
  }
  return existing;
}

const file = (project: string, path: string): string => {
  const ws = PROJECTS[project];
  if (!ws) throw new Error(project);
  return rendered(ws)[path] ?? '';
};
const CI = '.github/workflows/ci.yml';

describe.each(Object.keys(PROJECTS))('for a %s', (project) => {
  it('gives text files with one final line end and no trailing spaces', () => {
    for (const content of Object.values(rendered(PROJECTS[project] ?? facts({})))) {
      expect(content).toMatch(/[^\n]\n$/);
      expect(content).not.toMatch(/[ \t]$/m);
      expect(content).not.toMatch(/\{%|undefined|null\b|\[object/);
    }
  });

  it('gives a workflow and a compose file that are valid YAML, and a Dockerfile without faults', () => {
    for (const path of [CI, 'docker-compose.yml']) {
      const document = parseDocument(file(project, path));
      expect([...document.errors, ...document.warnings]).toEqual([]);
    }
    expect(validate(file(project, 'Dockerfile'))).toEqual([]);
  });

  it('gives a workflow with least permissions and limits, whose jobs have steps', () => {
    const workflow = parse(file(project, CI));
    expect(workflow.permissions).toEqual({ contents: 'read' });
    expect(workflow.concurrency['cancel-in-progress']).toBe(true);
    expect(Object.keys(workflow.on)).toEqual(['push', 'pull_request']);
    for (const job of Object.values<{ steps: unknown[]; 'timeout-minutes': number }>(workflow.jobs)) {
      expect(job['timeout-minutes']).toBeGreaterThan(0);
      expect(job.steps.length).toBeGreaterThan(1);
    }
    for (const [, action, ref] of file(project, CI).matchAll(/uses: (\S+)@(\S+)/g)) {
      expect(ref).toMatch(action?.startsWith('actions/') ? /^v\d+$/ : /^[0-9a-f]{40}$/);
    }
  });

  it('runs the container as a user without privileges, from a tagged image', () => {
    const dockerfile = file(project, 'Dockerfile');
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    expect(last).toMatch(/\nUSER (?!root)|nonroot/);
    for (const [, image] of dockerfile.matchAll(/^FROM (\S+)/gm)) {
      if (image?.includes('/') || image?.includes(':')) expect(image).toMatch(/:(?!latest).+/);
    }
    expect(dockerfile).not.toMatch(/curl|sudo|ADD /);
  });

  it('gives a Makefile of tabs whose default lists it', () => {
    const makefile = file(project, 'Makefile');
    expect(makefile).toContain('.DEFAULT_GOAL := help');
    for (const line of makefile.split('\n')) expect(line).not.toMatch(/^ /);
    const targets = [...makefile.matchAll(/^([a-z-]+):/gm)].map((match) => match[1]);
    expect(new Set(targets).size).toBe(targets.length);
    for (const target of targets) expect(makefile).toContain(`.PHONY: ${target}\n`);
  });
});

it('caches dependencies only where a lock file exists', () => {
  expect(file('node app with npm', CI)).toContain('cache: npm');
  expect(file('node library without lock file', CI)).not.toContain('cache');
  expect(file('node library without lock file', 'Dockerfile')).toContain(
    'RUN --mount=type=cache,target=/root/.npm npm install\n',
  );
});

it('tests a library on every version it promises, and lints it once', () => {
  const { jobs } = parse(file('node library without lock file', CI));
  expect(jobs.test.strategy).toEqual({ 'fail-fast': false, matrix: { node: ['18', '22', '24'] } });
  expect(jobs.lint.steps.at(-1)).toEqual({ name: 'Lint', run: 'npm run lint' });
  expect(jobs.test.steps.map((step: { run?: string }) => step.run).filter(Boolean)).toEqual([
    'npm install',
    'npm test',
  ]);
});

it('sets pnpm, yarn and bun up before or instead of their cache', () => {
  const order = (project: string): string[] =>
    [
      ...file(project, CI).matchAll(
        /uses: (pnpm\/action-setup|actions\/setup-node|oven-sh\/setup-bun)|run: (corepack enable)/g,
      ),
    ].map((m) => m[1] ?? m[2] ?? '');
  expect(order('typescript library with pnpm').slice(0, 2)).toEqual(['pnpm/action-setup', 'actions/setup-node']);
  expect(order('typescript app with yarn 4')).toEqual(['corepack enable', 'actions/setup-node']);
  expect(order('node tool with bun')[0]).toBe('oven-sh/setup-bun');
  const declared = facts({
    ...PROJECTS['typescript library with pnpm'],
    packageManager: { name: 'pnpm', version: '9.12.1', lockfile: 'pnpm-lock.yaml' },
  });
  expect(rendered(declared)[CI]).not.toContain('version: 9');
});

it('reads the version from the file that states it', () => {
  expect(file('typescript app with yarn 4', CI)).toContain('node-version-file: .nvmrc');
  expect(file('fastapi app with uv', CI)).toContain('python-version-file: .python-version');
  expect(file('go service', CI)).toContain('go-version-file: go.mod');
});

it('installs no checker beside the project that declares it', () => {
  const { jobs } = parse(file('python library with pip', CI));
  // The install command brings the declared checkers, pinned as the project pins them.
  expect(jobs.lint.steps.map((step: { run?: string }) => step.run).filter(Boolean)).toEqual([
    'pip install -e ".[test]"',
    'ruff check .',
  ]);
  expect(jobs.test.strategy.matrix.python).toEqual(['3.10', '3.11', '3.12', '3.13']);
});

it('invents no test command', () => {
  const silent = rendered(facts({ ...PROJECTS['node app with npm'], test: null }));
  expect(silent[CI]).toContain('# No test command was found in the project, so none is run here.');
  expect(silent[CI]).not.toContain('npm test');
  expect(silent.Makefile).not.toMatch(/^test:/m);
});

it('starts a Node application itself, without npm in between, with production dependencies only', () => {
  const dockerfile = file('node app with npm', 'Dockerfile');
  expect(dockerfile).toContain('FROM node:22-slim AS base');
  expect(dockerfile).toContain('npm ci --omit=dev');
  expect(dockerfile).toContain('EXPOSE 3000');
  expect(dockerfile).toMatch(/HEALTHCHECK .*\\\n {4}CMD \["node", "-e", ".*\/healthz/);
  expect(dockerfile).toMatch(/\nCMD \["node", "server.js"\]\n$/);
});

it('builds TypeScript in its own stage and ships the output only', () => {
  const dockerfile = file('typescript app with yarn 4', 'Dockerfile');
  expect(dockerfile).toContain('COPY --from=build /app/dist ./dist');
  expect(dockerfile).toContain('yarn workspaces focus --all --production');
  expect(dockerfile).toContain('npm pkg delete scripts.prepare');
  expect(dockerfile).toContain('CMD ["node", "dist/main.js"]');
  expect(dockerfile).not.toContain('HEALTHCHECK');
});

it('takes a built workspace as a whole, with the dependencies that it needs to run', () => {
  const dockerfile = file('node monorepo with yarn 1', 'Dockerfile');
  expect(dockerfile).toContain('COPY --from=build /app ./');
  expect(dockerfile).not.toMatch(/rm -rf node_modules|AS dependencies/);
  const npm = rendered(
    facts({
      ...PROJECTS['node monorepo with yarn 1'],
      packageManager: { name: 'npm', version: null, lockfile: 'package-lock.json' },
    }),
  );
  expect(npm.Dockerfile).toMatch(/RUN yarn build\n.*\nRUN npm prune --omit=dev --ignore-scripts\n/);
});

it('keeps the package manager where a script needs a shell or has a hook before it', () => {
  const base = facts({ ...PROJECTS['node app with npm'] });
  const cmd = (scripts: WorkspaceFacts['scripts']): string | undefined =>
    /^CMD .*$/m.exec(rendered({ ...base, scripts }).Dockerfile ?? '')?.[0];
  expect(cmd({ start: 'node a.js && node b.js' })).toBe('CMD ["npm", "start"]');
  expect(cmd({ start: 'node a.js', prestart: 'node migrate.js' })).toBe('CMD ["npm", "start"]');
  expect(cmd({ start: 'nodemon server.js' })).toBe('CMD ["node", "server.js"]');
});

it('makes a library a place to run its tests, and a tool an entry point', () => {
  expect(file('python library with pip', 'Dockerfile')).toMatch(
    /A library has nothing to start[\s\S]*CMD \["pytest"\]\n$/,
  );
  expect(file('node library without lock file', 'Dockerfile')).toMatch(/CMD \["npm", "test"\]\n$/);
  expect(file('node tool with bun', 'Dockerfile')).toMatch(/ENTRYPOINT \["node", "bin\/tool.js"\]\n$/);
  expect(file('node library without lock file', 'Dockerfile')).not.toContain('EXPOSE');
});

it('gives Python a virtual environment, and Go, Rust and Java an image without their compilers', () => {
  expect(file('flask app with poetry', 'Dockerfile')).toMatch(
    /COPY --from=build \/opt\/venv \/opt\/venv[\s\S]*CMD \["gunicorn", "--bind", "0.0.0.0:8000", "notes.app:create_app\(\)"\]/,
  );
  expect(file('fastapi app with uv', 'Dockerfile')).toContain('uv sync --no-dev --no-install-project --locked');
  expect(file('django app with pip', 'Dockerfile')).toContain('COPY requirements.txt ./');
  expect(file('go service', 'Dockerfile')).toMatch(
    /go build -trimpath .* \.\/cmd\/gateway\n[\s\S]*static-debian12:nonroot/,
  );
  expect(file('rust tool', 'Dockerfile')).toMatch(/install -D target\/release\/ripper[\s\S]*cc-debian12:nonroot/);
  expect(file('java service with maven', 'Dockerfile')).toMatch(
    /mvnw -B package -DskipTests[\s\S]*eclipse-temurin:21-jre/,
  );
});

it('composes the services that the dependencies speak of, healthy before the application starts', () => {
  const compose = parse(file('node app with npm', 'docker-compose.yml'));
  expect(compose.version).toBeUndefined();
  expect(Object.keys(compose.services)).toEqual(['app', 'postgres', 'redis']);
  expect(compose.services.app).toMatchObject({
    init: true,
    restart: 'unless-stopped',
    ports: ['3000:3000'],
    environment: {
      DATABASE_URL: 'postgresql://app:${POSTGRES_PASSWORD}@postgres:5432/shop',
      // Unset stays unset: an empty string would override the code's own default.
      LOG_LEVEL: null,
      PORT: '3000',
      REDIS_URL: 'redis://redis:6379',
      SESSION_SECRET: '${SESSION_SECRET:?set SESSION_SECRET in .env}',
    },
    depends_on: { postgres: { condition: 'service_healthy' }, redis: { condition: 'service_healthy' } },
  });
  for (const name of ['postgres', 'redis']) {
    expect(compose.services[name].healthcheck.test.length).toBeGreaterThan(1);
    expect(compose.services[name].ports).toBeUndefined();
    expect(compose.volumes).toHaveProperty(`${name}-data`);
  }
});

it('publishes nothing and restarts nothing for a library', () => {
  expect(parse(file('python library with pip', 'docker-compose.yml')).services).toEqual({
    test: { build: { context: '.' }, init: true },
  });
});

it('never lets a hostile workspace break out of a file', () => {
  const part = fc.constantFrom(
    'a',
    ' ',
    '\n',
    '\r',
    '\u2028',
    '${{ secrets.X }}',
    '$(id)',
    '`id`',
    '"',
    "'",
    '\\',
    '#',
    ': ',
    '\t',
    '{{',
    '%}',
    '&&',
    '<<EOF',
    '- x',
    '\nUSER root\n',
    '\n  evil:\n',
  );
  const text = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
  const known = Object.values(PROJECTS);
  fc.assert(
    fc.property(fc.constantFrom(...known), text, text, text, (base, name, run, source) => {
      const command = { run, source };
      const commands = { install: command, build: command, test: command, lint: command, start: command };
      const ws: WorkspaceFacts = {
        ...base,
        ...commands,
        name,
        defaultBranch: name,
        entryPoint: run,
        buildOutput: run,
        healthPath: run,
        envNames: [name, ...base.envNames],
        nativeDependencies: [name],
        scripts: { start: run, [name]: run },
        runtime: { version: run, source },
        testVersions: base.testVersions.map((version) => version + run),
        packageManager: base.packageManager && { ...base.packageManager, version: name, lockfile: run },
        topLevel: [name, ...base.topLevel],
      };
      const harmless = { run: 'x', source: 'y' };
      const clean = { ...ws, install: harmless, build: harmless, test: harmless, lint: harmless, start: harmless };
      const [files, plain] = [rendered(ws), rendered(clean)];
      const workflow = parse(files[CI] ?? '', { version: '1.1', schema: 'core' });
      expect(Object.keys(workflow.jobs).sort()).toEqual(Object.keys(parse(plain[CI] ?? '').jobs).sort());
      for (const [, context] of JSON.stringify(workflow)
        .replaceAll("${{ '${{' }}", '')
        .matchAll(/\$\{\{ *(\w*)/g)) {
        expect(['github', 'matrix', 'runner', 'hashFiles']).toContain(context);
      }
      const compose = parse(files['docker-compose.yml'] ?? '');
      expect(Object.keys(compose.services).slice(1)).toEqual(
        Object.keys(parse(plain['docker-compose.yml'] ?? '').services).slice(1),
      );
      expect(validate(files.Dockerfile ?? '').filter(({ severity }) => severity === 1)).toEqual([]);
      expect(files.Dockerfile).not.toMatch(/^USER root/m);
      for (const line of (files.Makefile ?? '').split('\n'))
        expect(line).toMatch(/^(\t.*|#.*|\.PHONY: [a-z-]+|\.DEFAULT_GOAL := help|[a-z-]+:[a-z -]*## .*|)$/);
      // In a comment make expands nothing.
      expect((files.Makefile ?? '').replace(/^#.*$/gm, '')).not.toMatch(/(^|[^$])(\$\$)*\$[({](?!MAKEFILE_LIST|ARGS)/m);
    }),
    { numRuns: 60 },
  );
});
