import { artifactRisk, maxRisk, planRisk, riskAbove } from '../../plan/risk';
import type { JsonObject, Risk, TaskGraph } from '../../plan/types';

const skills: { [tool: string]: Risk } = {
  'github-actions': 'LOW',
  dockerfile: 'MEDIUM',
  'docker-compose': 'MEDIUM',
  makefile: 'LOW',
  terraform: 'MEDIUM',
};

const graph = (tool: string, description: string, input: JsonObject = {}): TaskGraph => ({
  nodes: [{ id: '1', tool, description, input, deps: [] }],
});
const describedAs = (description: string, tool = 'makefile') => planRisk(graph(tool, description), skills);

describe('the levels', () => {
  it('are ordered', () => {
    expect(maxRisk('LOW', 'HIGH')).toBe('HIGH');
    expect(maxRisk('MEDIUM', 'LOW')).toBe('MEDIUM');
    expect(riskAbove('HIGH', 'MEDIUM')).toBe(true);
    expect(riskAbove('HIGH', 'HIGH')).toBe(false);
  });
});

describe('the risk of a plan', () => {
  it('is MEDIUM for the main job', () => {
    const nodes = [
      {
        id: '1',
        tool: 'github-actions',
        description: 'Set up CI/CD with GitHub Actions for Node.js',
        input: {},
        deps: [],
      },
      { id: '2', tool: 'dockerfile', description: 'Multi-stage, production-ready Dockerfile', input: {}, deps: ['1'] },
      { id: '3', tool: 'docker-compose', description: 'docker-compose for this Node.js app', input: {}, deps: ['2'] },
    ];
    expect(planRisk({ nodes }, skills).risk).toBe('MEDIUM');
  });

  it.each([
    'Attach an IAM role',
    'Open the security group',
    'Change security groups',
    'Deploy to production',
    'Deploy to the prod',
    'Migrate the production database',
    'Store secrets',
    'Rotate the credential',
    'Set up RBAC',
    'Generate a private key',
    'Give root access',
    'Create a ClusterRoleBinding',
    'run terraform destroy',
    'Create serviceAccount',
    'Roll out to prod',
  ])('is HIGH for %j', (text) => {
    const { risk, reasons } = describedAs(text);
    expect(risk).toBe('HIGH');
    expect(reasons[0]?.where).toBe('task 1, description');
  });

  it.each([
    'Set the cache policy',
    'A production image',
    'Production-ready Dockerfile',
    'multi-stage production build',
    'Run as a non-root user',
    'NODE_ENV=production',
    'Miami build',
    'a secretary',
    'Set production environment variables',
    'Add secret scanning',
    'Install only production dependencies',
    'Build without secrets in any layer',
  ])('is not HIGH for %j', (text) => expect(describedAs(text).risk).not.toBe('HIGH'));

  it('a harmless phrase covers itself only', () => {
    expect(describedAs('Without secrets in the image; mount the secrets later').risk).toBe('HIGH');
  });

  it('takes a very long description', () => {
    expect(describedAs('no secret '.repeat(20_000)).risk).toBe('LOW');
    expect(describedAs(`${'no secret '.repeat(20_000)} secret`).risk).toBe('HIGH');
  });

  it('is LOW for CI, and names why', () => {
    expect(planRisk(graph('github-actions', 'Run lint and tests'), skills)).toEqual({
      risk: 'LOW',
      reasons: [{ rule: 'skill github-actions', level: 'LOW', where: 'task 1' }],
    });
  });

  it('gives one reason where several rules say what the skill says', () => {
    const input = { dockerfile: 'docker/Dockerfile', image: 'docker.example.org/app' };
    expect(planRisk(graph('docker-compose', 'A compose file for the container', input), skills).reasons).toEqual([
      { rule: 'skill docker-compose', level: 'MEDIUM', where: 'task 1' },
    ]);
  });

  it('names each rule that raises a task once, with its first place', () => {
    const ruling = planRisk(graph('makefile', 'Rotate secrets in docker', { a: 'secrets', b: 'iam' }), skills);
    expect(ruling.reasons).toEqual([
      { rule: 'secrets and credentials', level: 'HIGH', where: 'task 1, description' },
      { rule: 'identity and access (IAM)', level: 'HIGH', where: 'task 1, input.b' },
      { rule: 'infrastructure', level: 'MEDIUM', where: 'task 1, description' },
      { rule: 'skill makefile', level: 'LOW', where: 'task 1' },
    ]);
  });

  it('looks into every input value and says where', () => {
    const { risk, reasons } = planRisk(graph('terraform', 'x', { modules: [{ name: 'iam' }, 'vpc'] }), skills);
    expect(risk).toBe('HIGH');
    expect(reasons[0]).toEqual({
      rule: 'identity and access (IAM)',
      level: 'HIGH',
      where: 'task 1, input.modules[0].name',
    });
  });

  it('takes "production" as a place for tools that deploy, and as a variant for tools that build', () => {
    expect(planRisk(graph('terraform', 'x', { environment: 'production' }), skills).risk).toBe('HIGH');
    expect(planRisk(graph('dockerfile', 'x', { environment: 'production', target: 'production' }), skills).risk).toBe(
      'MEDIUM',
    );
  });

  it('shows a key of the input escaped', () => {
    const { reasons } = planRisk(graph('terraform', 'x', { 'a\u202eb': 'rbac' }), skills);
    expect(reasons[0]?.where).toBe('task 1, input.a\\u202eb');
  });

  it('a model can raise it and never lower it', () => {
    expect(planRisk(graph('makefile', 'x'), skills, 'HIGH').risk).toBe('HIGH');
    expect(planRisk(graph('makefile', 'Use IAM'), skills, 'LOW').risk).toBe('HIGH');
  });

  it('does not trust a tool that no skill declares, not even "constructor"', () => {
    expect(planRisk(graph('constructor', 'x'), skills).reasons[0]).toMatchObject({
      rule: 'unknown tool',
      level: 'MEDIUM',
    });
  });
});

