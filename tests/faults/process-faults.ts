/** Processes that are killed or stopped at a random moment of a run. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessRow } from '../e2e/installation';
import type { Fault, World } from './series';

type Name = ProcessRow['name'];
export const ALL: readonly Name[] = ['worker', 'server', 'supervisor'];

/** A plan of the job takes two to three seconds undisturbed. */
const MOMENT_MS = 2_500;
const STOP_MS = 10_000;

/** Sends a signal to processes as `status` knows them. @returns their pids */
export async function signal({ installation }: World, names: readonly Name[], what: NodeJS.Signals): Promise<number[]> {
  const rows = (await installation.processes()).filter(({ name }) => names.includes(name));
  for (const { pid } of rows) send(pid, what);
  return rows.map(({ pid }) => pid);
}

function send(pid: number, what: NodeJS.Signals): void {
  try {
    process.kill(pid, what);
  } catch {
    // It has gone already.
  }
}

/** Opens a window that the plan's next answer closes. */
const open = ({ windows }: World): void => {
  windows.push({ from: Date.now(), to: Number.POSITIVE_INFINITY });
};

/** kill -9, once or twice. With everything dead it takes a command to start anything again. */
export function kill(name: string, targets: readonly Name[]): Fault {
  return {
    name,
    strictness: 'all',
    strike: async (world) => {
      const times = world.random.between(1, 2);
      for (let time = 0; time < times; time++) {
        await sleep(world.random.between(0, MOMENT_MS));
        await signal(world, targets, 'SIGKILL');
        open(world);
        if (targets.includes('supervisor')) await world.installation.ok(['up']);
      }
    },
  };
}

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
    open(world);
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
      await sleep(world.random.between(0, MOMENT_MS));
      const pids = await signal(world, [name], 'SIGSTOP');
      open(world);
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
];

export const STOPS: readonly Fault[] = [zombies, stop('server'), stop('supervisor')];
