import { checkPlan } from '../../../activities/llm/check';
import { planTemplate, templateAbilities } from '../../../activities/llm/template';
import { templateNotes } from '../../../activities/llm/template-notes';
import { loadSkills } from '../../../skills/load';
import { facts, skills } from './fixtures';

const tools = (goal: string): string[] | null =>
  planTemplate(goal, facts, skills())?.nodes.map(({ tool }) => tool) ?? null;

describe('the template provider plans by rules', () => {
  it('makes three tasks of the goal in the README, the third built on the second', () => {
    const graph = planTemplate(
      'Set up CI/CD with GitHub Actions, a Dockerfile and docker-compose for this Node.js app',
      facts,
      skills(),
    );
    expect(graph?.nodes.map(({ id, tool, deps, input }) => ({ id, tool, deps, input }))).toEqual([
      { id: '1', tool: 'github-actions', deps: [], input: {} },
      { id: '2', tool: 'dockerfile', deps: [], input: {} },
      { id: '3', tool: 'docker-compose', deps: ['2'], input: { dockerfile: '$ref:2', port: '$ref:2.port' } },
    ]);
  });

  it.each([
    ['Add CI/CD', ['github-actions']],
    ['ci please', ['github-actions']],
    ['docker compose, then a Dockerfile', ['dockerfile', 'docker-compose']],
    ['a Makefile and a DOCKERFILE', ['dockerfile', 'makefile']],
    ['a Makefile', ['makefile']],
    ['CI, no docker', ['github-actions']],
    ['CI without a Makefile or Dockerfile', ['github-actions']],
    ['CI without docker and docker-compose', ['github-actions']],
    ['no Makefile, but a Dockerfile', ['dockerfile']],
    ["Don't add a workflow. I want docker-compose only", ['docker-compose']],
    ['A Dockerfile; no docker registry', ['dockerfile']],
    ['Dockerfiles and workflows', ['dockerfile', 'github-actions']],
  ])('%s', (goal, expected) => {
    expect(tools(goal)).toEqual(expected);
  });

  it.each(['Write a poem', 'Set up GitLab CI', 'Circle CI', 'social media', 'no docker', 'dockerfile-lint.md', ''])(
    'has no rule for %j',
    (goal) => {
      expect(tools(goal)).toBeNull();
    },
  );

  it.each([
    ['a Dockerfile and Terraform and a Jenkinsfile', 'no rule for Terraform and Jenkins, so this plan leaves them out'],
    ['CI, a Helm chart, k8s manifests and nginx', 'no rule for Kubernetes, Helm and nginx'],
    ['a Dockerfile, then deploy it', 'no rule for a deployment, so this plan leaves it out'],
    ['GitLab CI/CD and a Dockerfile', 'no rule for GitLab CI,'],
  ])('says what it leaves out of "%s"', (goal, note) => {
    expect(templateNotes(goal, facts, skills())).toEqual([expect.stringContaining(note)]);
  });

  it.each([
    'Set up CI/CD with GitHub Actions, a Dockerfile and docker-compose for this Node.js app',
    'a Dockerfile, no Kubernetes',
    'CI without Terraform or Ansible',
    'a Dockerfile for the package',
  ])('has nothing to say about "%s"', (goal) => expect(templateNotes(goal, facts, skills())).toEqual([]));

  it('says what it can do', () => {
    expect(templateAbilities(skills())).toContain('dockerfile (dockerfile, docker, container)');
  });

  it('stays fast on a goal of 50,000 characters', () => {
    expect(tools(`${'without a '.repeat(5000)}`)).toBeNull();
    expect(tools(`${'no docker, '.repeat(4500)}`)).toBeNull();
    expect(templateNotes('no helm, '.repeat(5000), facts, skills())).toEqual([]);
  });
});

