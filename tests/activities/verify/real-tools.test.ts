import { closeVerifiers, verifyFiles } from '../../../activities/verify';
import { EXTERNAL_TOOLS } from '../../../activities/verify/external';
import { findTool } from '../../../activities/verify/external/find';
import type { Verification } from '../../../plan/types';
import { externalSettings } from '../../../store/verifier-tools';

/** The real tools, where this machine has them; those that it has not are named and skipped. */
const settings = { ...externalSettings(process.env, '/nowhere'), optIn: new Set(['nginx-t']) };

afterAll(closeVerifiers);

const WORKFLOW = 'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n';
const CHART = { 'charts/a/values.yaml': 'x: 1\n', 'charts/a/Chart.yaml': 'apiVersion: v2\nname: a\nversion: 0.1.0\n' };

interface Case {
  id: string;
  path: string;
  good: string;
  /** What the embedded verifiers do not see and the tool does. */
  bad: string;
  /** The rule that the bad file must show, whatever its severity. */
  rule: string;
  siblings?: Record<string, string>;
}

const CASES: readonly Case[] = [
  {
    id: 'hadolint',
    path: 'Dockerfile',
    good: 'FROM alpine:3.20\nUSER 1\n',
    bad: 'FROM alpine:3.20\n# hadolint ignore=DL3003\nRUN cd /x && ls\nUSER 1\n',
    rule: 'DL3003',
  },
  {
    id: 'shellcheck',
    path: 'a.sh',
    good: '#!/bin/sh\nset -e\necho hi\n',
    bad: '#!/bin/sh\nset -e\n# shellcheck disable=SC2086\necho $1\n',
    rule: 'SC2086',
  },
  {
    id: 'actionlint-program',
    path: '.github/workflows/a.yml',
    good: `${WORKFLOW}      - run: a\n`,
    bad: `${WORKFLOW.replace('ubuntu-latest', 'ubuntu-99.04')}      - run: a\n`,
    rule: 'runner-label',
  },
  {
    id: 'zizmor',
    path: '.github/workflows/a.yml',
    good: `${WORKFLOW}      - run: a\n`,
    bad: `${WORKFLOW}      - uses: foo/bar@main # zizmor: ignore[unpinned-uses]\n`,
    rule: 'unpinned-uses',
  },
  {
    id: 'terraform',
    path: 'main.tf',
    good: 'resource "terraform_data" "a" {\n  input = 1\n}\n',
    bad: 'resource "terraform_data" "a" {\n  inptt = 1\n}\n',
    rule: 'validate',
  },
  {
    id: 'kubeconform',
    path: 'k8s/a.yaml',
    good: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n',
    bad: 'apiVersion: example.org/v1\nkind: Foo\nmetadata:\n  name: a\n',
    rule: '',
  },
  {
    id: 'helm-lint',
    path: 'charts/a/templates/a.yaml',
    good: 'kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: {{ .Values.x | quote }}\n',
    bad: 'a: {{ .Values.x | quote "b" | required }}\n',
    rule: 'lint',
    siblings: CHART,
  },
  {
    id: 'promtool',
    path: 'prometheus/a.rules.yml',
    good: 'groups:\n  - name: a\n    rules:\n      - record: a:b\n        expr: sum(up)\n',
    bad: 'groups:\n  - name: a\n    rules:\n      - record: a:b\n        expr: sum(1, 2, up)\n',
    rule: 'check',
  },
  {
    id: 'systemd-analyze',
    path: 'a.service',
    good: '[Service]\nExecStart=/bin/true\n',
    bad: '[Service]\nExecStart=/bin/true\nLimitNOFILE=abc\n',
    rule: 'verify',
  },
  {
    id: 'gitleaks',
    path: 'a.txt',
    good: 'hello\n',
    bad: `slack = "https://hooks.slack.com/workflows/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"\n`,
    rule: 'slack-webhook-url',
  },
  {
    id: 'nginx-t',
    path: 'nginx/nginx.conf',
    good: 'error_log stderr;\npid nginx.pid;\nevents {}\nhttp { access_log off; server { listen 80; } }\n',
    bad: 'error_log stderr;\npid nginx.pid;\nevents {}\nhttp { access_log off; server { listen 80 foo; } }\n',
    rule: 'nginx-t',
  },
];

describe.each(CASES)('$id', ({ id, path, good, bad, rule, siblings = {} }) => {
  const row = async (content: string): Promise<Verification | null> => {
    const tool = EXTERNAL_TOOLS.find((one) => one.id === id);
    if (!tool || (await findTool(tool, settings)) === null) {
      process.stdout.write(`${id} is not on this machine: not tried\n`);
      return null;
    }
    const rows = await verifyFiles({
      files: [{ path, content, preContent: null }],
      verifiers: [],
      siblings,
      external: settings,
    });
    return rows.find(({ verifier }) => verifier === id) ?? null;
  };

  it('passes a good file', async () => {
    const found = await row(good);
    if (found) expect(found).toMatchObject({ verdict: 'passed' });
  });

  it('sees what is wrong, whatever a comment in the file says (T24)', async () => {
    const found = await row(bad);
    if (!found) return;
    if (rule === '') expect(found.verdict).toBe('inconclusive');
    else expect(found.findings.map((one) => one.rule)).toContain(rule);
  });
});

describe('terraform', () => {
  const rowOf = async (content: string): Promise<Verification | undefined> => {
    const rows = await verifyFiles({
      files: [{ path: 'main.tf', content, preContent: null }],
      verifiers: [],
      external: settings,
    });
    return rows.find(({ verifier }) => verifier === 'terraform');
  };

  it('is inconclusive where providers would have to be installed', async () => {
    const found = await rowOf('resource "aws_instance" "a" {\n  ami = "x"\n}\n');
    if (found)
      expect(found).toMatchObject({ verdict: 'inconclusive', reason: expect.stringContaining('not installed') });
  });

  it('shows nothing of what a function read', async () => {
    const found = await rowOf('variable "canary-content" {}\noutput "x" {\n  value = jsondecode(file("main.tf"))\n}\n');
    if (!found) return;
    expect(found.verdict).toBe('failed');
    expect(JSON.stringify(found)).not.toContain('canary-content');
  });
});
