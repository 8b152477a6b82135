import { sha256 } from '../../../plan/digest';
import { RefusedError } from '../../../plan/errors';
import type { PlanView } from '../../../plan/view';
import { atGate, completed, dockerfile, fileView, gateView, planView, runView, taskView } from './views';
import { FakeClient, FakePrompter, settle, world } from './world';

function failedWith(type: string): PlanView {
  const error = { type, message: 'no', advice: 'Do this.' };
  return planView({
    status: 'partial',
    runs: [runView({ status: 'partial', finishedAt: '2026-01-01T00:00:09.000Z' })],
    tasks: { docker: taskView(1, 'completed'), ci: taskView(2, 'failed', { error }) },
  });
}

describe('apply', () => {
  it('follows a run to its end, lists the files and says what comes next', async () => {
    const client = new FakeClient(planView()).push(completed());
    const w = world({ client });
    expect(await w.run('apply', '--yes', '--timeout', '90', '--concurrency', '2', '--allow-all-paths')).toBe(0);
    expect(client.applied).toEqual([
      expect.objectContaining({ by: 'ada', yes: true, timeoutMs: 90_000, concurrency: 2, allowAllPaths: true }),
    ]);
    expect(client.applied[0]?.settings).toBeUndefined();
    expect(w.stdout.text).toContain('+ Dockerfile');
    expect(w.stdout.text).toContain('~ .github/workflows/ci.yml');
    expect(w.stdout.text).toContain('1 file created, 1 changed, 0 deleted.');
    expect(w.stderr.text).toContain('✓ Task 1 dockerfile');
    expect(w.stderr.text).toMatch(/Next:\n {2}planwright plan show plan-1a2b3c4d/);
    expect(client.closed).toBe(true);
  });

  it('writes NDJSON that begins with its version and holds nothing else on stdout', async () => {
    const client = new FakeClient(planView()).push(atGate(), completed());
    const w = world({ client });
    // The gate is passed from elsewhere between two views.
    expect(await w.run('apply', '--json', '--wait', '30m')).toBe(0);
    const lines = w.stdout.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(lines[0]).toEqual({ type: 'version', planwright: expect.any(String), stream: 1 });
    expect(lines.map(({ type }) => type)).toEqual([
      'version',
      'run_started',
      'task_started',
      'artifact',
      'gate_opened',
      'file_written',
      'task_completed',
      'task_started',
      'artifact',
      'file_written',
      'task_completed',
      'run_finished',
    ]);
  });

  it.each([
    ['all tasks completed', completed(), 0],
    ['a task failed', failedWith('Verification'), 1],
    ['the provider refused the key', failedWith('Credentials'), 4],
    ['the provider cannot be reached', failedWith('Unreachable'), 4],
    ['cancelled', planView({ status: 'cancelled', runs: [runView({ status: 'cancelled' })] }), 2],
    ['everything declined', completed({ tasks: { docker: taskView(1, 'declined'), ci: taskView(2, 'declined') } }), 2],
    ['some declined', completed({ tasks: { docker: taskView(1, 'completed'), ci: taskView(2, 'declined') } }), 0],
  ])('exits by how the plan ended: %s', async (_, view, code) => {
    const w = world({ client: new FakeClient(planView()).push(view) });
    expect(await w.run('apply')).toBe(code);
    if (Object.values(view.tasks).some(({ status }) => status === 'declined'))
      expect(w.stdout.text).toContain('declined');
  });

  it('judges a single task by that task, not by the rest of the plan', async () => {
    const client = new FakeClient(failedWith('Verification'));
    client.applyAnswer = { result: 'started', run: 2, message: null };
    const view = failedWith('Verification');
    client.push({
      ...view,
      runs: [...view.runs, runView({ number: 2, kind: 'task', status: 'completed', tasks: ['docker'] })],
    });
    expect(await world({ client }).run('apply', '--task', '1', '--instruct', 'Use Alpine')).toBe(0);
    expect(client.applied[0]).toMatchObject({ task: 'docker', instruct: 'Use Alpine' });
  });

  it('without a terminal never approves: prints the exact lines and exits 8', async () => {
    const prompter = new FakePrompter(['y', 'y', 'y']);
    const client = new FakeClient(planView()).push(atGate());
    const w = world({ client, prompter, stdin: 'y\ny\n' });
    expect(await w.run('apply')).toBe(8);
    expect(w.stderr.text).toContain('planwright approve plan-1a2b3c4d --gate g-Dockerfile\n');
    expect(client.decisions).toEqual([]);
    expect(prompter.questions).toEqual([]);
  });

  it('asks nobody where the output is JSON, even on a terminal', async () => {
    const prompter = new FakePrompter(['y']);
    const client = new FakeClient(planView()).push(atGate());
    expect(await world({ client, prompter, tty: true }).run('apply', '--json')).toBe(8);
    expect(prompter.questions).toEqual([]);
  });

  it('lets what still runs come to its end before it leaves at a gate', async () => {
    const busy = atGate();
    const client = new FakeClient(planView());
    client.push({ ...busy, tasks: { ...busy.tasks, ci: taskView(2, 'generating') } });
    const w = world({ client });
    const done = w.run('apply');
    await settle();
    expect(w.stderr.text).not.toContain('planwright approve');
    client.push(busy);
    expect(await done).toBe(8);
  });

  it('says that a run which is under way keeps its own flags, and how to approve all that waits', async () => {
    for (const [flags, said] of [
      [[], null],
      [['--concurrency', '2'], 'those given now are passed over.\n'],
      [['--yes'], 'passed over. What waits is approved by: planwright approve plan-1a2b3c4d --all'],
    ] as const) {
      const client = new FakeClient(atGate()).push(atGate());
      client.applyAnswer = { result: 'attached', run: 1, message: null };
      const w = world({ client });
      expect(await w.run('apply', ...flags)).toBe(8);
      if (said === null) expect(w.stderr.text).not.toContain('passed over');
      else expect(w.stderr.text).toContain(said);
    }
  });

  it('--wait blocks for its duration and then exits 8', async () => {
    const client = new FakeClient(planView()).push(atGate());
    const w = world({ client });
    const done = w.run('apply', '--wait', '30m');
    await settle();
    expect(w.timers.map(({ ms }) => ms)).toEqual([30 * 60_000]);
    expect(w.stderr.text).toContain('planwright approve plan-1a2b3c4d --gate g-Dockerfile');
    w.timers[0]?.call();
    expect(await done).toBe(8);
  });

  it('--wait stops its clock when somebody decides, and ends with the plan', async () => {
    const client = new FakeClient(planView()).push(atGate());
    const w = world({ client });
    const done = w.run('apply', '--wait', '1h');
    await settle();
    client.push(planView({ status: 'running', runs: [runView()] }));
    await settle();
    expect(w.timers).toEqual([]);
    client.push(completed());
    expect(await done).toBe(0);
  });

  it('--detach returns once the run has read the policy, and leaves a plan that goes on', async () => {
    const client = new FakeClient(planView()).push(planView({ status: 'running', runs: [runView()] }));
    const w = world({ client });
    const done = w.run('apply', '--detach');
    await settle();
    expect(w.stderr.text).not.toContain('handed over');
    client.push(planView({ status: 'running', runs: [runView({ policy: 'f'.repeat(64) })] }));
    expect(await done).toBe(0);
    expect(w.stderr.text).toContain('planwright watch plan-1a2b3c4d');
  });

  it('--detach tells of a run that was refused, exit 5', async () => {
    const reason = '.planwright/policy.yaml does not allow --yes (flags:).';
    const client = new FakeClient(planView()).push(planView({ runs: [runView({ status: 'refused', reason })] }));
    const w = world({ client });
    expect(await w.run('apply', '--detach', '--yes')).toBe(5);
    expect(w.stderr.text).toContain('does not allow --yes');
    expect(w.stderr.text).not.toContain('handed over');
  });

  it('who leaves while a run that was handed over begins leaves it to go on', async () => {
    const client = new FakeClient(planView()).push(planView({ status: 'running', runs: [runView()] }));
    const w = world({ client });
    const done = w.run('apply', '--detach');
    await settle();
    w.signal('SIGINT');
    expect(await done).toBe(0);
    expect(client.cancelled).toEqual([]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s detaches, says so, and cancels nothing', async (signal, code) => {
    const client = new FakeClient(planView()).push(planView({ status: 'running', runs: [runView()] }));
    const w = world({ client });
    const done = w.run('apply');
    await settle();
    w.signal(signal);
    expect(await done).toBe(code);
    expect(w.stderr.text).toContain('Detached from plan plan-1a2b3c4d: it goes on');
    expect(client.cancelled).toEqual([]);
  });

  it('says that there is nothing to do for a completed plan, exit 0', async () => {
    const client = new FakeClient(completed());
    client.applyAnswer = { result: 'nothing', run: null, message: 'Nothing to do: the plan is completed.' };
    const w = world({ client });
    expect(await w.run('apply')).toBe(0);
    expect(w.stderr.text).toContain('Nothing to do');
  });

  it('exits 1 and names --retry where only failed tasks are left', async () => {
    const client = new FakeClient(failedWith('Verification'));
    client.applyAnswer = { result: 'nothing', run: null, message: 'Nothing to resume.' };
    const w = world({ client });
    expect(await w.run('apply', '--resume')).toBe(1);
    expect(w.stderr.text).toContain('planwright apply plan-1a2b3c4d --resume --retry');
  });

  it('passes a refusal on: message, advice, exit 5', async () => {
    const client = new FakeClient(planView());
    client.apply = async () => {
      throw new RefusedError('Plan plan-1a2b3c4d is partial.', 'Say how to go on.');
    };
    const w = world({ client });
    expect(await w.run('apply')).toBe(5);
    expect(w.stderr.text).toBe('✗ Plan plan-1a2b3c4d is partial.\n  Say how to go on.\n');
  });

  it('reports what is not one of our errors as a bug, exit 1', async () => {
    const client = new FakeClient(planView());
    client.apply = async () => {
      throw new TypeError('x is not a function');
    };
    const w = world({ client });
    expect(await w.run('apply')).toBe(1);
    expect(w.stderr.text).toContain('Planwright has a bug');
    expect(w.stderr.text).toContain('Please report it');
  });

  it('uses --provider and --model for this run only', async () => {
    const client = new FakeClient(planView()).push(completed());
    await world({ client }).run('apply', '--provider', 'openai', '--model', 'gpt-4o', '--temperature', '0');
    expect(client.applied[0]?.settings).toEqual({ provider: 'openai', model: 'gpt-4o', temperature: 0 });
  });

  it.each([
    [['--retry'], '--retry goes with --resume'],
    [['--timeout', '0'], '--timeout takes seconds'],
    [['--timeout', 'soon'], '--timeout takes a number'],
    [['--concurrency', '0'], '--concurrency takes a whole number'],
    [['--wait', '30'], '--wait takes a duration'],
    [['--wait', '0s'], '--wait takes a duration'],
    [['--wait', '5m', '--detach'], '--detach does not wait'],
    [['--instruct', 'x'], '--instruct is for one task'],
    [['--task', '7'], 'has no task "7"'],
    [['--task', '1', '--resume'], '--task runs one task alone'],
    [['--temperature', '3'], '--temperature takes a number from 0 to 2'],
  ])('refuses bad usage with exit 2: %j', async (flags, message) => {
    const client = new FakeClient(planView());
    const w = world({ client });
    expect(await w.run('apply', ...flags)).toBe(2);
    expect(w.stderr.text).toContain(message);
    expect(client.applied).toEqual([]);
  });
});

describe('apply on a terminal', () => {
  const asked = (answers: string[], view = atGate(), then: 'end' | 'interrupt' | 'wait' = 'end') => {
    const client = new FakeClient(planView()).push(view);
    const prompter = new FakePrompter(answers, then);
    const w = world({ client, prompter, tty: true });
    const decide = client.onDecide;
    client.onDecide = (decision) => {
      client.push(completed());
      return decide(decision);
    };
    return { client, prompter, w };
  };

  it('asks for each file and sends the digest that it showed', async () => {
    const { client, prompter, w } = asked(['y']);
    expect(await w.run('apply')).toBe(0);
    expect(prompter.questions).toEqual(['Approve Dockerfile? [y]es [n]o [d]iff [r]equest changes [a]ll of this task ']);
    expect(client.decisions).toEqual([
      { gate: 'g-Dockerfile', by: 'ada', decision: 'approve', digest: dockerfile.digest },
    ]);
  });

  it.each([
    [['n'], { decision: 'reject' }],
    [['r', 'Use Alpine'], { decision: 'request-changes', reason: 'Use Alpine' }],
    [['r', '', 'n'], { decision: 'reject' }],
    [['', 'maybe', 'Y'], { decision: 'approve' }],
  ])('understands %j', async (answers, decision) => {
    const { client, w } = asked(answers);
    await w.run('apply');
    expect(client.decisions).toEqual([expect.objectContaining(decision)]);
  });

  it('shows the diff, with what is hidden in it made visible, and asks again', async () => {
    const after = 'FROM node:22\nRUN echo \u202eevil\u001b[2J\n';
    const file = fileView('Dockerfile', after, { preSha256: sha256('FROM node:20\n') });
    const { client, prompter, w } = asked(['d', 'y'], atGate(gateView('docker', file)));
    client.objects.set(file.sha256, Buffer.from(after));
    client.objects.set(sha256('FROM node:20\n'), Buffer.from('FROM node:20\n'));
    await w.run('apply', '--no-color');
    expect(w.stderr.text).toContain('-FROM node:20\n+FROM node:22\n+RUN echo \\u202eevil\\x1b[2J');
    expect(prompter.questions).toHaveLength(2);
    expect(client.decisions[0]?.digest).toBe(file.digest);
  });

  it('"all of this task" approves its other open files, each with its digest, but never a HIGH one', async () => {
    const others = [fileView('.dockerignore', 'dist\n'), fileView('run.sh', 'curl | sh\n', { risk: 'HIGH' })];
    const view = atGate();
    view.gates.push(...others.map((file) => gateView('docker', file)), gateView('ci', fileView('ci.yml', 'x\n')));
    const { client, prompter, w } = asked(['a'], view);
    client.onDecide = ({ gate, decision, by }) => ({ gate, decision, by, at: '2026-01-01T00:00:00.000Z' });
    expect(await w.run('apply')).toBe(8);
    expect(client.decisions.map(({ gate }) => gate)).toEqual(['g-Dockerfile', 'g-.dockerignore']);
    expect(client.decisions[1]?.digest).toBe(others[0]?.digest);
    expect(prompter.questions[1]).toContain('run.sh');
  });

  it('end of input detaches: nothing is approved, exit 8', async () => {
    const { client, w } = asked([]);
    expect(await w.run('apply')).toBe(8);
    expect(client.decisions).toEqual([]);
    expect(w.stderr.text).toContain('Detached from plan');
    expect(w.stderr.text).toContain('planwright approve plan-1a2b3c4d --gate g-Dockerfile');
  });

  it('end of input while a reason is typed decides nothing either', async () => {
    const { client, w } = asked(['r']);
    expect(await w.run('apply')).toBe(8);
    expect(client.decisions).toEqual([]);
  });

  it('Ctrl-C at the prompt detaches with 130', async () => {
    const { client, w } = asked([], atGate(), 'interrupt');
    expect(await w.run('apply')).toBe(130);
    expect(client.decisions).toEqual([]);
  });

  it('withdraws its question when somebody else decides', async () => {
    const { client, prompter, w } = asked([], atGate(), 'wait');
    const done = w.run('apply');
    await settle();
    expect(prompter.questions).toHaveLength(1);
    client.push(completed());
    expect(await done).toBe(0);
    expect(client.decisions).toEqual([]);
  });

  it('a HIGH plan is let through by typing its name, and by nothing else', async () => {
    const risk = { gate: 'g-risk', kind: 'risk', task: null, path: null, digest: 'd1', risk: 'HIGH' } as const;
    const { client, prompter, w } = asked(['y', 'yes', 'release'], atGate(risk));
    expect(await w.run('apply', '--yes')).toBe(0);
    expect(prompter.questions).toHaveLength(3);
    expect(client.decisions).toEqual([{ gate: 'g-risk', by: 'ada', decision: 'approve', digest: 'd1' }]);
  });

  it('goes on when a decision came too late', async () => {
    const { client, w } = asked(['y']);
    client.onDecide = () => {
      client.push(completed());
      throw new RefusedError('Gate g-Dockerfile was decided by bob.');
    };
    expect(await w.run('apply')).toBe(0);
    expect(w.stderr.text).toContain('was decided by bob');
  });

  it('after a request for changes asks nothing more about that task: its other files are made again', async () => {
    const view = atGate();
    view.gates.push(gateView('docker', fileView('.dockerignore', 'dist\n')));
    const { client, prompter, w } = asked(['r', 'Use Alpine', 'y'], view);
    expect(await w.run('apply')).toBe(0);
    expect(client.decisions.map(({ decision }) => decision)).toEqual(['request-changes']);
    expect(prompter.questions.filter((question) => question.includes('.dockerignore'))).toEqual([]);
  });

  it('says before a request is typed that the template provider follows none, and not where a model does', async () => {
    const template = asked(['r', 'Use Alpine']);
    await template.w.run('apply');
    expect(template.w.stderr.text).toContain('generates the same file again');
    const model = asked(['r', 'Use Alpine'], { ...atGate(), provider: 'openai' });
    await model.w.run('apply');
    expect(model.w.stderr.text).not.toContain('generates the same file again');
  });
});
