import { escapeForDisplay } from '../../plan/display';
import type { WorkspaceLayout } from '../../store/layout';
import type { PlanClient } from '../types';
import type { Io } from './io';
import type { ModelFlags, Settings } from './rooms';
import type { Show } from './show/types';

/** Flags that every command has. */
export interface Globals {
  /** The last -C. */
  dir?: string;
  /** All of them, in order; absent where there is none. */
  dirs?: readonly string[];
  json: boolean;
  quiet: boolean;
  color: boolean;
  address?: string;
  namespace?: string;
  profile?: string;
}

/** `orDisk`: with `readOnly`, a server that does not answer is no error. */
export interface Reading {
  readOnly?: boolean;
  orDisk?: boolean;
}

/** What a command's `run` is given. Nothing in it is opened before it is asked for. */
export interface Context {
  io: Io;
  globals: Globals;
  show: Show;
  /** The workspace of -C or the current directory. @throws UsageError where the directory does not exist */
  layout(): WorkspaceLayout;
  /** Model settings in force (flag, environment, configuration, default). */
  settings(flags: ModelFlags): Promise<Settings>;
  /** Connects, once; starts the embedded server where that is needed, unless only reading. */
  client(options?: Reading): Promise<PlanClient>;
  close(): Promise<void>;
}

export function makeContext(io: Io, globals: Globals, show: Show): Context {
  let found: WorkspaceLayout | undefined;
  let client: Promise<PlanClient> | undefined;
  const context: Context = {
    io,
    globals,
    show,
    layout() {
      found ??= io.rooms.findWorkspace(globals.dir ?? io.cwd, io.cwd);
      return found;
    },
    settings: (flags) => io.rooms.settings({ layout: context.layout(), env: io.env, flags }),
    client(options = {}) {
      client ??= open(context, options);
      return client;
    },
    async close() {
      // A client that could not be made has nothing to close; its error was thrown to whoever asked for it.
      await client?.then(
        (open) => open.close(),
        () => undefined,
      );
    },
  };
  return context;
}

function open(context: Context, options: Reading): Promise<PlanClient> {
  const { address, namespace, profile } = context.globals;
  return context.io.rooms.connect({
    layout: context.layout(),
    env: context.io.env,
    flags: { address, namespace, profile },
    note: (line) => context.show.note(escapeForDisplay(line)),
    readOnly: options.readOnly ?? false,
    ...(options.orDisk ? { orDisk: true } : {}),
  });
}
