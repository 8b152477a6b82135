import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realRooms } from '../../../client/cli/rooms';
import { UsageError } from '../../../plan/errors';
import type { PlanView, TaskError } from '../../../plan/view';
import { completed, planView, taskView } from './views';
import { FakeClient, settle, world } from './world';

const planning = planView({ status: 'planning', graph: { nodes: [] }, tasks: {} });
const making = (after: PlanView = planView()): FakeClient => new FakeClient(planning).push(planning, after);
const failedPlan = (failure: TaskError): PlanView => ({ ...planning, status: 'failed', failure });

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'planwright-cli-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

describe('plan', () => {
  it('makes a plan, prints the choice of provider, shows the tasks and what comes next', async () => {
    const client = making();
    const w = world({ client, tty: true });
    expect(await w.run('plan', 'Set up CI', '--no-color', '--timeout', '5')).toBe(0);
    expect(client.created).toEqual([
      {
        goal: 'Set up CI',
        name: 'set-up-ci',
        by: 'ada',
        settings: { provider: 'template', model: 'template', temperature: 0.2 },
        graph: undefined,
        timeoutMs: 5000,
      },
    ]);
    expect(w.stderr.text).toContain('provider: template (no OPENAI_API_KEY set)');
    expect(w.stdout.text).toContain('1. Write a Dockerfile\n   → dockerfile\n');
    expect(w.stdout.text).toContain('2. Write a workflow\n   → github-actions\n   → depends on Task 1\n');
    expect(w.stdout.text).toContain('Risk MEDIUM\n   MEDIUM CI and monitoring (task 2, tool)\n');
    expect(w.stderr.text).toContain('planwright apply plan-1a2b3c4d');
    expect(client.used).toEqual(['plan-1a2b3c4d']);
  });

  it('`plan new` is the same command', async () => {
    const client = making();
    expect(await world({ client, tty: true }).run('plan', 'new', 'Set up CI', '--name', 'my plan')).toBe(0);
    expect(client.created[0]).toMatchObject({ goal: 'Set up CI', name: 'my plan' });
  });

  it('takes the goal from stdin and from a file', async () => {
    const piped = making();
    expect(await world({ client: piped, stdin: 'Add a Makefile\n' }).run('plan')).toBe(0);
    expect(piped.created[0]?.goal).toBe('Add a Makefile');
    writeFileSync(join(cwd, 'goal.txt'), 'Add CI\nand tests\n');
    const read = making();
    expect(await world({ client: read, cwd }).run('plan', '-f', 'goal.txt')).toBe(0);
    expect(read.created[0]?.goal).toBe('Add CI\nand tests');
  });

  it('writes NDJSON with --json', async () => {
    const w = world({ client: making() });
    expect(await w.run('plan', 'Set up CI', '--json')).toBe(0);
    const events = w.stdout.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(events.map(({ type }) => type)).toEqual(['version', 'plan_created', 'plan_ready']);
  });

  it('--execute --yes applies the plan at once', async () => {
    const client = making();
    client.apply = async (_, request) => {
      client.applied.push(request);
      client.push(completed());
      return { result: 'started', run: 1, message: null };
    };
    const w = world({ client });
    expect(await w.run('plan', 'Set up CI', '--execute', '--yes')).toBe(0);
    expect(client.applied).toEqual([expect.objectContaining({ yes: true, by: 'ada' })]);
    expect(w.stdout.text).toContain('1 file created');
  });

  it('--graph takes a graph made elsewhere and needs no goal', async () => {
    const graph = { nodes: [{ id: '1', tool: 'dockerfile', description: 'Write it', input: {}, deps: [] }] };
    writeFileSync(join(cwd, 'graph.json'), JSON.stringify(graph));
    const client = making();
    expect(await world({ client, cwd, tty: true }).run('plan', '--graph', 'graph.json')).toBe(0);
    expect(client.created[0]?.graph).toEqual(graph);
  });

  it.each([
    ['no JSON', '{"nodes": [', 'is no task graph'],
    ['the wrong shape', '{"nodes": [{"id": 1, "tool": "x", "description": "y"}]}', 'nodes.0.id'],
    ['an unknown key', '{"nodes": [], "wat": 1}', 'wat'],
  ])('refuses a graph with %s, naming the place, exit 2', async (_, content, message) => {
    writeFileSync(join(cwd, 'graph.json'), content);
    const client = making();
    const w = world({ client, cwd });
    expect(await w.run('plan', '--graph', 'graph.json')).toBe(2);
    expect(w.stderr.text).toContain(message);
    expect(client.created).toEqual([]);
  });

  it.each([
    ['none on a terminal', [], true, '', 'There is no goal'],
    ['none on an empty stdin', [], false, '', 'There is no goal'],
    ['an empty one', ['  \n '], true, '', 'The goal is empty'],
    ['100 kB', ['x'.repeat(100_000)], true, '', '100000 bytes, and at most 32768'],
    ['a NUL', ['a\u0000b'], true, '', 'U+0000'],
    ['bidi', ['a\u202eb'], true, '', 'U+202E'],
    ['an escape on stdin', [], false, 'a\u001b[2Jb', 'U+001B'],
    ['forgotten quotes', ['Set', 'up', 'CI'], true, '', 'in quotes'],
    ['two', ['a goal', '-f', 'goal.txt'], true, '', 'two goals'],
    ['a missing file', ['-f', 'none.txt'], true, '', 'ENOENT'],
    ['a subcommand without its argument', ['import'], true, '', "missing required argument 'file'"],
    ['a slip of a subcommand', ['exporte'], true, '', 'Did you mean `planwright plan export`?'],
  ])('refuses a goal that is %s, with exit 2 and nothing started', async (_, words, tty, stdin, message) => {
    const client = making();
    const initialise = jest.fn(async () => []);
    const w = world({ client, tty, stdin, cwd, rooms: { initialise } });
    expect(await w.run('plan', ...words)).toBe(2);
    expect(w.stderr.text).toContain(message);
    expect(client.created).toEqual([]);
    expect(initialise).not.toHaveBeenCalled();
  });

  it.each(['latest', 'plan-12ab', 'a\u202eb', ' '])('refuses the name %j', async (name) => {
    expect(await world({ client: making(), tty: true }).run('plan', 'Set up CI', '--name', name)).toBe(2);
  });

  it('refuses what the settings refuse, before anything is made', async () => {
    const settings = async () => {
      throw new UsageError('There is no provider "x".', 'Known providers: openai, template.');
    };
    const client = making();
    const w = world({ client, tty: true, rooms: { settings } });
    expect(await w.run('plan', 'Set up CI', '--provider', 'x')).toBe(2);
    expect(w.stderr.text).toContain('Known providers');
    expect(client.created).toEqual([]);
  });

  it.each([
    ['Credentials', 4],
    ['Unreachable', 4],
    ['NoRule', 2],
    ['BadInput', 2],
    ['BadGraph', 1],
    ['BadAnswer', 1],
  ])('exits by why the planning failed: %s', async (type, code) => {
    const failure = { type, message: 'It says \u001b[31mno\n- first', advice: 'Try this.' };
    const client = making(failedPlan(failure));
    const w = world({ client });
    expect(await w.run('plan', 'Set up CI')).toBe(code);
    expect(w.stderr.text).toContain('The plan could not be made: It says \\x1b[31mno\n  - first\n  Try this.\n');
  });

  it('Ctrl-C while planning leaves the planning to go on, exit 130', async () => {
    const client = new FakeClient(planning).push(planning);
    const w = world({ client });
    const done = w.run('plan', 'Set up CI');
    await settle();
    w.signal('SIGINT');
    expect(await done).toBe(130);
    expect(w.stderr.text).toContain('Detached');
  });
});