describe('with the built-in skills', () => {
  const planned = async (goal: string, more: Partial<typeof facts> = {}): Promise<string[] | null> =>
    planTemplate(goal, { ...facts, ...more }, await loadSkills())?.nodes.map(({ tool }) => tool) ?? null;

  it.each([
    ['no Terraform or Dockerfile, just CI', ['github-actions']],
    ['CI without Terraform, Ansible or a Dockerfile', ['github-actions']],
    ['a Makefile, no CircleCI or Dockerfile', ['makefile']],
    ['CI. Do not add Grafana, Terraform, nginx or a Helm chart.', ['github-actions']],
    ['CI, no fancy things or Dockerfile', ['github-actions']],
    ['no Terraform, but a Dockerfile or so', ['dockerfile']],
    ["don't forget a Makefile or the Dockerfile", ['dockerfile', 'makefile']],
    ['Set up CI with Jenkins', ['jenkinsfile']],
    ['a CI pipeline for GitLab and a Dockerfile', ['gitlab-ci', 'dockerfile']],
    ['a GitHub Actions workflow and GitLab CI', ['github-actions', 'gitlab-ci']],
    ['GitLab CI/CD', ['gitlab-ci']],
    ['a Helm chart for Kubernetes', ['helm']],
    ['a Helm chart and Kubernetes manifests', ['helm', 'kubernetes']],
    ['Kubernetes manifests with a Dockerfile', ['dockerfile', 'kubernetes']],
    ['deploy with an Ansible playbook and a systemd unit', ['ansible', 'systemd']],
    ['an nginx reverse proxy for the docker-compose setup', ['docker-compose', 'nginx']],
    ['a shell script that checks the project', ['shell']],
    ['our code is on GitLab; add a Dockerfile', ['dockerfile']],
  ])('%s', async (goal, expected) => {
    expect(await planned(goal)).toEqual(expected);
  });

  it('takes "CI" for the pipeline of the place where the repository is', async () => {
    expect(await planned('CI', { gitRemote: 'git@gitlab.acme.dev:shop/shop.git' })).toEqual(['gitlab-ci']);
    expect(await planned('CI', { gitRemote: 'https://github.com/acme/gitlab-tools.git' })).toEqual(['github-actions']);
    expect(await planned('CI', { existing: { 'gitlab-ci': ['.gitlab-ci.yml'] } })).toEqual(['gitlab-ci']);
    const remote = { gitRemote: 'https://gitlab.com/acme/shop.git' };
    expect(await planned('GitHub Actions', remote)).toEqual(['github-actions']);
  });

  it('plans nothing that this project has nothing for, and says so once for each reason', async () => {
    const library = { library: true, start: null, ports: [] };
    expect(await planned('a Makefile, a Helm chart and Terraform', library)).toEqual(['makefile']);
    expect(await planned('a Helm chart', library)).toBeNull();
    const notes = templateNotes('a Makefile, a Helm chart and Terraform', { ...facts, ...library }, await loadSkills());
    expect(notes).toEqual([expect.stringMatching(/no task for helm and terraform: .*nothing to deploy\.$/)]);
  });

  it('takes the package of a monorepo from the goal', async () => {
    const api = { ...facts, path: 'packages/api', name: '@acme/api' };
    const monorepo = {
      ...facts,
      library: true,
      start: null,
      ports: [],
      packageFacts: [api, { ...api, path: 'packages/web', name: 'web' }],
    };
    const inputs = async (goal: string) =>
      planTemplate(goal, monorepo, await loadSkills())?.nodes.map(({ input }) => input);
    expect(await inputs('a Helm chart for packages/api')).toEqual([{ package: 'packages/api' }]);
    expect(await inputs('a Helm chart for @acme/api')).toEqual([{ package: 'packages/api' }]);
    expect(await inputs('a Helm chart for the web')).toBeUndefined();
  });

  it('makes an image before what runs it, and a Compose file before what speaks to its services', async () => {
    const graph = planTemplate(
      'nginx, Kubernetes manifests, Helm, Terraform, docker-compose and a Dockerfile',
      facts,
      await loadSkills(),
    );
    const [docker, compose, nginx, kubernetes, helm, terraform] = graph?.nodes ?? [];
    expect([docker, compose, nginx, kubernetes, helm, terraform].map((node) => node?.tool)).toEqual([
      'dockerfile',
      'docker-compose',
      'nginx',
      'kubernetes',
      'helm',
      'terraform',
    ]);
    expect(nginx).toMatchObject({ deps: ['2'], input: { service: '$ref:2.service', port: '$ref:2.port' } });
    expect(kubernetes).toMatchObject({ deps: ['1'], input: { dockerfile: '$ref:1', port: '$ref:1.port' } });
    expect(graph && checkPlan(graph, await loadSkills(), facts, 200).faults).toEqual([]);
    expect(graph && checkPlan(graph, await loadSkills(), facts, 200).risk).toBe('MEDIUM');
  });

  it('every plan it makes passes the checks', async () => {
    const builtIn = await loadSkills();
    const goals = [
      'Set up CI/CD with GitHub Actions, a Dockerfile and docker-compose for this Node.js app',
      'Make a Dockerfile',
      'Dockerfile, Makefile, docker-compose and CI',
    ];
    const planned = goals.map((goal) => planTemplate(goal, facts, builtIn));
    expect(planned.map((graph) => graph?.nodes.map(({ tool }) => tool))).toEqual([
      ['github-actions', 'dockerfile', 'docker-compose'],
      ['dockerfile'],
      ['dockerfile', 'docker-compose', 'makefile', 'github-actions'],
    ]);
    for (const graph of planned) expect(graph && checkPlan(graph, builtIn, facts, 200).faults).toEqual([]);
    expect(planned[0]?.nodes[2]?.input).toEqual({ dockerfile: '$ref:2', port: '$ref:2.port' });
  });

  it('lets CI build the image that the same plan describes, and make run the services', async () => {
    const builtIn = await loadSkills();
    const inputs = (goal: string) =>
      Object.fromEntries(planTemplate(goal, facts, builtIn)?.nodes.map(({ tool, input }) => [tool, input]) ?? []);
    expect(inputs('CI and a Dockerfile')['github-actions']).toEqual({ docker: true });
    expect(inputs('CI')['github-actions']).toEqual({});
    expect(inputs('a Dockerfile, docker-compose and a Makefile').makefile).toEqual({
      dockerfile: '$ref:1',
      composeFile: '$ref:2',
      service: '$ref:2.service',
      port: '$ref:2.port',
    });
  });

  it('rates the goal of the README no higher than MEDIUM, so that --yes carries it out', async () => {
    const builtIn = await loadSkills();
    const graph = planTemplate(
      'Set up CI/CD with GitHub Actions, a Dockerfile and docker-compose for this Node.js app',
      facts,
      builtIn,
    );
    expect(graph && checkPlan(graph, builtIn, facts, 200).risk).not.toBe('HIGH');
  });
});
