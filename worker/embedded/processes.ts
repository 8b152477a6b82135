import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessMark {
  pid: number;
  /** Opaque; equal only for the same process. On Linux: boot id and start in clock ticks (proc(5), stat field 22). */
  startTime: string;
  /** ISO 8601, when we started it. */
  since: string;
}

let bootId: string | undefined;

function linuxStartTime(pid: number): string | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
  } catch {
    return null;
  }
  // The command's name (field 2) may hold spaces and brackets; what follows its last bracket may not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const ticks = fields[19];
  // A zombie still answers signals, but nothing runs in it; nobody may ever reap it where pid 1 is no init.
  return !ticks || state === 'Z' || state === 'X' ? null : `${bootId}:${ticks}`;
}

function psStartTime(pid: number): string | null {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C' },
    }).trim();
    return line === '' || line.startsWith('Z') ? null : line.replace(/^\S+\s+/, '');
  } catch {
    return null;
  }
}

/** When a process started, or null where there is none (or only its zombie). */
export function startTimeOf(pid: number): string | null {
  return process.platform === 'linux' ? linuxStartTime(pid) : psStartTime(pid);
}

/** Marks a living process as ours; null where it is gone already. */
export function markOf(pid: number, since = new Date()): ProcessMark | null {
  const startTime = startTimeOf(pid);
  return startTime === null ? null : { pid, startTime, since: since.toISOString() };
}

export function isAlive(mark: ProcessMark | null | undefined): mark is ProcessMark {
  return mark != null && startTimeOf(mark.pid) === mark.startTime;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function goneWithin(mark: ProcessMark, ms: number): Promise<boolean> {
  const until = Date.now() + ms;
  while (isAlive(mark)) {
    if (Date.now() >= until) return false;
    await sleep(25);
  }
  return true;
}

/**
 * Ends a process: SIGTERM, and SIGKILL to its whole group when it is still there after the grace. Our processes lead
 * a group each, so nothing that they started is left behind.
 *
 * @returns what it took; `gone` where it was not running any more
 */
export async function terminate(mark: ProcessMark, graceMs: number): Promise<'gone' | 'stopped' | 'killed'> {
  if (!isAlive(mark)) return 'gone';
  signal(mark.pid, 'SIGTERM');
  if (await goneWithin(mark, graceMs)) return 'stopped';
  signal(mark.pid, 'SIGKILL');
  signal(-mark.pid, 'SIGKILL');
  await goneWithin(mark, 5_000);
  return 'killed';
}

/** Ends one process at once, and nothing that it started. */
export async function kill(mark: ProcessMark): Promise<void> {
  if (!isAlive(mark)) return;
  signal(mark.pid, 'SIGKILL');
  await goneWithin(mark, 5_000);
}

/** Resolves when a process that is not our child has gone; looks twice a second. */
export async function untilGone(mark: ProcessMark, abort: AbortSignal): Promise<void> {
  while (isAlive(mark) && !abort.aborted) await sleep(500, undefined, { ref: false });
}

/** Processes of this machine whose command line holds `text`; arguments are joined by one space. */
export function processesWith(text: string): { pid: number; command: string }[] {
  const all = process.platform === 'linux' ? linuxCommands() : psCommands();
  return all.filter(({ pid, command }) => pid !== process.pid && command.includes(text));
}

function linuxCommands(): { pid: number; command: string }[] {
  const found: { pid: number; command: string }[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      found.push({ pid: Number(name), command });
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

function psCommands(): { pid: number; command: string }[] {
  const text = execFileSync('ps', ['-axww', '-o', 'pid=,command='], { encoding: 'utf8', maxBuffer: 1 << 24 });
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+) (.*)$/.exec(line);
    return match ? [{ pid: Number(match[1]), command: `${match[2]} ` }] : [];
  });
}