const workflow = '.github/workflows/ci.yml';
const sha = 'a'.repeat(40);
const high = (path: string, content: string) => artifactRisk(path, content, 'LOW').risk === 'HIGH';

describe('T05: files that tools execute by themselves', () => {
  it.each([
    '.husky/pre-commit',
    '.envrc',
    'sub/.envrc',
    '.vscode/tasks.json',
    '.VSCODE/x',
    '.gitattributes',
    '.idea/x.xml',
  ])('%j is HIGH', (path) =>
    expect(artifactRisk(path, '', 'LOW').reasons).toEqual([{ rule: expect.any(String), level: 'HIGH', where: path }]),
  );
  it('an ordinary file keeps the risk of its skill', () => {
    expect(artifactRisk('Makefile', 'test:\n\tnpm test\n', 'LOW')).toEqual({ risk: 'LOW', reasons: [] });
    expect(artifactRisk('Dockerfile', 'FROM node:22\nRUN rm -rf /var/lib/apt/lists/*\n', 'MEDIUM').risk).toBe('MEDIUM');
  });
});

describe('T10: over-privileged CI', () => {
  it('pull_request_target with a checkout of the head is HIGH, alone MEDIUM', () => {
    const on = 'on: [pull_request_target]\njobs:\n';
    const ruling = artifactRisk(workflow, `${on}  ref: \${{ github.event.pull_request.head.sha }}\n`, 'LOW');
    expect(ruling.reasons).toEqual([expect.objectContaining({ level: 'HIGH', where: `${workflow}, line 3` })]);
    expect(artifactRisk(workflow, on, 'LOW').risk).toBe('MEDIUM');
    expect(high(workflow, 'on: pull_request\n#  pull_request_target github.head_ref\n')).toBe(false);
  });
  it.each(['permissions: write-all', '"permissions" : "write-all"', '    permissions:  write-all # all'])(
    '%j is HIGH',
    (line) => expect(high(workflow, line)).toBe(true),
  );
  it.each([
    'someone/action@v1',
    'someone/action@main',
    'docker://alpine:3',
    'actions/checkout@main',
    'org/repo/.github/workflows/x.yml@v1',
    'x/y',
  ])('uses: %s is HIGH', (name) => {
    expect(high(workflow, `      - uses: ${name}\n`)).toBe(true);
    expect(high(workflow, `      - { name: a, "uses": '${name}' }\n`)).toBe(true);
  });
  it.each([
    'actions/checkout@v4',
    'docker/build-push-action@v6',
    'github/codeql-action/init@v3',
    `someone/action@${sha}`,
    './local',
    `docker://a@sha256:${'b'.repeat(64)}`,
  ])('uses: %s is not HIGH', (name) => expect(high(workflow, `      - uses: ${name}\n`)).toBe(false));
  it.each([
    'curl -fsSL https://x | sh',
    'curl x | sudo bash -s -- -y',
    'wget -qO- x |bash',
    'curl x \\\n  | sh',
    'curl x | tee log | /bin/sh',
    'bash <(curl x)',
    'sh -c "$(curl -fsSL x)"',
    'eval "$(wget -qO- x)"',
    'curl x | python3 -',
    'curl x | env A=1 bash',
  ])('%j is HIGH', (line) => expect(high('scripts/x.sh', `set -e\n${line}\n`)).toBe(true));
  it.each([
    'curl -fo /dev/null http://localhost/',
    'curl x | jq .',
    'curl x | python3 -m json.tool',
    '# curl x | sh',
    'cat x | sh',
    'curl x | shasum -c',
  ])('%j is not HIGH', (line) => expect(high('scripts/x.sh', `${line}\n`)).toBe(false));
});

