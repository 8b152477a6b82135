import fc from 'fast-check';
import { parse, parseAllDocuments } from 'yaml';
import type { JsonObject, WorkspaceFacts } from '../../plan/types';
import { loadSkills } from '../../skills/load';
import { nothingFor, outputPaths, renderTemplates } from '../../skills/render';
import type { Skill } from '../../skills/types';
import { facts, PROJECTS } from './facts';

/** The skills beyond the first four: what a maintainer of a real project looks for in their files. */

let skills: Map<string, Skill>;
beforeAll(async () => {
  skills = await loadSkills();
});

const NEW = 'ansible gitlab-ci helm jenkinsfile kubernetes nginx prometheus shell systemd terraform'.split(' ');

function skill(name: string): Skill {
  const found = skills.get(name);
  if (!found) throw new Error(name);
  return found;
}

function files(
  name: string,
  ws: WorkspaceFacts,
  input: JsonObject = {},
  existing: { [path: string]: string } = {},
): { [path: string]: string } {
  const rendered = renderTemplates(skill(name), { input, ws, existing });
  return Object.fromEntries(rendered.map(({ path, content }) => [path, content]));
}

const project = (name: string, more: Partial<WorkspaceFacts> = {}): WorkspaceFacts =>
  facts({ ...PROJECTS[name], ...more });
const APP = 'node app with npm';
const service = (more: Partial<WorkspaceFacts> = {}): WorkspaceFacts =>
  project(APP, { version: '1.4.2', metricsPath: '/metrics', ...more });

