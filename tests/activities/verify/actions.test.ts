import { closeVerifiers } from '../../../activities/verify';
import { actionlintThread } from '../../../activities/verify/actionlint';
import type { Answer } from '../../../activities/verify/tool-thread';
import { rowOf, rules } from './help';

const PATH = '.github/workflows/ci.yml';

function workflow(steps: string, on = 'push'): string {
  return `name: ci\non: ${on}\npermissions:\n  contents: read\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n${steps}`;
}

const STEP = '      - run: a\n';

function lintInThread(text: string, path: string, timeoutMs: number, signal?: AbortSignal): Promise<Answer> {
  return actionlintThread.call({ text, path }, timeoutMs, signal);
}

afterAll(closeVerifiers);

describe('the actionlint verifier', () => {
  it('passes a good workflow and names the version of the library', async () => {
    const row = await rowOf('actionlint', PATH, workflow('      - uses: actions/checkout@v6\n      - run: npm ci\n'));
    expect(row).toMatchObject({ verdict: 'passed', findings: [] });
    expect(row.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  it.each([
    ['an unknown key', workflow(`${STEP}        foo: 1\n`), 'syntax-check'],
    [
      'script injection (T09)',
      workflow('      - run: echo "${{ github.event.issue.title }}"\n', 'issues'),
      'expression',
    ],
    ['a job that needs one that is not there', `${workflow(STEP)}    needs: nope\n`, 'job-needs'],
    ['an unfinished expression', workflow('      - run: echo ${{ github.sha\n'), 'expression'],
    ['a misspelt runner', workflow(STEP).replace('ubuntu-latest', 'ubuntu-latst'), 'runner-label'],
  ])('fails on %s', async (_name, text, rule) => {
    const row = await rowOf('actionlint', PATH, text);
    expect(row.verdict).toBe('failed');
    expect(rules(row, 'error')).toContain(rule);
    expect(row.findings[0]?.message.length).toBeLessThanOrEqual(300);
  });

  it.each(['ubuntu-26.04', 'macos-26', 'windows-2028', 'ubuntu-26.04-arm', 'gpu-large', 'ubuntu-slim'])(
    "only warns of the runner %s, which is newer than its list or someone's own",
    async (label) => {
      const row = await rowOf('actionlint', PATH, workflow(STEP).replace('ubuntu-latest', label));
      expect(row.verdict).toBe('passed');
      expect(rules(row, 'warning')).toEqual(['runner-label']);
    },
  );

  it('only warns of an input and a permission that came after its release', async () => {
    const step = '      - uses: actions/checkout@v4\n        with:\n          brand-new: 1\n';
    const row = await rowOf('actionlint', PATH, workflow(step).replace('contents: read', 'models: read'));
    expect(row.verdict).toBe('passed');
    expect(rules(row, 'warning').sort()).toEqual(['action', 'permissions']);
  });

  it('is inconclusive when its time runs out, and works again with a fresh thread', async () => {
    await closeVerifiers();
    const late = await lintInThread(workflow(STEP), PATH, 0);
    expect(late).toEqual({ reason: 'actionlint did not answer within 0 ms and was ended' });
    expect(await lintInThread(workflow(STEP), PATH, 30_000)).toEqual({ answer: [] });
  });

  it('answers calls that are made at the same time, each with its own result', async () => {
    const texts = [workflow(STEP), workflow(`${STEP}        foo: 1\n`), workflow(STEP)];
    const answers = await Promise.all(texts.map((text) => lintInThread(text, PATH, 30_000)));
    expect(answers.map((one) => ('answer' in one && Array.isArray(one.answer) ? one.answer.length : one))).toEqual([
      0, 1, 0,
    ]);
  });

  it('stops when it is aborted, and ends a call that waits when it is closed', async () => {
    const stop = new AbortController();
    const answer = lintInThread(workflow(STEP), PATH, 30_000, stop.signal);
    stop.abort();
    expect(await answer).toEqual({ reason: 'the verification was aborted' });
    await lintInThread(workflow(STEP), PATH, 30_000);
    const waiting = lintInThread(workflow(STEP.repeat(3_000)), PATH, 30_000);
    await new Promise((resolve) => setImmediate(resolve));
    await closeVerifiers();
    expect(await waiting).toEqual({ reason: "actionlint's thread ended with code 1" });
  });

  it('is not asked about YAML that is broken or too deep', async () => {
    expect((await rowOf('actionlint', PATH, '['.repeat(100_000))).verdict).toBe('skipped');
  });
});

describe('the actions verifier', () => {
  it('passes a good workflow', async () => {
    const run = '      - run: echo "$TITLE ${{ github.event.number }} ${{ github.event.pull_request.head.sha }}"\n';
    const text = workflow(`${run}        env:\n          TITLE: \${{ github.event.issue.title }}\n`);
    expect(await rowOf('actions', PATH, text)).toMatchObject({ verdict: 'passed', findings: [] });
  });

  it.each([
    '${{ github.event.issue.title }}',
    "${{ github.event['comment']['body'] }}",
    '${{ github.head_ref }}',
    '${{ toJSON(github.event) }}',
    '${{ github.event.commits.*.message }}',
    "${{ contains(github.event.x, 'a') && github.event.pull_request.title }}",
  ])('fails on %s in a script (T09)', async (expression) => {
    const shell = workflow(`      - run: |\n          echo "${expression}"\n`);
    expect(rules(await rowOf('actions', PATH, shell), 'error')).toEqual(['script-injection']);
    const script = `      - uses: actions/github-script@v8\n        with:\n          script: |\n            log("${expression}")\n`;
    expect(rules(await rowOf('actions', PATH, workflow(script)), 'error')).toEqual(['script-injection']);
  });

  it('only warns of what collaborators choose', async () => {
    const run = '      - run: echo ${{ github.event.pull_request.base.ref }} ${{ github.event.inputs.x }}\n';
    const row = await rowOf('actions', PATH, workflow(run));
    expect(row.verdict).toBe('passed');
    expect(rules(row, 'warning')).toEqual(['script-injection', 'script-injection']);
  });

  it('reads composite actions too', async () => {
    const steps = '    - shell: bash\n      run: echo ${{ github.event.issue.body }}\n';
    const text = `name: x\nruns:\n  using: composite\n  steps:\n${steps}`;
    expect(rules(await rowOf('actions', '.github/actions/x/action.yml', text), 'error')).toEqual(['script-injection']);
  });

  it.each(['pull_request_target', '[push, pull_request_target]', '\n  pull_request_target:\n    types: [opened]'])(
    'fails where "on: %s" fetches the head (T10)',
    async (on) => {
      const step =
        '      - uses: actions/checkout@v6\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n';
      expect(rules(await rowOf('actions', PATH, workflow(step, on)), 'error')).toEqual(['untrusted-checkout']);
      expect((await rowOf('actions', PATH, workflow(step, 'pull_request'))).verdict).toBe('passed');
    },
  );

  it('warns of write-all and of missing permissions', async () => {
    const broad = workflow(STEP).replace('permissions:\n  contents: read', 'permissions: write-all');
    expect(rules(await rowOf('actions', PATH, broad), 'warning')).toEqual(['write-all']);
    const none = workflow(STEP).replace('permissions:\n  contents: read\n', '');
    expect(rules(await rowOf('actions', PATH, none), 'warning')).toEqual(['no-permissions']);
  });
});