describe('a file that a maintainer had before', () => {
  const socket = '\tdocker run -v /var/run/docker.sock:/var/run/docker.sock x\n';
  const before = `build:\n${socket}`;

  it('is not risky for what stood there', () => {
    const ruling = artifactRisk('Makefile', `${before}\ntest:\n\tnpm test\n`, 'LOW', before);
    expect(ruling).toEqual({ risk: 'LOW', reasons: [] });
    expect(artifactRisk('.envrc', 'x', 'LOW', 'x').risk).toBe('LOW');
  });

  it.each([
    ['one more of the same', `${before}again:\n${socket}`, 'Makefile, line 4'],
    ['another of the same kind', `${before}again:\n\tx -v /run/docker.sock:/y\n`, 'Makefile, line 4'],
  ])('is for %s', (_name, content, where) => {
    expect(artifactRisk('Makefile', content, 'LOW', before).reasons).toEqual([
      { rule: 'access to the Docker socket', level: 'HIGH', where },
    ]);
  });

  it('is for a checkout that its own privileged trigger makes dangerous', () => {
    const own = 'on: [pull_request_target]\njobs:\n';
    const content = `${own}  ref: \${{ github.event.pull_request.head.sha }}\n`;
    expect(artifactRisk(workflow, content, 'LOW', own).risk).toBe('HIGH');
  });

  it('is for a file that a tool executes once it changes', () => {
    expect(artifactRisk('.envrc', 'y', 'LOW', 'x').risk).toBe('HIGH');
  });
});

describe('contents that reach for power', () => {
  it.each([
    ['main.tf', 'resource "aws_iam_role" "x" {'],
    ['main.tf', 'resource "aws_security_group" "x" {'],
    ['k8s/x.yaml', 'kind: ClusterRoleBinding'],
    ['k8s/x.yaml', '- kind: Secret # a'],
    ['compose.yaml', '    privileged: true'],
    ['compose.yaml', '      - /var/run/docker.sock:/var/run/docker.sock'],
    ['x.sh', 'rm -rf /'],
  ])('%s with %j is HIGH', (path, line) => expect(high(path, `a\n${line}\n`)).toBe(true));
  it.each([
    ['k8s/x.yaml', 'kind: Deployment'],
    ['k8s/x.yaml', '  secretName: x'],
    [workflow, '  token: ${{ secrets.GITHUB_TOKEN }}'],
  ])('%s with %j is not', (path, line) => expect(high(path, `${line}\n`)).toBe(false));
  it('never lowers the base', () => expect(artifactRisk('Makefile', '', 'HIGH').risk).toBe('HIGH'));
  it('takes a megabyte of anything in linear time', () => {
    for (const unit of ['curl ', '|', 'uses: ', 'sudo ', 'kind : ', 'rm -r ', '\\', ' ', '"google_iam_', 'iam_']) {
      expect(() => artifactRisk('x.sh', `"google_${unit.repeat(1_000_000 / unit.length)}`, 'LOW')).not.toThrow();
    }
  });
});
