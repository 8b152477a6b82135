/**
 * What docker-compose.temporal.yml starts, as processes of this machine: PostgreSQL, the schema job, the server with 512
 * shards, the namespace job; the same scripts, variables and order. On free loopback ports, in a temporary folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answers, freePort } from '../../worker/embedded/ports';
import { type ClusterTools, unprivileged } from './tools';

const ROOT = join(__dirname, '..', '..');
const DEPLOY = join(ROOT, 'deploy', 'temporal');
const HOST = '127.0.0.1';
const USER = 'temporal';
const PASSWORD = 'only-for-this-test';
const READY_MS = 90_000;
/** A part that ends by itself is started again, as `restart: unless-stopped` does: the server ends without its database. */
const RESTART_MS = 1_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Part = 'postgres' | 'server';

export class Cluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'planwright-cluster-'));
  private readonly running = new Map<Part, ChildProcess>();
  /** Parts that somebody stopped: those are not started again, as with `restart: unless-stopped`. */
  private readonly stopped = new Set<Part>();
  private ports = { postgres: 0, frontend: 0 };

  private constructor(private readonly tools: ClusterTools) {}

  /** Starts all parts, in the order of the compose file. */
  static async start(tools: ClusterTools): Promise<Cluster> {
    const cluster = new Cluster(tools);
    try {
      await cluster.choosePorts();
      await cluster.initialise();
      await cluster.startPostgres();
      await cluster.job('schema.sh');
      await cluster.startServer();
      await cluster.job('namespace.sh');
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** What a worker and a command are told. */
  get environment(): NodeJS.ProcessEnv {
    return { TEMPORAL_ADDRESS: this.address, TEMPORAL_NAMESPACE: 'planwright' };
  }

  get address(): string {
    return `${HOST}:${this.ports.frontend}`;
  }

  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  /** What a part printed so far. */
  log(part: Part | 'schema.sh' | 'namespace.sh'): string {
    return readFileSync(join(this.folder, `${part}.log`), 'utf8');
  }

  /** `kill -9`, and waits until it is gone. PostgreSQL's own children end with it. */
  async kill(part: Part): Promise<void> {
    this.stopped.add(part);
    const child = this.running.get(part);
    if (!child) return;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  startAgain(part: Part): Promise<void> {
    return part === 'postgres' ? this.startPostgres() : this.startServer();
  }

  /** Ends a part as an operator does; PostgreSQL writes everything to its files then. */
  async stop(part: Part): Promise<void> {
    this.stopped.add(part);
    const child = this.running.get(part);
    if (!child) return;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill(part === 'postgres' ? 'SIGINT' : 'SIGTERM');
    const stubborn = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await gone;
    clearTimeout(stubborn);
  }

  async close(): Promise<void> {
    await this.stop('server');
    await this.stop('postgres');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The frontend's port, and the eight that the server's other services and their membership listen on. */
  private async choosePorts(): Promise<void> {
    const from = 21_000 + (process.pid % 3_000) * 3;
    this.ports.postgres = await freePort(from);
    this.ports.frontend = await freePort(from + 1, [this.ports.postgres]);
  }

  private async initialise(): Promise<void> {
    const account = unprivileged();
    mkdirSync(this.dataFolder, { mode: 0o700 });
    chmodSync(this.folder, 0o755);
    if (account) chownSync(this.dataFolder, account.uid, account.gid);
    const passwordFile = join(this.folder, 'password');
    await this.write(passwordFile, PASSWORD);
    await this.run('initdb', this.tools.initdb, [
      ...['--pgdata', this.dataFolder, '--username', USER, '--pwfile', passwordFile],
      ...['--auth-host=scram-sha-256', '--auth-local=reject', '--data-checksums', '--encoding=UTF8', '--locale=C'],
    ]);
  }

  private async write(path: string, text: string): Promise<void> {
    const { writeFile } = await import('node:fs/promises');
    await writeFile(path, text, { mode: 0o644 });
  }

  private async startPostgres(): Promise<void> {
    const args = ['-D', this.dataFolder, '-h', HOST, '-p', String(this.ports.postgres), '-k', ''];
    const before = this.timesReady();
    this.spawnPart('postgres', this.tools.postgres, args, {}, unprivileged());
    await this.until('PostgreSQL', async () => this.timesReady() > before);
  }

  private timesReady(): number {
    return existsSync(join(this.folder, 'postgres.log'))
      ? (this.log('postgres').match(/ready to accept connections/g) ?? []).length
      : 0;
  }

  private async startServer(): Promise<void> {
    // The configuration that is compiled in reads these, as the image does.
    const { frontend } = this.ports;
    const services = Object.fromEntries(
      ['HISTORY', 'MATCHING', 'WORKER'].flatMap((name, index) => [
        [`${name}_GRPC_PORT`, String(frontend + 10 + index)],
      ]),
    );
    const membership = Object.fromEntries(
      ['FRONTEND', 'HISTORY', 'MATCHING', 'WORKER'].map((name, index) => [
        `${name}_MEMBERSHIP_PORT`,
        String(frontend + 20 + index),
      ]),
    );
    this.spawnPart('server', this.tools.server, ['--allow-no-auth', 'start'], {
      ...this.database(),
      ...services,
      ...membership,
      DB: 'postgres12',
      BIND_ON_IP: HOST,
      NUM_HISTORY_SHARDS: '512',
      DYNAMIC_CONFIG_FILE_PATH: join(DEPLOY, 'dynamicconfig.yaml'),
      FRONTEND_GRPC_PORT: String(frontend),
      FRONTEND_HTTP_PORT: String(frontend + 1),
    });
    await this.until('the server', () => answers(frontend));
  }

  private database(): NodeJS.ProcessEnv {
    return {
      POSTGRES_SEEDS: HOST,
      DB_PORT: String(this.ports.postgres),
      POSTGRES_USER: USER,
      POSTGRES_PWD: PASSWORD,
    };
  }

  /** Runs a one-shot job of the compose file. */
  async job(script: 'schema.sh' | 'namespace.sh'): Promise<void> {
    await this.run(script, '/bin/sh', [join(DEPLOY, script)], {
      ...this.database(),
      SQL_TOOL: this.tools.sql,
      TEMPORAL_ADDRESS: this.address,
      TEMPORAL_CLI: this.tools.temporal,
    });
  }

  private spawnPart(
    part: Part,
    program: string,
    args: string[],
    env: NodeJS.ProcessEnv,
    account?: { uid: number; gid: number },
  ): void {
    this.stopped.delete(part);
    const child = this.spawn(part, program, args, env, account);
    this.running.set(part, child);
    child.once('close', () => {
      this.running.delete(part);
      const again = (): void => {
        if (!this.stopped.has(part) && !this.running.has(part)) this.spawnPart(part, program, args, env, account);
      };
      setTimeout(again, RESTART_MS).unref();
    });
  }

  private spawn(
    name: string,
    program: string,
    args: string[],
    env: NodeJS.ProcessEnv,
    account?: { uid: number; gid: number },
  ): ChildProcess {
    const log = createWriteStream(join(this.folder, `${name}.log`), { flags: 'a' });
    const child = spawn(program, args, {
      cwd: this.folder,
      env: { PATH: process.env.PATH, HOME: this.folder, LC_ALL: 'C', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...account,
    });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    child.once('close', () => log.end());
    return child;
  }

  private async run(name: string, program: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
    const account = name === 'initdb' ? unprivileged() : undefined;
    const child = this.spawn(name, program, args, env, account);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) {
      await pause(100);
      throw new Error(`${name} ended with ${code}:\n${readFileSync(join(this.folder, `${name}.log`), 'utf8')}`);
    }
  }

  private async until(what: string, ready: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + READY_MS;
    while (!(await ready().catch(() => false))) {
      if (Date.now() > end) throw new Error(`${what} is not ready; its log:\n${this.logs()}`);
      await pause(100);
    }
  }

  private logs(): string {
    return (['postgres', 'server'] as const).map((part) => this.log(part).slice(-3_000)).join('\n');
  }
}
