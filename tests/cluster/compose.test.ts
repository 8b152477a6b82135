/**
 * docker-compose.temporal.yml against what `npm run test:cluster` runs without Docker: the same versions, variables and
 * order. The images themselves were never started here (docs/cluster.md says so).
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { userFolders } from '../../store/layout';
import { SERVER_VERSION } from './tools';

const ROOT = join(__dirname, '..', '..');
const FILE = join(ROOT, 'docker-compose.temporal.yml');
const text = readFileSync(FILE, 'utf8');
const harness = readFileSync(join(__dirname, 'cluster.ts'), 'utf8');

const Service = z.object({
  image: z.string(),
  restart: z.string(),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  ports: z.array(z.string()).default([]),
  secrets: z.array(z.string()).default([]),
  healthcheck: z.object({ test: z.array(z.string()).min(2) }).optional(),
  security_opt: z.array(z.string()).default([]),
  read_only: z.boolean().default(false),
  cap_drop: z.array(z.string()).default([]),
  user: z.string().optional(),
  stop_grace_period: z.string().optional(),
});
const Compose = z.object({
  services: z.record(z.string(), Service),
  volumes: z.record(z.string(), z.unknown()),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
});
const { services, volumes, secrets } = Compose.parse(parse(text, { merge: true }));
const service = (name: string): z.infer<typeof Service> => {
  const found = services[name];
  if (!found) throw new Error(`no service ${name}`);
  return found;
};
const JOBS = ['temporal-schema', 'temporal-namespace'];
const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');

describe('docker-compose.temporal.yml', () => {
  it('names a version of every image, and of the server the one that the tests run', () => {
    for (const [name, { image }] of Object.entries(services)) {
      expect([name, image]).toEqual([name, expect.stringMatching(/^[\w./-]+:(\$\{\w+:-)?v?\d+\.\d+[\w.-]*\}?$/)]);
    }
    for (const name of ['temporal', ...JOBS]) {
      expect(service(name).image).toMatch(new RegExp(`:\\$\\{TEMPORAL_VERSION:-${SERVER_VERSION}\\}$`));
    }
    expect(service('postgresql').image).toMatch(/^postgres:16\./);
    expect(text).not.toMatch(/latest|auto-setup/);
    for (const base of dockerfile.matchAll(/^FROM (\S+)/gm)) expect(base[1]).toBe('node:${NODE_VERSION}-bookworm-slim');
  });

  it('starts in the order of the native cluster: database, schema, server, namespace, worker', () => {
    const waits = (name: string) =>
      Object.entries(service(name).depends_on).map(([other, { condition }]) => `${other} ${condition}`);
    expect(waits('postgresql')).toEqual([]);
    expect(waits('temporal-schema')).toEqual(['postgresql service_healthy']);
    expect(waits('temporal')).toEqual(['temporal-schema service_completed_successfully']);
    expect(waits('temporal-namespace')).toEqual(['temporal service_healthy']);
    expect(waits('worker')).toEqual(['temporal-namespace service_completed_successfully']);
    const start = harness.slice(harness.indexOf('static async start'), harness.indexOf('get environment'));
    const order = ['startPostgres()', "job('schema.sh')", 'startServer()', "job('namespace.sh')"];
    expect(order.map((step) => start.indexOf(step))).toEqual(
      order.map((step) => start.indexOf(step)).sort((a, b) => a - b),
    );
    expect(start.indexOf('startPostgres()')).toBeGreaterThan(0);
  });

  it('gives the server and the jobs the variables of the native cluster', () => {
    // Ports are the image's own there, and free ones here; the address to bind is a container's own.
    const elsewhere = ['POSTGRES_PWD_FILE', 'RETENTION', 'TEMPORAL_NAMESPACE'];
    for (const name of ['temporal', ...JOBS]) {
      for (const variable of Object.keys(service(name).environment)) {
        if (!elsewhere.includes(variable)) expect(harness).toMatch(new RegExp(`\\b${variable}\\b`));
      }
    }
    const { environment } = service('temporal');
    expect(environment).toMatchObject({ DB: 'postgres12', NUM_HISTORY_SHARDS: '512' });
    expect(harness).toContain("NUM_HISTORY_SHARDS: '512'");
    expect(harness).toContain("DB: 'postgres12'");
    for (const script of ['schema.sh', 'namespace.sh']) {
      const read = readFileSync(join(ROOT, 'deploy', 'temporal', script), 'utf8');
      const job = service(script === 'schema.sh' ? 'temporal-schema' : 'temporal-namespace');
      for (const variable of Object.keys(job.environment)) {
        // The plugin's name stands in the script itself.
        if (variable !== 'DB') expect(read).toContain(variable);
      }
    }
    expect(service('worker').environment).toMatchObject({
      TEMPORAL_NAMESPACE: service('temporal-namespace').environment.TEMPORAL_NAMESPACE,
    });
  });

  it('listens on the loopback interface only', () => {
    for (const { ports } of Object.values(services)) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect(service('postgresql').ports).toEqual([]);
  });

  it('keeps the password in a secret and in no variable', () => {
    expect(Object.keys(secrets)).toEqual(['postgres-password']);
    for (const name of ['postgresql', 'temporal-schema', 'temporal']) {
      expect(service(name).secrets).toEqual(['postgres-password']);
    }
    for (const { environment } of Object.values(services)) {
      for (const [variable, value] of Object.entries(environment)) {
        if (/PASSWORD|PWD/.test(variable))
          expect([variable, value]).toEqual([variable, '/run/secrets/postgres-password']);
      }
    }
    const ignored = readFileSync(join(ROOT, '.gitignore'), 'utf8').split('\n');
    expect(ignored).toEqual(expect.arrayContaining(['/.env', '/secrets/']));
  });

  it('starts again what ends, looks whether it is well, and lets nobody gain rights', () => {
    for (const [name, { restart, security_opt }] of Object.entries(services)) {
      expect([name, restart]).toEqual([name, JOBS.includes(name) ? 'on-failure:5' : 'unless-stopped']);
      expect([name, security_opt]).toEqual([name, ['no-new-privileges:true']]);
    }
    expect(service('postgresql').healthcheck?.test.join(' ')).toMatch(/pg_isready/);
    expect(service('temporal').healthcheck?.test.join(' ')).toMatch(/7233/);
    // The worker's stands in its image, and asks what the worker answers.
    expect(dockerfile).toMatch(/HEALTHCHECK[\s\S]*127\.0\.0\.1:8000\/ready/);
    expect(Object.keys(volumes)).toEqual(['postgresql', 'planwright']);
  });

  it('runs the worker without rights, on a root file system that it cannot write, with time to stop', () => {
    expect(service('worker')).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    expect(service('worker').user).toMatch(/^\$\{PLANWRIGHT_UID:-\d+\}:\$\{PLANWRIGHT_GID:-\d+\}$/);
    expect(dockerfile).toMatch(/^USER (?!0\b|root\b)\S+$/m);
    const grace = Number.parseInt(service('worker').stop_grace_period ?? '', 10);
    const worker = readFileSync(join(ROOT, 'worker', 'create.ts'), 'utf8');
    expect(grace).toBeGreaterThan(Number.parseInt(/shutdownGraceTime: '(\d+)s'/.exec(worker)?.[1] ?? '999', 10));
  });

  it('mounts only files that are there', () => {
    for (const path of text.matchAll(/^ +- (\.\/[\w./-]+):/gm)) {
      expect(() => accessSync(join(ROOT, path[1] ?? ''), constants.R_OK)).not.toThrow();
    }
  });
});

/** The standalone program, or the plugin of the docker command; null where neither is there. */
function composeProgram(): string[] | null {
  const path = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'docker-compose'));
  const cached = join(userFolders({ ...process.env, PLANWRIGHT_HOME: '' }).cache, 'cluster', 'compose-2.40.3');
  const own = process.env.PLANWRIGHT_COMPOSE_BIN;
  for (const program of [...(own ? [own] : []), join(cached, 'docker-compose'), ...path]) {
    if (spawnSync(program, ['version'], { stdio: 'ignore' }).status === 0) return [program];
  }
  return spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0 ? ['docker', 'compose'] : null;
}

