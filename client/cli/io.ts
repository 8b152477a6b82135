import { hostname, userInfo } from 'node:os';
import type { Prompter } from './prompter';
import { terminalPrompter } from './prompter';
import type { Rooms } from './rooms';
import { realRooms } from './rooms';
import type { Input, Output } from './streams';

/** The workflow takes no longer name. */
const NAME_CHARS = 200;

/** Everything of the outside world that a command touches; tests pass fakes. Times are milliseconds. */
export interface Io {
  stdin: Input;
  stdout: Output;
  stderr: Output;
  env: NodeJS.ProcessEnv;
  cwd: string;
  now(): number;
  /** Who is at the keyboard: the default of `--as`. */
  user(): string;
  /** Calls back at each SIGINT or SIGTERM; the result stops that. */
  onSignal(listener: (signal: 'SIGINT' | 'SIGTERM') => void): () => void;
  /** One call later; the result cancels it. */
  after(ms: number, call: () => void): () => void;
  /** A call again and again; the result cancels it. It does not keep the process alive. */
  every(ms: number, call: () => void): () => void;
  prompter: Prompter;
  rooms: Rooms;
}

/** The real world. */
export function processIo(): Io {
  const { stdin, stdout, stderr, env } = process;
  return {
    stdin,
    stdout,
    stderr,
    env,
    cwd: process.cwd(),
    now: Date.now,
    user: () => userName(env),
    onSignal(listener) {
      const interrupted = (): void => listener('SIGINT');
      const terminated = (): void => listener('SIGTERM');
      process.on('SIGINT', interrupted).on('SIGTERM', terminated);
      return () => process.off('SIGINT', interrupted).off('SIGTERM', terminated);
    },
    after(ms, call) {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
    every(ms, call) {
      const timer = setInterval(call, ms).unref();
      return () => clearInterval(timer);
    },
    prompter: terminalPrompter(stdin, stderr),
    rooms: realRooms,
  };
}

/** Who types, as everything that they do is recorded: `user@host`. Claimed, not proven; `--as` gives another name. */
function userName(env: NodeJS.ProcessEnv): string {
  return `${loginName(env)}@${hostname()}`.slice(0, NAME_CHARS);
}

/** A container may run under a user id that has no name. */
function loginName(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    return env.USER || env.LOGNAME || 'unknown';
  }
}
