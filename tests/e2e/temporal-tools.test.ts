import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PlanView } from '../../plan/view';
import { userFolders } from '../../store/layout';
import { Installation, useInstallation } from './installation';

const GOAL = 'Set up CI/CD with GitHub Actions, a Dockerfile and docker-compose for this Node.js app';
const TEMPORAL =
  process.env.PLANWRIGHT_TEMPORAL_BIN ??
  join(userFolders({ ...process.env, PLANWRIGHT_HOME: '' }).cache, 'bin', 'temporal');

/** Each group of tests has an installation of its own, with no file written yet. */
let installation: () => Installation;
function useOwnInstallation(): void {
  const own = useInstallation(() => new Installation());
  beforeAll(() => {
    installation = own;
  });
}

/** Temporal's own command line against the embedded server. Fails where the command does. */
async function temporal(...args: string[]): Promise<string> {
  const status = JSON.parse((await installation().ok(['status', '--json'])).stdout) as Record<
    'address' | 'namespace',
    string
  >;
  const where = ['--address', status.address, '--namespace', status.namespace];
  try {
    return (await promisify(execFile)(TEMPORAL, [...args, ...where], { timeout: 30_000 })).stdout;
  } catch (error) {
    // What it printed, with the quotes that its log format escapes as they were.
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new Error(said.replaceAll('\\"', '"'));
  }
}

/** A plan that waits at its first gates. */
async function waitingPlan(): Promise<PlanView> {
  await installation().ok(['plan', GOAL]);
  const { code } = await installation().run(['apply']);
  expect(code).toBe(8);
  return installation().view();
}

const gateOf = (view: PlanView, path: string): string => view.gates.find((gate) => gate.path === path)?.gate ?? '';