const program = composeProgram();

(program ? describe : describe.skip)('docker compose config', () => {
  const folder = mkdtempSync(join(tmpdir(), 'planwright-compose-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const config = (): { status: number | null; stdout: string; stderr: string } => {
    const [name = '', ...first] = program ?? [];
    return spawnSync(name, [...first, '-f', 'docker-compose.temporal.yml', 'config', '--format', 'json'], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder },
      encoding: 'utf8',
    });
  };

  it('accepts the file with the settings of the example, without a warning', () => {
    for (const name of ['docker-compose.temporal.yml', 'Dockerfile', 'deploy']) {
      cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    }
    mkdirSync(join(folder, 'secrets'));
    writeFileSync(join(folder, 'secrets', 'postgres-password'), 'x');
    cpSync(join(ROOT, 'deploy', 'temporal', 'example.env'), join(folder, '.env'));
    const { status, stdout, stderr } = config();
    expect([status, stderr]).toEqual([0, '']);
    const Resolved = z.object({
      services: z.record(
        z.string(),
        z.object({
          image: z.string(),
          volumes: z.array(z.object({ source: z.string(), target: z.string() })).optional(),
          ports: z.array(z.object({ host_ip: z.string() })).optional(),
        }),
      ),
    });
    const resolved = Resolved.parse(JSON.parse(stdout)).services;
    expect(Object.keys(resolved).sort()).toEqual(Object.keys(services).sort());
    expect(resolved.temporal?.image).toBe(`temporalio/server:${SERVER_VERSION}`);
    expect(resolved.worker?.volumes).toContainEqual(
      expect.objectContaining({ source: '/srv/project', target: '/srv/project' }),
    );
    for (const { ports = [] } of Object.values(resolved)) {
      for (const { host_ip } of ports) expect(host_ip).toBe('127.0.0.1');
    }
  });

  it('refuses to start without a workspace, and says what to set', () => {
    rmSync(join(folder, '.env'));
    const { status, stderr } = config();
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/PLANWRIGHT_WORKSPACE.*set it in \.env/);
  });
});