describe('plan list, show and use', () => {
  it('lists plans with what waits, and says so where there are none', async () => {
    const client = new FakeClient(planView());
    const none = world({ client });
    expect(await none.run('plan', 'list')).toBe(0);
    expect(none.stdout.text).toContain('no plans in this workspace');
    client.listings = [
      {
        id: 'plan-1a2b3c4d',
        name: 'release',
        goal: 'Set up\nCI \u001b[2J',
        status: 'waiting',
        createdAt: '2026-01-01T00:00:00.000Z',
        tasks: { total: 2, completed: 1 },
        waiting: { approvals: 1, gates: 1, since: '2026-01-01T00:05:00.000Z' },
        active: true,
        note: null,
      },
    ];
    const w = world({ client });
    await w.run('plan', 'list');
    expect(w.stdout.text).toContain(
      '*  plan-1a2b3c4d  release  waiting  1/2   waiting for 1 approval since 5m 0s  10m 0s ago  Set up CI \\x1b[2J',
    );
    expect(w.stderr.text).toContain('planwright approvals');
    const json = world({ client });
    await json.run('plan', 'list', '--json');
    expect(JSON.parse(json.stdout.text)).toEqual(client.listings);
  });

  it('shows a plan as the JSON of the contract', async () => {
    const w = world({ client: new FakeClient(completed()) });
    expect(await w.run('plan', 'show', 'latest', '--json')).toBe(0);
    expect(JSON.parse(w.stdout.text)).toEqual(JSON.parse(JSON.stringify(completed())));
  });

  it('says where a view that is not live comes from', async () => {
    const client = new FakeClient(completed());
    client.note = 'Temporal is not running; this is the last state that was written.';
    const w = world({ client });
    await w.run('plan', 'show');
    expect(w.stdout.text).toContain('Note: Temporal is not running');
  });

  it('shows one task by number or id, with its error and advice', async () => {
    const error = { type: 'Timeout', message: 'too slow', advice: 'Give it more time.' };
    const view = planView({ tasks: { docker: taskView(1, 'failed', { error }), ci: taskView(2, 'pending') } });
    for (const task of ['1', 'docker']) {
      const w = world({ client: new FakeClient(view) });
      expect(await w.run('plan', 'show', '--task', task)).toBe(0);
      expect(w.stdout.text).toContain('Timeout: too slow');
      expect(w.stdout.text).toContain('Give it more time.');
    }
    expect(await world({ client: new FakeClient(view) }).run('plan', 'show', '--task', '9')).toBe(2);
  });

  it('--raw gives the answer byte for byte to a pipe, and escaped on a terminal', async () => {
    const client = new FakeClient(planView({ raw: 'r' }));
    client.objects.set('r', Buffer.from('{"a": "\u001b[2J"}\n'));
    const pipe = world({ client });
    expect(await pipe.run('plan', 'show', '--raw')).toBe(0);
    expect(pipe.stdout.text).toBe('{"a": "\u001b[2J"}\n');
    const screen = world({ client, tty: true });
    await screen.run('plan', 'show', '--raw');
    expect(screen.stdout.text).toBe('{"a": "\\x1b[2J"}\n');
  });

  it('makes a plan the active one', async () => {
    const client = new FakeClient(planView());
    expect(await world({ client }).run('plan', 'use', 'release')).toBe(0);
    expect(client.used).toEqual(['plan-1a2b3c4d']);
    expect(await world({ client }).run('plan', 'use')).toBe(2);
    expect(await world({ client }).run('plan', 'use', 'none')).toBe(2);
  });
});

