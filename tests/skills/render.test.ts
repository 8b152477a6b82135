import { UsageError } from '../../plan/errors';
import type { JsonObject } from '../../plan/types';
import { checkSchemas } from '../../skills/input';
import { loadSkills } from '../../skills/load';
import { outputOf, outputPaths, render, renderTemplates, summaryOf } from '../../skills/render';
import type { RenderScope, Skill } from '../../skills/types';
import { facts, PROJECTS } from './facts';

let skills: Map<string, Skill>;
beforeAll(async () => {
  skills = await loadSkills();
});

const skill = (name: string): Skill => {
  const found = skills.get(name);
  if (!found) throw new Error(name);
  return found;
};
const scope = (
  input: JsonObject = {},
  existing: RenderScope['existing'] = {},
  ws = PROJECTS['node app with npm'],
): RenderScope => ({
  input,
  ws: ws ?? facts({}),
  existing,
});
const contentOf = (name: string, at: RenderScope, path: string): string | undefined =>
  renderTemplates(skill(name), at).find((file) => file.path === path)?.content;

describe('the renderer', () => {
  it('refuses unknown variables, filters and tags, but lets a condition ask', () => {
    for (const text of [
      '{{ nope }}',
      '{{ a | nope }}',
      '{% nope %}',
      '{% if a %}',
      '{% include "../../package.json" %}',
    ]) {
      expect(() => render(text, { a: 'x' })).toThrow(UsageError);
    }
    expect(render('{% if nope %}1{% else %}2{% endif %}', {})).toBe('2');
  });

  it('reads no file and no inherited property', () => {
    expect(() => render('{% render "skills/load.ts" %}', {})).toThrow(UsageError);
    expect(() => render('{{ a.constructor.name }}', { a: {} })).toThrow(UsageError);
  });

  it('puts data on one line, and never expands it again', () => {
    expect(render('# {{ a }}', { a: 'x\n{{ b }}', b: 'secret' })).toBe('# x {{ b }}');
    expect(() => render('{{ a }}', { a: { b: 1 } })).toThrow(UsageError);
  });

  it('stops a template that does not end', () => {
    expect(() => render('{% for i in (1..100000000) %}{{ i }}{% endfor %}', {})).toThrow(UsageError);
  });
});

it('says which paths each built-in skill writes, and they are what it renders', () => {
  const written = [...skills.values()].map((one) => [one.name, outputPaths(one, scope())]);
  expect(Object.fromEntries(written)).toEqual({
    'github-actions': ['.github/workflows/ci.yml'],
    dockerfile: ['Dockerfile', '.dockerignore'],
    'docker-compose': ['docker-compose.yml'],
    makefile: ['Makefile'],
    ansible: [
      'ansible/playbook.yml',
      'ansible/group_vars/all.yml',
      'ansible/templates/app.service.j2',
      'ansible/templates/environment.j2',
    ],
    'gitlab-ci': ['.gitlab-ci.yml'],
    helm: [
      'charts/shop/Chart.yaml',
      'charts/shop/values.yaml',
      'charts/shop/.helmignore',
      'charts/shop/templates/_helpers.tpl',
      'charts/shop/templates/deployment.yaml',
      'charts/shop/templates/service.yaml',
      'charts/shop/templates/budget.yaml',
    ],
    jenkinsfile: ['Jenkinsfile'],
    kubernetes: ['k8s/deployment.yaml', 'k8s/service.yaml', 'k8s/budget.yaml', 'k8s/kustomization.yaml'],
    nginx: ['nginx/nginx.conf'],
    // The code of this project exports no metrics.
    prometheus: [],
    shell: ['scripts/check.sh'],
    systemd: ['systemd/shop.service'],
    terraform: ['terraform/versions.tf', 'terraform/variables.tf', 'terraform/main.tf', 'terraform/outputs.tf'],
  });
  for (const one of skills.values()) {
    expect(renderTemplates(one, scope()).map(({ path }) => path)).toEqual(outputPaths(one, scope()));
    expect(checkSchemas(one)).toBeNull();
  }
});

it('takes the path from the input, and refuses one outside the scope of the skill', () => {
  expect(outputPaths(skill('docker-compose'), scope({ file: 'compose.dev.yaml' }))).toEqual(['compose.dev.yaml']);
  for (const file of ['src/x.yml', '../compose.yml', '/compose.yml', 'a/../compose.yml']) {
    expect(() => outputPaths(skill('docker-compose'), scope({ file }))).toThrow(/outside its scope/);
  }
  expect(outputPaths(skill('docker-compose'), scope({ file: '$ref:1.file' }))).toEqual(['$ref:1.file']);
});

it('finds the file that the project has under another usual name', () => {
  const ws = facts({
    existing: {
      'github-actions': ['.github/workflows/release.yml', '.github/workflows/test.yaml'],
      'docker-compose': ['compose.yaml'],
      makefile: ['GNUmakefile'],
      dockerfile: ['.dockerignore', 'docker/Dockerfile'],
    },
  });
  const paths = (name: string): string[] => outputPaths(skill(name), scope({}, {}, ws));
  expect(paths('github-actions')).toEqual(['.github/workflows/test.yaml']);
  expect(paths('docker-compose')).toEqual(['compose.yaml']);
  expect(paths('makefile')).toEqual(['GNUmakefile']);
});

