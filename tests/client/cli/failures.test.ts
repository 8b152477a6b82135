import { explanation } from '../../../client/cli/show/explanation';
import { planText } from '../../../client/cli/show/plan-text';
import { makeStyle } from '../../../client/cli/show/style';
import { taskText } from '../../../client/cli/show/task-text';
import { planView, runView, taskView } from './views';
import { FakeClient, settle, world } from './world';

const plain = makeStyle(false);
const MESSAGE = 'Verification found 2 error(s):\nDockerfile:1: Unknown instruction: FRM\nDockerfile:2: \u001b[2J';
const ERROR = { type: 'Verification', message: MESSAGE, advice: 'Look at it.\nThen retry.' };

function failed() {
  return planView({
    status: 'failed',
    runs: [runView({ status: 'failed', finishedAt: '2026-01-01T00:00:05.000Z' })],
    tasks: { docker: taskView(1, 'failed', { error: ERROR, reason: MESSAGE }), ci: taskView(2, 'skipped') },
  });
}

describe('a failure of several lines', () => {
  it('keeps its lines where a task is shown, hidden characters escaped, and is not told twice', () => {
    const text = taskText(failed(), 'docker', plain);
    expect(text).toContain(
      '  ✗ Verification: Verification found 2 error(s):\n    Dockerfile:1: Unknown instruction: FRM\n    Dockerfile:2: \\x1b[2J\n' +
        '    Look at it.\n    Then retry.\n',
    );
    expect(text.match(/Verification found/g)).toHaveLength(1);
  });

  it('is its first line in the list of tasks', () => {
    expect(planText(failed(), plain)).toMatch(/✗ failed \(Verification found 2 error\(s\)\)\n/);
  });

  it.each([[[]], [['--quiet']]])('is told by a command that follows the run, with the flags %j', async (flags) => {
    const client = new FakeClient(planView({ status: 'running', runs: [runView()] }));
    const w = world({ client });
    const done = w.run('watch', ...flags);
    await settle();
    client.push(failed());
    expect(await done).toBe(1);
    expect(w.stderr.text).toContain('✗ Task 1 dockerfile failed: Verification found 2 error(s):\n  Dockerfile:1: ');
  });
});

describe('a planning that failed', () => {
  const unplanned = planView({
    status: 'failed',
    graph: { nodes: [] },
    tasks: {},
    runs: [],
    failure: { type: 'BadGraph', message: 'It breaks these rules:\n- a circle', advice: 'Say it more plainly.' },
  });

  it('tells why in `plan show` and `explain`', () => {
    const why = '✗ The plan could not be made: It breaks these rules:\n  - a circle\n  Say it more plainly.\n';
    expect(planText(unplanned, plain)).toContain(why);
    expect(explanation(unplanned).join('\n')).toContain('It breaks these rules:\n  - a circle\n  Say it more plainly.');
  });
});
