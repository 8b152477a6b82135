/** Processes that are killed or stopped at a random moment of a run. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessRow } from '../e2e/installation';
import type { Fault, World } from './series';

type Name = ProcessRow['name'];
export const ALL: readonly Name[] = ['worker', 'server', 'supervisor'];

/** A plan of the job takes two to three seconds undisturbed. */
const MOMENT_MS = 2_500;
const STOP_MS = 10_000;
/** The model is asked again at the latest when somebody has decided something. */
const PATIENCE_MS = 20_000;

const pidsOf = async ({ installation }: World, names: readonly Name[]): Promise<number[]> =>
  (await installation.processes()).filter(({ name }) => names.includes(name)).map(({ pid }) => pid);

/** Sends a signal to processes as `status` knows them. @returns their pids */
export async function signal(world: World, names: readonly Name[], what: NodeJS.Signals): Promise<number[]> {
  const pids = await pidsOf(world, names);
  for (const pid of pids) send(pid, what);
  return pids;
}

/** Any moment, or half of the times just after an answer of the model: there a finished call is most easily lost. */
async function moment({ random, nextAnswer }: World): Promise<void> {
  if (random.next() < 0.5) return void (await sleep(random.between(0, MOMENT_MS)));
  await nextAnswer(MOMENT_MS);
  await sleep(random.between(0, 80));
}

function send(pid: number, what: NodeJS.Signals): void {
  try {
    process.kill(pid, what);
  } catch {
    // It has gone already.
  }
}

/** Notes the moment. Only where the worker is hit may a call be lost, and only one that was under way then. */
const note = ({ windows }: World, names: readonly Name[]): void => {
  const from = Date.now();
  windows.push({ from, to: names.includes('worker') ? from : Number.NEGATIVE_INFINITY });
};

/**
 * kill -9, once or twice. With everything dead it takes a command to start anything again: half of the times one is typed,
 * otherwise the one that follows the plan has to do it.
 */
export function kill(name: string, targets: readonly Name[]): Fault {
  return {
    name,
    strictness: 'all',
    strike: async (world) => {
      const times = world.random.between(1, 2);
      for (let time = 0; time < times; time++) {
        const pids = await pidsOf(world, targets);
        await moment(world);
        for (const pid of pids) send(pid, 'SIGKILL');
        note(world, targets);
        world.seal();
        if (targets.includes('supervisor') && world.random.next() < 0.5) await world.installation.ok(['up']);
      }
    },
  };
}

/**
 * The worker dies when its calls are answered and on record, and before the server could hear of it: the server stands still
 * meanwhile, and dies too. What was answered must be taken from the record.
 */
const killUnheard: Fault = {
  name: 'kill-worker-unheard',
  strictness: 'all',
  strike: async (world) => {
    const servers = await pidsOf(world, ['server']);
    const workers = await pidsOf(world, ['worker']);
    await world.nextCall(PATIENCE_MS);
    for (const pid of servers) send(pid, 'SIGSTOP');
    await sleep(world.random.between(500, 1_000));
    for (const pid of workers) send(pid, 'SIGKILL');
    note(world, ['worker']);
    world.seal();
    // Going on it would find the worker's report in its socket.
    for (const pid of servers) send(pid, 'SIGKILL');
  },
};

/** The command is killed, and typed again: it attaches to the run, or finds the plan completed. */
const killCli: Fault = {
  name: 'kill-cli',
  strictness: 'all',
  strike: async (world) => {
    const times = world.random.between(1, 3);
    for (let time = 0; time < times; time++) {
      await sleep(world.random.between(0, MOMENT_MS));
      world.cli.child.kill('SIGKILL');
      await world.cli.done;
      world.startCli();
    }
  },
};

/**
 * The worker stands still for ten seconds: Temporal gives its work up and hands it out again, half of the times to a
 * second worker, and then the first one wakes up in the middle of what it was doing.
 */
const zombies: Fault = {
  name: 'stop-worker',
  strictness: 'all',
  strike: async (world) => {
    await sleep(world.random.between(0, MOMENT_MS));
    const pids = await signal(world, ['worker'], 'SIGSTOP');
    note(world, ['worker']);
    const second = world.random.next() < 0.5 ? world.installation.start(['worker']) : null;
    try {
      await sleep(STOP_MS);
    } finally {
      for (const pid of pids) send(pid, 'SIGCONT');
    }
    // The window is over when the sleeper has found out what became of its calls.
    const window = world.windows.at(-1);
    await sleep(1_000);
    if (window) window.to = Date.now();
    second?.child.kill('SIGTERM');
    await second?.done;
  },
};

function stop(name: Name): Fault {
  return {
    name: `stop-${name}`,
    strictness: 'all',
    strike: async (world) => {
      // A command that begins now would not reach the server, and say so.
      await world.begun();
      await sleep(world.random.between(0, MOMENT_MS));
      const pids = await signal(world, [name], 'SIGSTOP');
      note(world, [name]);
      await sleep(STOP_MS);
      for (const pid of pids) send(pid, 'SIGCONT');
    },
  };
}

export const KILLS: readonly Fault[] = [
  kill('kill-worker', ['worker']),
  kill('kill-server', ['server']),
  kill('kill-worker-and-server', ['worker', 'server']),
  kill('kill-supervisor', ['supervisor']),
  kill('kill-all', ALL),
  killCli,
  killUnheard,
];

export const STOPS: readonly Fault[] = [zombies, stop('server'), stop('supervisor')];
