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