async function until(id: string, reached: (view: PlanView) => boolean): Promise<PlanView> {
  const end = Date.now() + 25_000;
  for (;;) {
    const view = await installation().view(id);
    if (reached(view)) return view;
    if (Date.now() > end)
      throw new Error(
        `not reached: ${JSON.stringify({ status: view.status, gates: view.gates, tasks: Object.values(view.tasks).map(({ status, decisions }) => ({ status, decisions })) })}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('a plan in Temporal’s own tools', () => {
  useOwnInstallation();
  let plan: PlanView;
  beforeAll(async () => {
    plan = await waitingPlan();
  });

  it('is found by its state and its workspace', async () => {
    const query = `PlanState = "waiting" AND PlanWorkspace = "${plan.context.workspace}" AND PlanWaitingSince IS NOT NULL`;
    for (let tries = 0; tries < 50; tries++) {
      if ((await temporal('workflow', 'list', '--query', query)).includes(plan.id)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('the plan was not listed');
  });

  it('says what it is, what it waits for, and what to type', async () => {
    const metadata = await temporal('workflow', 'metadata', '-w', plan.id);
    expect(metadata).toMatch(/decide\s+Decides a gate: \{ gate, decision, by, reason, digest \}/);
    expect(metadata).toMatch(/apply\s+Starts a run/);
    expect(metadata).toMatch(/plan\s+The plan as JSON/);
    expect(metadata).toContain('| 2 | dockerfile | awaiting_approval |');
    expect(metadata).toContain(`planwright approve ${plan.id} --gate ${gateOf(plan, 'Dockerfile')}`);
    const description = await temporal('workflow', 'describe', '-w', plan.id);
    expect(description).toMatch(new RegExp(`StaticSummary\\s+"${plan.name}"`));
    expect(description).toContain(`planwright approvals ${plan.id}`);
  });

  it('names the step and the task of each activity', async () => {
    const { events } = JSON.parse(await temporal('workflow', 'show', '-w', plan.id, '--output', 'json')) as {
      events: {
        userMetadata?: { summary?: { data: string } };
        activityTaskScheduledEventAttributes?: { activityId: string };
      }[];
    };
    const named = events
      .filter((event) => event.activityTaskScheduledEventAttributes?.activityId.startsWith('generate'))
      .map((event) => Buffer.from(event.userMetadata?.summary?.data ?? '', 'base64').toString('utf8'));
    expect(named.sort()).toEqual(['"generate task 1 (github-actions)"', '"generate task 2 (dockerfile)"']);
  });

  it('answers its queries', async () => {
    const result = await temporal('workflow', 'query', '-w', plan.id, '--type', 'plan', '--output', 'json');
    expect(result).toContain('planwright.plan/1');
    expect(await temporal('workflow', 'query', '-w', plan.id, '--type', 'gates')).toContain(gateOf(plan, 'Dockerfile'));
  });

  it('takes decisions by update, and says why it refuses one', async () => {
    const decide = (input: object): Promise<string> =>
      temporal('workflow', 'update', 'execute', '-w', plan.id, '--name', 'decide', '--input', JSON.stringify(input));
    const gate = gateOf(plan, 'Dockerfile');
    await expect(decide({ gate, decision: 'perhaps', by: 'ops' })).rejects.toThrow(
      /Unknown decision "perhaps"; one of approve/,
    );
    await expect(decide({ gate: 'gate-x', decision: 'approve', by: 'ops' })).rejects.toThrow(/has no gate "gate-x"/);
    expect(await decide({ gate, decision: 'approve', by: 'ops' })).toMatch(/approve/);
    await expect(decide({ gate, decision: 'reject', by: 'eve' })).rejects.toThrow(/already decided: approve by ops/);
  });

  it('takes them by signal as well, and runs to its end', async () => {
    const signal = (path: string): Promise<string> => {
      const input = JSON.stringify({ gate: gateOf(plan, path), decision: 'approve', by: 'ops', reason: 'seen' });
      return temporal('workflow', 'signal', '-w', plan.id, '--name', 'decide', '--input', input);
    };
    for (const path of plan.gates.map((gate) => gate.path ?? '').filter((path) => path !== 'Dockerfile'))
      await signal(path);
    plan = await until(
      plan.id,
      ({ tasks, gates }) => tasks['2']?.status === 'completed' && gates.some(({ task }) => task === '3'),
    );
    expect(plan.tasks['2']?.decisions).toMatchObject([{ by: 'ops' }, { by: 'ops' }]);
    for (const path of plan.gates.map((gate) => gate.path ?? '')) await signal(path);
    await until(plan.id, ({ status }) => status === 'completed');
  });
});

describe.each([
  ['cancelled', ['workflow', 'cancel', '-w']],
  ['terminated', ['workflow', 'terminate', '--reason', 'test', '-w']],
])('a plan whose workflow was %s in Temporal', (ended, command) => {
  useOwnInstallation();
  let plan: PlanView;
  let files: string[];
  beforeAll(async () => {
    plan = await waitingPlan();
    // One file is written, the rest waits.
    await installation().ok(['approve', plan.id, '--task', '1']);
    await until(plan.id, ({ tasks }) => tasks['1']?.status === 'completed');
    files = Object.keys(installation().files()).sort();
    await temporal(...command, plan.id);
    for (let tries = 0; tries < 100; tries++) {
      if ((await temporal('workflow', 'describe', '-w', plan.id)).match(/Status\s+(CANCELED|TERMINATED)/i)) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  it('is shown with what happened, and keeps its files', async () => {
    const { stdout } = await installation().ok(['plan', 'show', plan.id]);
    expect(stdout).toContain(`its workflow was ${ended} in Temporal`);
    expect(stdout).toContain('completed');
    const list = await installation().ok(['plan', 'list']);
    expect(list.stdout).toMatch(new RegExp(`${plan.id}: its workflow was ${ended} in Temporal`));
    expect(Object.keys(installation().files()).sort()).toEqual(files);
    expect(files).toContain('.github/workflows/ci.yml');
  });

  it('waits for nobody any more', async () => {
    const gates = JSON.parse((await installation().ok(['approvals', '--json'])).stdout) as { plan: string }[];
    expect(gates.filter((gate) => gate.plan === plan.id)).toEqual([]);
    const { code, stderr } = await installation().run(['approve', plan.id, '--all']);
    expect(code).not.toBe(0);
    expect(stderr).not.toContain('has a bug');
  });

  it('is refused to apply and to cancel, in words that say what to do', async () => {
    for (const args of [
      ['apply', plan.id],
      ['apply', plan.id, '--resume', '--yes'],
      ['cancel', plan.id],
    ]) {
      const { code, stderr } = await installation().run(args);
      expect(stderr).toContain(`its workflow was ${ended} in Temporal`);
      expect(stderr).toContain('planwright plan "<goal>"');
      expect(code).toBe(5);
    }
  });

  it('is not watched for ever', async () => {
    const { code, stdout, stderr } = await installation().run(['watch', plan.id]);
    expect(stdout + stderr).toContain(`its workflow was ${ended} in Temporal`);
    expect(code).toBe(ended === 'cancelled' ? 2 : 1);
  });

  it('leaves the workspace free for a new plan', async () => {
    await installation().ok(['plan', GOAL]);
    expect((await installation().run(['apply', '--yes'])).code).toBe(0);
  });
});
