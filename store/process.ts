import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/**
 * What tells one process from every other, also after its pid was given to another: a pid counts only together
 * with its start time, its pid namespace, the machine's boot and the machine.
 */
export interface ProcessIdentity {
  host: string;
  /** The kernel's boot id; empty where the system has none. */
  boot: string;
  /** The pid namespace (a container has its own); empty where the system has none. */
  pidSpace: string;
  pid: number;
  /** Start time in the system's own notation, only to be compared; empty where it cannot be had. */
  start: string;
}

let own: Promise<ProcessIdentity> | undefined;

/** Identity of this process; computed once. */
export function ownIdentity(): Promise<ProcessIdentity> {
  own ??= identify();
  return own;
}

async function identify(): Promise<ProcessIdentity> {
  const [boot, pidSpace, start] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    readlink('/proc/self/ns/pid').catch(() => ''),
    startOf(process.pid),
  ]);
  return { host: hostname(), boot: boot.trim(), pidSpace, pid: process.pid, start: start ?? '' };
}

/**
 * Whether a process is certainly gone. False where it lives, and also where nobody can tell from here: it ran
 * on another machine, or in another container of this boot.
 */
export async function isProvablyDead(other: ProcessIdentity): Promise<boolean> {
  const me = await ownIdentity();
  if (other.host !== me.host) return false;
  if (other.boot !== me.boot) return other.boot !== '' && me.boot !== '';
  if (other.pidSpace !== me.pidSpace) return false;
  const start = await startOf(other.pid);
  return start === null || (start !== '' && other.start !== '' && start !== other.start);
}

/** Start time of a live process; '' where it lives and none can be had; null where there is no such process. */
export async function startOf(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
    return stat === null ? null : startFromStat(stat);
  }
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return null;
  }
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'lstart=', '-p', String(pid)], { timeout: 2000 }, (error, out) =>
      resolve(error ? '' : out.trim()),
    );
  });
}

/** Fields 3 (state) and 22 (start time) of `/proc/<pid>/stat`, see proc(5); the name before them may hold anything. */
function startFromStat(stat: string): string | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const gone = fields[0] === 'Z' || fields[0] === 'X';
  return gone ? null : (fields[19] ?? '');
}