describe('validate and explain', () => {
  it('validate says OK, or names the faults with exit 2', async () => {
    const client = new FakeClient(planView());
    expect(await world({ client, rooms: { graphFaults: async () => [] } }).run('validate')).toBe(0);
    const w = world({ client, rooms: { graphFaults: async () => ['Task "1": there is no tool "x".'] } });
    expect(await w.run('validate')).toBe(2);
    expect(w.stdout.text).toContain('has 1 fault:\n  Task "1": there is no tool "x".');
  });

  it('explain names goal, tasks, order, risk, questions, places and the way back', async () => {
    const w = world({ client: new FakeClient(planView({ goal: 'Set up CI\u202e' })) });
    expect(await w.run('explain')).toBe(0);
    expect(w.stdout.text).toContain('Set up CI\\u202e');
    expect(w.stdout.text).toContain('Task 2 waits for Task 1');
    expect(w.stdout.text).toContain('The risk is medium');
    expect(w.stdout.text).toContain('CI and monitoring (MEDIUM), seen in task 2, tool.');
    expect(w.stdout.text).toContain('What you will be asked');
    expect(w.stdout.text).toContain('How to undo it');
  });
});

describe('the next useful command', () => {
  it.each([[['plan', 'show']], [['explain']]])('after %j is never the same one again', async (line) => {
    for (const view of [completed(), planView()]) {
      const w = world({ client: new FakeClient(view) });
      expect(await w.run(...line)).toBe(0);
      const next = w.stderr.text.slice(w.stderr.text.indexOf('Next:'));
      expect(next).toContain('planwright ');
      expect(next).not.toMatch(new RegExp(`planwright ${line.join(' ')} plan-1a2b3c4d$`, 'm'));
    }
  });

  it('after a plan with a declined task includes the line that runs that task again', async () => {
    const view = completed();
    const task = view.tasks.docker;
    if (task) task.status = 'declined';
    const w = world({ client: new FakeClient(view) });
    await w.run('plan', 'show');
    expect(w.stderr.text).toContain('planwright apply plan-1a2b3c4d --task 1');
  });
});

it.each(['lst', 'shw', 'usee', 'dif', 'delte', 'claen'])(
  'a misspelt subcommand is not taken for a goal: %s',
  async (word) => {
    const client = new FakeClient(planView());
    const w = world({ client });
    expect(await w.run('plan', word)).toBe(2);
    expect(w.stderr.text).toContain('Did you mean');
    expect(client.created).toEqual([]);
  },
);

it('a command that needs a plan starts nothing in a directory that is no workspace', async () => {
  const w = world({ cwd, rooms: { connect: realRooms.connect } });
  expect(await w.run('apply')).toBe(2);
  expect(w.stderr.text).toContain('is no workspace');
});
