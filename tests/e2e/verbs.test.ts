/**
 * Random sequences of verbs as a person types them, with kill -9 of the worker at random moments, against the reference that the
 * model test uses: states and files are those of the contract, and each kill costs at most one call of the model.
 * `PLANWRIGHT_VERBS_ROUNDS` makes it longer (one round has ten verbs), `PLANWRIGHT_VERBS_SEED` repeats one.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlanView } from '../../plan/view';
import { DEFAULT_FILES, type ModelServer, startModelServer } from '../support/model-server';
import { type Random, randomFrom } from '../support/random';
import { type ApplyFlags, Reference } from '../workflows/reference';
import { Installation } from './installation';

const ROUNDS = Number(process.env.PLANWRIGHT_VERBS_ROUNDS ?? 1);
const SEED = Number(process.env.PLANWRIGHT_VERBS_SEED ?? 1);
const VERBS = 10;

const TOOLS: { [id: string]: string } = { t0: 'makefile', t1: 'dockerfile', t2: 'docker-compose' };
const nodes = [
  { id: 't0', tool: 'makefile', description: 'a Makefile', input: {}, deps: [] },
  { id: 't1', tool: 'dockerfile', description: 'a Dockerfile', input: {}, deps: ['t0'] },
  { id: 't2', tool: 'docker-compose', description: 'a compose file', input: {}, deps: ['t1'] },
];
const pathOf = (id: string): string => DEFAULT_FILES[TOOLS[id] ?? '']?.path ?? '';
const ids = Object.keys(TOOLS);

interface Verb {
  args: string[];
  expect(reference: Reference): string;
}

const apply = (args: string[], flags: ApplyFlags): Verb => ({
  args: ['apply', ...args],
  expect: (reference) => reference.apply(flags).result,
});

function verbs(random: Random): Verb {
  const task = random.pick(ids);
  const number = String(ids.indexOf(task) + 1);
  const resumed = { yes: true, resume: true } as const;
  return random.pick<Verb>([
    apply(['--yes'], { yes: true }),
    apply(['--yes', '--resume'], resumed),
    apply(['--yes', '--resume', '--refresh'], { ...resumed, refresh: true }),
    apply(['--dry-run'], { yes: false, dryRun: true }),
    apply(['--dry-run', '--resume', '--refresh'], { yes: false, dryRun: true, resume: true, refresh: true }),
    apply(['--yes', '--task', number], { yes: true, task }),
    apply(['--yes', '--task', number, '--instruct', 'use Alpine'], { yes: true, task, instruct: 'use Alpine' }),
    apply(['--yes', '--resume', '--only', number], { ...resumed, only: [task] }),
    apply(['--yes', '--resume', '--exclude', number], { ...resumed, exclude: [task] }),
    apply(['--yes', '--replay'], { yes: true, replay: true }),
    apply(['--yes', '--replay', '--recorded'], { yes: true, replay: true, recorded: true }),
    { args: ['rollback'], expect: (reference) => reference.undo('rollback', false) },
    { args: ['rollback', '--overwrite-changed'], expect: (reference) => reference.undo('rollback', true) },
    { args: ['clean'], expect: (reference) => reference.undo('clean', false) },
  ]);
}

describe(`${ROUNDS} rounds of ${VERBS} verbs from seed ${SEED}`, () => {
  let model: ModelServer;
  beforeAll(async () => {
    model = await startModelServer({
      latencyMs: 60,
      reply: ({ skill, body }) => {
        const file = DEFAULT_FILES[skill ?? ''];
        if (!file) return undefined;
        return { content: { files: [{ ...file, content: `${file.content}# seed ${body.seed}\n` }], summary: 'made' } };
      },
    });
  });
  afterAll(() => model?.close());

  for (let round = 0; round < ROUNDS; round++) {
    it(`seed ${SEED + round}`, () => play(SEED + round), 300_000);
  }

  async function play(seed: number): Promise<void> {
    const random = randomFrom(seed);
    const there = new Installation({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL: model.url });
    const at = (id: string): string => join(there.workspace, pathOf(id));
    const reference = new Reference(nodes, {});
    const calls = model.calls.length;
    let kills = 0;
    let edits = 0;
    const said: string[] = [];
    try {
      for (const id of ids) rmSync(at(id), { force: true });
      writeFileSync(join(there.home, 'graph.json'), JSON.stringify({ nodes }));
      await there.ok(['plan', '--graph', join(there.home, 'graph.json'), '--name', 'verbs']);
      for (let left = VERBS; left > 0; left--) {
        const id = random.pick(ids);
        if (random.next() < 0.15 && reference.disk.has(`${id}.txt`)) {
          edits += 1;
          const text = random.next() < 0.5 ? null : `edit ${edits}`;
          reference.edit(`${id}.txt`, text);
          if (text === null) rmSync(at(id));
          else writeFileSync(at(id), `# ${text}\n`);
          said.push(`${text ?? 'delete'} ${id}`);
        }
        const { args, expect: expected } = verbs(random);
        const killed = random.next() < 0.5;
        const worker = killed ? (await there.processes()).find(({ name }) => name === 'worker') : undefined;
        const running = there.start(args);
        if (worker) {
          await sleep(random.between(100, 1_500));
          // It may have ended with the verb before, and another taken its place: then nothing is killed.
          kills += kill(worker.pid);
        }
        const { code, stderr } = await running.done;
        said.push(`${args.join(' ')}${worker ? ' (killed)' : ''}`);
        const result = expected(reference);
        if (result === 'refused' && code !== 5) throw new Error(`${said.join('; ')}: ended with ${code}\n${stderr}`);
        // Reading starts nothing: where the worker was killed at the very end, what is shown would be the last state that was written.
        if (worker) await there.ok(['up']);
        same(said, await there.view(), reference, at);
      }
      const most = reference.generated.length + kills;
      expect({ said, calls: model.calls.length - calls <= most }).toEqual({ said, calls: true });
      expect(there.leftovers()).toEqual([]);
    } finally {
      expect(await there.close()).toEqual([]);
    }
  }
});

function kill(pid: number): number {
  try {
    process.kill(pid, 'SIGKILL');
    return 1;
  } catch {
    return 0;
  }
}

/** What is seen of the plan and its files is what the reference says. */
function same(said: string[], view: PlanView, reference: Reference, at: (id: string) => string): void {
  const disk = ids.map((id) => {
    const text = read(at(id));
    const [, seed] = /# seed (\d+)\n$/.exec(text ?? '') ?? [];
    const own = seed === undefined ? (text?.replace(/^# |\n$/g, '') ?? null) : `content of ${id}, seed ${seed}`;
    return [id, own];
  });
  const status = (of: Iterable<[string, { status: string }]>) => [...of].map(([id, task]) => [id, task.status]);
  expect({
    said,
    status: view.status,
    tasks: status(Object.entries(view.tasks)),
    runs: view.runs.map((run) => `${run.kind} ${run.status}`),
    disk,
  }).toEqual({
    said,
    status: reference.status,
    tasks: status(reference.tasks),
    runs: reference.runs.map((run) => `${run.kind} ${run.status}`),
    disk: ids.map((id) => [id, reference.disk.get(`${id}.txt`) ?? null]),
  });
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