describe('an existing file', () => {
  it.each([
    ['github-actions', '.github/workflows/ci.yml'],
    ['docker-compose', 'docker-compose.yml'],
    ['dockerfile', 'Dockerfile'],
  ])('is left byte-identical by %s, which says so', (name, path) => {
    const bytes = '# mine\r\nwhatever:  1  ';
    const at = scope({}, { [path]: bytes });
    expect(contentOf(name, at, path)).toBe(bytes);
    expect(summaryOf(skill(name), at, renderTemplates(skill(name), at))).toMatch(
      new RegExp(`Left ${path.replaceAll('.', '\\.')} as it is`),
    );
  });

  it('is written anew when the input says so', () => {
    const at = scope({ replace: true }, { Dockerfile: 'FROM scratch\n', '.dockerignore': 'x\n' });
    expect(contentOf('dockerfile', at, 'Dockerfile')).toMatch(/^# syntax=docker\/dockerfile:1\n/);
    expect(contentOf('dockerfile', at, '.dockerignore')).not.toContain('\nx\n');
  });

  it('gets only the missing lines of a .dockerignore and the missing targets of a Makefile', () => {
    const ignore = 'node_modules\n.git\n';
    const ignored = contentOf('dockerfile', scope({}, { '.dockerignore': ignore }), '.dockerignore') ?? '';
    expect(ignored.startsWith(`${ignore}\n# Added by Planwright.\n`)).toBe(true);
    expect(ignored.match(/^(\*\*\/)?node_modules$/gm)).toHaveLength(1);
    const make = 'test:\n\tnode --test\n';
    const at = scope({}, { Makefile: make });
    const made = contentOf('makefile', at, 'Makefile') ?? '';
    expect(made.startsWith(make)).toBe(true);
    expect(made).toMatch(/\nlint: ## Run the linter\n\tnpm run lint\n/);
    expect(made.match(/^test:/gm)).toHaveLength(1);
    expect(summaryOf(skill('makefile'), at, renderTemplates(skill('makefile'), at))).toMatch(
      /^Added only what was missing to Makefile/,
    );
  });
});

it('shows ancestors: a Dockerfile in the overlay brings a docker job and docker targets', () => {
  const at = scope({}, { Dockerfile: 'FROM scratch\n' });
  expect(contentOf('github-actions', at, '.github/workflows/ci.yml')).toMatch(/\n {2}docker:\n/);
  expect(contentOf('makefile', at, 'Makefile')).toMatch(/^docker-build:/m);
  expect(contentOf('github-actions', scope(), '.github/workflows/ci.yml')).not.toMatch(/docker/);
  expect(contentOf('makefile', scope(), 'Makefile')).not.toMatch(/docker/);
  expect(
    contentOf('github-actions', scope({ docker: false }, { Dockerfile: 'FROM x\n' }), '.github/workflows/ci.yml'),
  ).not.toMatch(/docker/);
});

it('follows the input where it says more than the facts', () => {
  const workflow =
    contentOf('github-actions', scope({ versions: ['20', '22'], branch: 'trunk' }), '.github/workflows/ci.yml') ?? '';
  expect(workflow).toContain("node: ['20', '22']");
  expect(workflow).toContain("branches: ['trunk']");
  const compose =
    contentOf(
      'docker-compose',
      scope({ port: 4000, dockerfile: 'docker/Dockerfile', image: 'acme/web:1' }),
      'docker-compose.yml',
    ) ?? '';
  expect(compose).toContain("- '4000:4000'");
  expect(compose).toContain('dockerfile: docker/Dockerfile');
  expect(compose).toContain('image: acme/web:1');
  expect(contentOf('dockerfile', scope({ runtime: '20', port: 81 }), 'Dockerfile')).toMatch(
    /FROM node:20-slim[\s\S]*EXPOSE 81\n/,
  );
});

it('gives the output its declared types, leaves out what is empty, and always has files and summary', () => {
  const output = (name: string, at: RenderScope): JsonObject =>
    outputOf(skill(name), { ...at, files: ['F'], summary: 'S' });
  expect(output('dockerfile', scope())).toEqual({
    dockerfile: 'Dockerfile',
    port: 3000,
    image: 'shop',
    stage: 'runtime',
    files: ['F'],
    summary: 'S',
  });
  expect(output('dockerfile', scope({}, {}, PROJECTS['python library with pip']))).toEqual({
    dockerfile: 'Dockerfile',
    image: 'flask',
    stage: 'check',
    files: ['F'],
    summary: 'S',
  });
  expect(output('docker-compose', scope())).toMatchObject({ composeFile: 'F', service: 'app', port: 3000 });
  expect(output('github-actions', scope())).toMatchObject({ workflow: 'F', testCommand: 'npm test' });
  expect(output('makefile', scope())).toEqual({ makefile: 'F', defaultTarget: 'help', files: ['F'], summary: 'S' });
});

it('says in the summary what it did not find', () => {
  const at = scope({}, {}, PROJECTS['project of unknown language']);
  const say = (name: string): string => summaryOf(skill(name), at, renderTemplates(skill(name), at));
  expect(say('github-actions')).toMatch(/no test command was found/);
  expect(say('makefile')).toMatch(/no test command was found/);
  expect(say('dockerfile')).toMatch(/language of the project could not be told/);
});
