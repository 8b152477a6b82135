import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { transformFileSync } from '@swc/core';
import type { WorkspaceLayout } from '../../../store/layout';
import { workspaceLayout } from '../../../store/layout';
import { findTemporalBinary } from '../../../worker/embedded/binary';
import type { Embedded, EnsureOptions, Programs } from '../../../worker/embedded/ensure';
import { ensureWith } from '../../../worker/embedded/ensure';
import type { EmbeddedLayout } from '../../../worker/embedded/paths';
import { embeddedLayout, workerRecordPath } from '../../../worker/embedded/paths';
import { isAlive } from '../../../worker/embedded/processes';
import { readServer, readSupervisor, readWorker } from '../../../worker/embedded/records';
import { stopEmbedded } from '../../../worker/embedded/stop';

const REPOSITORY = join(__dirname, '..', '..', '..');

/** Compiles what the supervisor's process runs, as it is now, into a folder: no test depends on an old `dist/`. */
function buildSupervisor(target: string): string {
  for (const folder of ['plan', 'store', 'worker', 'worker/embedded']) {
    for (const name of readdirSync(join(REPOSITORY, folder)).filter((entry) => entry.endsWith('.ts'))) {
      const { code } = transformFileSync(join(REPOSITORY, folder, name), {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
        swcrc: false,
      });
      const file = join(target, folder, name.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, code);
    }
  }
  symlinkSync(join(REPOSITORY, 'node_modules'), join(target, 'node_modules'));
  return join(target, 'worker', 'supervisor.js');
}

/** A worker that only says that it is one: it keeps to the same protocol as `worker/main.ts`. */
const STUB = `
const { appendFileSync } = require('node:fs');
const { join } = require('node:path');
const workspace = process.argv[process.argv.indexOf('--workspace') + 1];
const { TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, STUB_VALUE } = process.env;
const facts = { pid: process.pid, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, STUB_VALUE };
appendFileSync(join(workspace, 'starts'), JSON.stringify(facts) + '\\n');
if (STUB_VALUE === 'broken') { console.error('Error: the stub is broken'); process.exit(1); }
process.on('SIGTERM', () => process.exit(0));
process.on('SIGUSR2', () => process.exit(0));
console.log('{"ready":true}');
setInterval(() => {}, 1000);
`;

export interface StubStart {
  pid: number;
  TEMPORAL_ADDRESS: string;
  TEMPORAL_NAMESPACE: string;
  STUB_VALUE?: string;
}

/** A home and a workspace of their own, with a real supervisor, a real Temporal server and a stub worker. */
export class World {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'planwright-embedded-')));
  readonly env: NodeJS.ProcessEnv;
  readonly workspace: WorkspaceLayout;
  readonly layout: EmbeddedLayout;
  readonly notes: string[] = [];
  private readonly programs: Programs;

  constructor(binary: string) {
    const folder = join(this.root, 'project');
    mkdirSync(folder);
    this.workspace = workspaceLayout(folder);
    this.env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PLANWRIGHT_HOME: join(this.root, 'home'),
      PLANWRIGHT_TEMPORAL_BIN: binary,
      TEMPORAL_TLS: 'true',
    };
    this.layout = embeddedLayout(this.env);
    writeFileSync(join(this.root, 'stub.js'), STUB);
    this.programs = { supervisor: buildSupervisor(join(this.root, 'build')), worker: join(this.root, 'stub.js') };
  }

  static async make(): Promise<World> {
    return new World((await findTemporalBinary({ env: process.env, note: () => undefined })).path);
  }

  ensure(options: Partial<EnsureOptions> = {}): Promise<Embedded> {
    return ensureWith(this.programs, {
      env: this.env,
      workspace: this.workspace,
      settingsDigest: 'one',
      note: (line) => this.notes.push(line),
      ...options,
    });
  }

  /** Pids as the records have them; null for what is on no record or not alive. */
  pids(): { supervisor: number | null; server: number | null; worker: number | null } {
    const pid = (mark: Parameters<typeof isAlive>[0]): number | null => (isAlive(mark) ? mark.pid : null);
    return {
      supervisor: pid(readSupervisor(this.layout)?.process),
      server: pid(readServer(this.layout)?.process),
      worker: pid(readWorker(workerRecordPath(this.layout, this.workspace.id))?.process),
    };
  }

  /** Every start of the stub worker in this workspace. */
  starts(): StubStart[] {
    const text = readFileSync(join(this.workspace.root, 'starts'), 'utf8');
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as StubStart);
  }

  async end(): Promise<void> {
    await stopEmbedded({ env: this.env, purge: true, note: () => undefined });
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Waits until a condition holds; a test that waits in vain ends with its time-out. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50);
}
