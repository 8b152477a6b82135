import { closeVerifiers, overallVerdict, verifyFiles } from '../../../activities/verify';
import { EXTERNAL_TOOLS } from '../../../activities/verify/external';

afterAll(closeVerifiers);

const PATHS = [
  '.gitlab-ci.yml',
  'k8s/a.yaml',
  'charts/a/templates/a.yaml',
  'main.tf',
  'a.sh',
  'playbook.yml',
  'prometheus.yml',
  'alertmanager.yml',
  'nginx.conf',
  'a.service',
  'a.timer',
  'Jenkinsfile',
];

const UNITS = [
  '[',
  '{',
  '(',
  '{{ ',
  '${',
  '"',
  "'",
  '/',
  '\n',
  ' ',
  '\\\n',
  'a ',
  'a = ',
  '$(',
  '- ',
  'a{}',
  'if ',
  '1',
  '#',
  '}}',
  'a: ',
  '=/',
];
/** What stands before, so that the verifier of the path looks at all. */
const HEADS: Readonly<Record<string, string>> = {
  'k8s/a.yaml': 'apiVersion: v1\nkind: ',
  'main.tf': 'locals {\n  a = ',
  'playbook.yml': '- hosts: ',
  'prometheus.yml': 'groups:\n  - name: ',
  'nginx.conf': 'send_timeout ',
  'a.service': '[Service]\nRestartSec=',
  'a.timer': '[Timer]\nOnCalendar=',
  Jenkinsfile: 'pipeline { ',
};

describe.each(PATHS)('%s', (path) => {
  it('comes back from thousands of anything (T12, T20)', async () => {
    for (const head of ['', HEADS[path] ?? '']) {
      for (const unit of UNITS) {
        const content = head + unit.repeat(Math.floor(20_000 / unit.length));
        const rows = await verifyFiles({ files: [{ path, content, preContent: null }], verifiers: [] });
        // A thread that had to be ended is a limit that is missing.
        expect(
          rows
            .filter(({ reason }) => /did not answer|broke|thread/.test(reason ?? ''))
            .map((row) => [row.verifier, row.reason, head, unit]),
        ).toEqual([]);
      }
    }
  });
});

describe('invisible text', () => {
  it.each(PATHS)('is refused in %s (T08)', async (path) => {
    const rows = await verifyFiles({ files: [{ path, content: 'a: 1 # \u202e\n', preContent: null }], verifiers: [] });
    expect(overallVerdict(rows)).toBe('failed');
    expect(rows.find(({ verifier }) => verifier === 'text')?.verdict).toBe('failed');
  });
});

describe('what is staged', () => {
  it('is never a configuration, plugin or link of the repository (T24)', () => {
    const names = [
      '.hadolint.yaml',
      '.shellcheckrc',
      '.tflint.hcl',
      'zizmor.yml',
      '.github/actionlint.yaml',
      'ansible.cfg',
      'filter_plugins/x.py',
      '.gitleaks.toml',
      '.terraformrc',
      'action_plugins/x.py',
      'x.py',
    ];
    const siblings = new Map(names.map((name) => [name, 'disable=all\n']));
    for (const tool of EXTERNAL_TOOLS) {
      for (const path of [
        'Dockerfile',
        'a.sh',
        '.github/workflows/a.yml',
        'main.tf',
        'k8s/a.yaml',
        'a.service',
        'playbook.yml',
        'nginx.conf',
      ]) {
        const job = tool.job(
          { path, text: 'a: 1\n', bytes: Buffer.from('a: 1\n'), before: null },
          { siblings, listing: null },
        );
        const files = 'reason' in job ? {} : (job.files ?? {});
        expect(Object.values(files)).not.toContain('disable=all\n');
      }
    }
  });
});

describe('a YAML file that keeps a parser busy', () => {
  // Each took the main thread between 10 s and 3 minutes before there was a bound.
  it.each([
    ['lines of one bracket', ']\n'.repeat(130_000)],
    ['lines that go on with one word', `a: x${'\n x'.repeat(65_000)}`],
    ['commas in a sequence', `[${','.repeat(260_000)}]`],
    ['unknown tags', '- !x y\n'.repeat(36_000)],
    ['lines without a key', `a: 1\n${'x\n'.repeat(120_000)}`],
  ])('is refused before the parser sees it: %s (T12)', async (_what, content) => {
    const rows = await verifyFiles({ files: [{ path: 'a.yaml', content, preContent: null }], verifiers: [] });
    const row = rows.find(({ verifier }) => verifier === 'yaml');
    expect(row).toMatchObject({ verdict: 'failed', findings: [{ rule: 'too-large' }] });
  });

  it('is not what a large and honest file looks like', async () => {
    const item =
      '  - name: item\n    image: registry.example/team/item:1.2.3 # a comment, of some length\n    ports: [80, 443]\n';
    const content = `items:\n${item.repeat(2000)}`;
    const rows = await verifyFiles({ files: [{ path: 'a.yaml', content, preContent: null }], verifiers: [] });
    expect(rows.find(({ verifier }) => verifier === 'yaml')).toMatchObject({ verdict: 'passed' });
  });
});

it('findings by the hundred thousand are counted and placed in one look at the file (T20)', async () => {
  const content = '\u200b\n'.repeat(250_000);
  const rows = await verifyFiles({ files: [{ path: 'a.txt', content, preContent: null }], verifiers: [] });
  const row = rows.find(({ verifier }) => verifier === 'text');
  expect(row?.findings).toHaveLength(50);
  expect(row?.findings[1]).toMatchObject({ line: 2, column: 1 });
});