describe.each(NEW)('the files of %s', (name) => {
  it.each(Object.keys(PROJECTS))('are text that ends with a line end, for a %s', (which) => {
    const rendered = files(name, project(which));
    expect(Object.keys(rendered)).toEqual(outputPaths(skill(name), { input: {}, ws: project(which), existing: {} }));
    for (const [path, content] of Object.entries(rendered)) {
      expect(content).toMatch(/[^\n]\n$/);
      expect(content).not.toMatch(/[ \t]$/m);
      expect(content).not.toMatch(/undefined|\[object/);
      if (/\.ya?ml$/.test(path) && !path.includes('/templates/')) {
        for (const document of parseAllDocuments(content))
          expect([...document.errors, ...document.warnings]).toEqual([]);
      }
    }
  });

  it('hold no password, and no tag that moves', () => {
    for (const which of Object.keys(PROJECTS)) {
      const all = Object.values(files(name, project(which)))
        .join('\n')
        .replace(/automount\w+ *[:=] false/gi, '');
      expect(all).not.toMatch(/(password|secret|token)\s*[:=]\s*['"]?[a-z0-9]{4,}/i);
      expect(all).not.toMatch(/image: ?\S*:latest/);
    }
  });
});

it('writes nothing where there is nothing to deploy, and says why', () => {
  for (const name of ['kubernetes', 'helm', 'terraform', 'ansible', 'systemd']) {
    const ws = project('python library with pip');
    expect(files(name, ws)).toEqual({});
    expect(nothingFor(skill(name), { input: {}, ws, existing: {} })).toContain('nothing in it is started and stays');
    expect(nothingFor(skill(name), { input: {}, ws: service(), existing: {} })).toBe('');
  }
  expect(nothingFor(skill('prometheus'), { input: {}, ws: project(APP), existing: {} })).toContain(
    'no metrics were found',
  );
});

describe('a Deployment', () => {
  const deployment = (ws: WorkspaceFacts, input: JsonObject = {}, existing = {}) =>
    parse(files('kubernetes', ws, input, existing)['k8s/deployment.yaml'] ?? '');

  it('runs without privileges, with limits, and is asked for its health', () => {
    const { spec } = deployment(service()).spec.template;
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
    const [container] = spec.containers;
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.readinessProbe.httpGet).toEqual({ path: '/healthz', port: 'http' });
    expect(container.resources.limits.memory).toBeDefined();
    expect(container.ports).toEqual([{ name: 'http', containerPort: 3000 }]);
  });

  it('takes secrets from a Secret by name, and makes none', () => {
    const rendered = files('kubernetes', service());
    const [container] = deployment(service()).spec.template.spec.containers;
    const secret = container.env.filter((one: { valueFrom?: object }) => one.valueFrom);
    expect(secret.map((one: { name: string }) => one.name)).toEqual(['DATABASE_URL', 'REDIS_URL', 'SESSION_SECRET']);
    expect(Object.values(rendered).join('\n')).not.toMatch(/kind: Secret/);
  });

  it('takes the tag from the version that the project states, and otherwise leaves it to the release', () => {
    const kustomization = (ws: WorkspaceFacts, input: JsonObject = {}) =>
      parse(files('kubernetes', ws, input)['k8s/kustomization.yaml'] ?? '').images[0];
    expect(kustomization(service())).toEqual({ name: 'shop', newName: 'shop', newTag: '1.4.2' });
    expect(kustomization(service({ version: undefined })).newTag).toBe('TAG-TO-SET');
    expect(kustomization(service(), { image: 'registry.acme.dev:5000/shop:7' })).toEqual({
      name: 'shop',
      newName: 'registry.acme.dev:5000/shop',
      newTag: '7',
    });
  });

  it.each([
    ['FROM node:22\nUSER node\n', 1000],
    ['FROM a AS b\nUSER 7\nFROM node:22\nRUN useradd --system --uid 10001 app\nUSER app\n', 10_001],
    ['FROM gcr.io/distroless/static-debian12:nonroot\n', 65_532],
    ['FROM scratch\n', 65_532],
    ['FROM x\nUSER somebody\n', undefined],
  ])('runs as the user of the image: %j', (dockerfile, uid) => {
    const { securityContext } = deployment(service(), {}, { Dockerfile: dockerfile }).spec.template.spec;
    expect(securityContext.runAsUser).toBe(uid);
    expect(securityContext.runAsNonRoot).toBe(true);
  });

  it('serves what the image exposes rather than a port that the code names', () => {
    const ports = [
      { port: 853, source: 'prober/dns.go:10' },
      { port: 9115, source: 'Dockerfile:3' },
    ];
    expect(deployment(service({ ports })).spec.template.spec.containers[0].ports[0].containerPort).toBe(9115);
  });

  it('is not written a second time beside manifests that lie elsewhere', () => {
    const existing = { 'deploy/app.yaml': 'kind: Deployment\n' };
    const ws = service({ existing: { kubernetes: ['deploy/app.yaml'] } });
    expect(files('kubernetes', ws, {}, existing)).toEqual({});
    expect(nothingFor(skill('kubernetes'), { input: {}, ws, existing })).toContain('deploy/app.yaml');
  });
});

it('speaks of the package of a monorepo that the input names', () => {
  const api = {
    path: 'packages/api',
    name: '@acme/api',
    version: '2.0.0',
    language: 'node' as const,
    typescript: false,
    library: false,
    build: null,
    test: null,
    start: { run: 'npm start', source: 'package.json scripts.start' },
    scripts: { start: 'node server.js' },
    entryPoint: 'server.js',
    buildOutput: null,
    ports: [{ port: 4000, source: 'server.js' }],
    healthPath: null,
    services: [],
    envNames: [],
  };
  const ws = project('typescript library with pnpm', { packages: ['packages/api'], packageFacts: [api] });
  expect(files('kubernetes', ws)).toEqual({});
  expect(nothingFor(skill('kubernetes'), { input: {}, ws, existing: {} })).toContain('name the package');
  for (const named of ['packages/api', '@acme/api']) {
    const rendered = files('kubernetes', ws, { package: named });
    expect(rendered['k8s/deployment.yaml']).toContain('containerPort: 4000');
    expect(rendered['k8s/kustomization.yaml']).toContain("newTag: '2.0.0'");
  }
  expect(Object.keys(files('systemd', ws, { package: 'packages/api' }))).toEqual(['systemd/api.service']);
});

describe('a pipeline', () => {
  it('of GitLab runs no push twice, caches by the lock file, and tests what a library promises', () => {
    const pipeline = parse(files('gitlab-ci', project('typescript library with pnpm'))['.gitlab-ci.yml'] ?? '');
    expect(pipeline.workflow.rules).toHaveLength(2);
    expect(pipeline['.project'].cache.key.files).toEqual(['pnpm-lock.yaml']);
    expect(pipeline.test.parallel.matrix).toEqual([{ IMAGE: ['node:20', 'node:22', 'node:24'] }]);
    expect(pipeline.lint.script).toEqual(['pnpm run lint', 'pnpm run typecheck']);
    const bare = parse(files('gitlab-ci', project('node library without lock file'))['.gitlab-ci.yml'] ?? '');
    expect(bare['.project'].cache).toBeUndefined();
  });

  it('brings a linter to the job that lints, and to no other', () => {
    const pipeline = parse(files('gitlab-ci', project('go library'))['.gitlab-ci.yml'] ?? '');
    expect(pipeline['.project'].before_script).toEqual(['go mod download']);
    expect(pipeline.lint.script[0]).toMatch(/golangci-lint@v\d/);
    expect(pipeline.test.script).toEqual(['go build ./...', 'go test ./...']);
  });

  it('is added to, not replaced, where one exists', () => {
    const mine = 'unit:\n  script:\n    - npm test\n';
    const after = files('gitlab-ci', service(), {}, { '.gitlab-ci.yml': mine })['.gitlab-ci.yml'] ?? '';
    expect(after.startsWith(mine)).toBe(true);
    expect(files('jenkinsfile', service(), {}, { Jenkinsfile: 'x' }).Jenkinsfile).toBe('x');
  });

  it('of Jenkins has balanced braces and no interpolation in a shell', () => {
    for (const ws of Object.keys(PROJECTS).map((name) => project(name))) {
      const text = files('jenkinsfile', ws).Jenkinsfile ?? '';
      if (text === '') continue;
      expect(text.split('{').length).toBe(text.split('}').length);
      expect(text).not.toMatch(/\bsh "/);
    }
  });
});

it('starts a unit by the program itself, from the virtual environment where there is one', () => {
  const exec = (which: string, more: Partial<WorkspaceFacts> = {}): string =>
    /^ExecStart=(.*)$/m.exec(Object.values(files('systemd', project(which, more)))[0] ?? '')?.[1] ?? '';
  expect(exec(APP)).toBe('/usr/bin/env node server.js');
  expect(exec('flask app with poetry')).toBe(
    '/opt/notes/.venv/bin/gunicorn --bind 0.0.0.0:8000 "notes.app:create_app()"',
  );
  expect(exec('go service')).toBe('/opt/gateway/gateway');
  const shell = { run: 'a && exec b "$X" 5%', source: 'Procfile' };
  expect(exec('django app with pip', { start: shell })).toBe('/bin/sh -c "a && exec b \\"$$X\\" 5%%"');
});

it('proxies no port to itself', () => {
  const ws = service({ ports: [{ port: 80, source: 'Dockerfile:1' }] });
  expect(files('nginx', ws)['nginx/nginx.conf']).toContain('listen 8080;');
  expect(files('nginx', ws, { service: 'app' })['nginx/nginx.conf']).toContain('server app:80;');
});

it('never lets a hostile workspace break out of a file', () => {
  const part = fc.constantFrom(
    'a',
    ' ',
    '\n',
    '\r',
    '"',
    "'",
    '\\',
    '#',
    ': ',
    '${{ x }}',
    '${',
    '%{',
    '$(id)',
    '{{',
    '}}',
    '%}',
    '\n  evil: 1\n',
    '<<EOF',
    ';}',
    '- x',
  );
  const text = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(PROJECTS)), text, text, text, (base, name, run, source) => {
      const command = { run, source };
      const commands = { install: command, build: command, test: command, lint: command };
      const ws: WorkspaceFacts = {
        ...base,
        ...commands,
        start: base.start && command,
        name,
        version: run,
        metricsPath: run,
        healthPath: run,
        envNames: [name, 'A_TOKEN', 'B_MODE'],
        entryPoint: run,
        testVersions: [run],
        packageManager: base.packageManager && { ...base.packageManager, version: name, lockfile: run },
      };
      const plain = {
        ...ws,
        ...Object.fromEntries(Object.keys(commands).map((key) => [key, { run: 'x', source: 'y' }])),
      };
      for (const one of NEW) {
        const [dirty, clean] = [files(one, ws), files(one, plain)];
        expect(Object.keys(dirty)).toEqual(Object.keys(clean));
        for (const [path, content] of Object.entries(dirty)) {
          if (/\.ya?ml$/.test(path) && !path.includes('/templates/'))
            expect(Object.keys(parse(content) ?? {})).toEqual(Object.keys(parse(clean[path] ?? '') ?? {}));
          if (path.endsWith('.service'))
            for (const line of content.split('\n')) expect(line).toMatch(/^(#.*|\[\w+\]|[A-Z]\w+=.*|)$/);
          if (path.endsWith('.tf')) expect(content).not.toMatch(/\$\{(?!kubernetes_service_v1|var\.)/);
          if (path === 'Jenkinsfile')
            for (const [, body] of content.matchAll(/^ *sh (.*)$/gm)) expect(body).toMatch(/^'(?:[^'\\]|\\.)*'$/);
        }
      }
    }),
    { numRuns: 60 },
  );
});
