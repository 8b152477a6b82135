import { closeVerifiers, overallVerdict, verifyFiles } from '../../../activities/verify';
import type { Verification } from '../../../plan/types';

afterAll(closeVerifiers);

function row(verdict: Verification['verdict'], error = false): Verification {
  const findings = error ? [{ rule: 'x', severity: 'error' as const, message: 'x' }] : [];
  return { verifier: 'x', version: '1', path: 'a', verdict, findings };
}

const WORKFLOW = 'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: a\n';

describe('verifying files', () => {
  it('runs what applies to each file, whatever the skill names', async () => {
    const files = [
      { path: '.github/workflows/ci.yml', content: WORKFLOW, preContent: null },
      { path: 'compose.yaml', content: 'services: {a: {image: "a:1"}}\n', preContent: null },
      { path: 'Makefile', content: 'a:\n\tb\n', preContent: null },
      { path: 'notes.txt', content: 'hello\n', preContent: null },
    ];
    const rows = await verifyFiles({ files, verifiers: [] });
    const ran = (path: string): string[] => rows.filter((one) => one.path === path).map((one) => one.verifier);
    expect(ran('.github/workflows/ci.yml')).toEqual(['text', 'secrets', 'yaml', 'actions', 'actionlint']);
    expect(ran('compose.yaml')).toEqual(['text', 'secrets', 'yaml', 'compose']);
    expect(ran('Makefile')).toEqual(['text', 'secrets', 'makefile']);
    expect(ran('notes.txt')).toEqual(['text', 'secrets']);
    expect(overallVerdict(rows)).toBe('passed');
  });

  it('never passes an unknown verifier', async () => {
    const files = [{ path: 'a.txt', content: 'a', preContent: null }];
    const rows = await verifyFiles({ files, verifiers: ['hadolnt', 'hadolnt', '__proto__'] });
    const unknown = rows.filter((one) => one.version === 'unknown');
    expect(unknown.map((one) => [one.verifier, one.verdict, one.reason])).toEqual([
      ['hadolnt', 'inconclusive', 'there is no verifier "hadolnt"'],
      ['__proto__', 'inconclusive', 'there is no verifier "__proto__"'],
    ]);
    expect(overallVerdict(rows)).toBe('inconclusive');
  });

  it('lets a file of the artifact replace the sibling of the same path', async () => {
    const files = [
      { path: '.dockerignore', content: 'dist\n', preContent: null },
      { path: 'Dockerfile', content: Buffer.from('FROM a:1\nCOPY dist ./\nUSER a\n'), preContent: null },
    ];
    const rows = await verifyFiles({ files, verifiers: ['dockerfile'], siblings: { '.dockerignore': '' } });
    const dockerfile = rows.find((one) => one.verifier === 'dockerfile' && one.path === 'Dockerfile');
    expect(dockerfile?.findings[0]?.rule).toBe('copy-ignored');
  });

  describe('a file that stood there before', () => {
    const old = WORKFLOW.replace('- run: a', '- uses: actions/checkout@v1');
    const verdictOf = async (content: string, preContent: string): Promise<Verification> => {
      const files = [{ path: '.github/workflows/ci.yml', content, preContent }];
      const rows = await verifyFiles({ files, verifiers: [] });
      return rows.find(({ verifier }) => verifier === 'actionlint') ?? row('failed');
    };

    it('may be kept with its own faults, which are still told', async () => {
      const kept = await verdictOf(old, old);
      expect(kept).toMatchObject({ verdict: 'passed', findings: [{ severity: 'warning' }] });
      expect(kept.findings[0]?.message).toMatch(/too old.*It was there before/);
    });

    it('may not get another one, nor the same once more', async () => {
      expect((await verdictOf(old.replace('ubuntu-latest', 'ubuntu-latst'), old)).verdict).toBe('failed');
      expect((await verdictOf(`${old}      - uses: actions/checkout@v1\n`, old)).verdict).toBe('failed');
    });
  });

  it('throws when it is aborted', async () => {
    const files = [{ path: 'a.txt', content: 'a', preContent: null }];
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(verifyFiles({ files, verifiers: [], signal })).rejects.toThrow('stopped');
  });

  it('rules: failed before inconclusive before passed; skipped does not count', () => {
    expect(overallVerdict([])).toBe('passed');
    expect(overallVerdict([row('passed'), row('skipped')])).toBe('passed');
    expect(overallVerdict([row('passed'), row('inconclusive')])).toBe('inconclusive');
    expect(overallVerdict([row('inconclusive'), row('failed')])).toBe('failed');
    expect(overallVerdict([row('inconclusive', true)])).toBe('failed');
  });
});
