/**
 * kill -9 at random moments: of the worker, the Temporal server, the supervisor, or all of them, while plans run. After each the plan
 * continues, no finished call of the model is made again, and files and backups are those of an undisturbed run.
 * The seed is printed with a failure; `PLANWRIGHT_KILL_SEED` repeats it, `PLANWRIGHT_KILL_ROUNDS` makes the series longer.
 */
import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ModelServer, startModelServer } from '../support/model-server';
import { Installation, type ProcessRow } from './installation';

const ROUNDS = Number(process.env.PLANWRIGHT_KILL_ROUNDS ?? 20);
const SEED = Number(process.env.PLANWRIGHT_KILL_SEED ?? randomInt(2 ** 31));
const LATENCY_MS = 200;
const TARGETS: ProcessRow['name'][][] = [['worker'], ['server'], ['supervisor'], ['worker', 'server', 'supervisor']];

/** mulberry32: a small generator whose whole state is the printed seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const DEPS: { [name: string]: string[] } = { a: [], b: ['a'], c: ['a'], d: ['b', 'c'], e: [], f: ['d', 'e'] };
const fileOf = (name: string): string => `.github/workflows/${name}.yml`;
const contentOf = (name: string): string =>
  `name: ${name}\non: push\npermissions:\n  contents: read\njobs:\n  ${name}:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${name}\n`;
const ORIGINAL = '# the original of b\n';

const graph = {
  nodes: NAMES.map((name) => ({
    id: name,
    tool: 'github-actions',
    description: `Write ${fileOf(name)}`,
    input: { file: fileOf(name) },
    deps: DEPS[name],
  })),
};

describe(`kill -9, ${ROUNDS} rounds, seed ${SEED}`, () => {
  const next = random(SEED);
  let model: ModelServer;
  let installation: Installation;

  beforeAll(async () => {
    model = await startModelServer({
      latencyMs: LATENCY_MS,
      reply: (call) => {
        const name = /Write \.github\/workflows\/(\w)\.yml/.exec(call.user)?.[1] ?? '?';
        return { content: { files: [{ path: fileOf(name), content: contentOf(name) }], summary: `made ${name}` } };
      },
    });
    installation = new Installation(
      { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: model.url, PLANWRIGHT_MODEL: 'test' },
      null,
    );
    mkdirSync(join(installation.workspace, '.github', 'workflows'), { recursive: true });
    writeFileSync(join(installation.workspace, 'graph.json'), JSON.stringify(graph));
    writeFileSync(join(installation.workspace, 'package.json'), '{ "name": "killed" }');
  });
  afterAll(async () => {
    await installation.close();
    await model.close();
  }, 60_000);

  /**
   * Files whose answer was asked for again although it had long arrived: an answer may be lost only where a kill fell into
   * its call, or into the moment in which it was recorded.
   */
  const repeated = (from: number, kills: readonly number[]): string[] => {
    const RECORDING_MS = 300;
    const finished = model.calls.slice(from).flatMap(({ user, at, answeredAt }) => {
      const file = /Write (\.github\/workflows\/\w\.yml)/.exec(user)?.[1] ?? '?';
      return answeredAt === null ? [] : [{ file, at, answeredAt }];
    });
    return finished
      .filter((call, index) => finished.slice(index + 1).some(({ file }) => file === call.file))
      .filter(({ at, answeredAt }) => !kills.some((kill) => kill >= at && kill <= answeredAt + RECORDING_MS))
      .map(({ file }) => file);
  };

  for (let round = 1; round <= ROUNDS; round++) {
    it(`round ${round} recovers`, async () => {
      for (const name of NAMES) rmSync(join(installation.workspace, fileOf(name)), { force: true });
      rmSync(join(installation.workspace, `${fileOf('b')}.bak`), { force: true });
      writeFileSync(join(installation.workspace, fileOf('b')), ORIGINAL);
      const from = model.calls.length;
      await installation.ok(['plan', '--graph', 'graph.json', `round ${round}`, '--name', `round-${round}`]);
      await installation.ok(['apply', '--yes', '--detach']);
      const targets = TARGETS[Math.floor(next() * TARGETS.length)] ?? [];
      const kills: number[] = [];
      const count = 1 + Math.floor(next() * 2);
      while (kills.length < count) {
        await sleep(next() * 900);
        const rows = (await installation.processes()).filter(({ name }) => targets.includes(name));
        kills.push(Date.now());
        for (const { pid } of rows) {
          try {
            process.kill(pid, 'SIGKILL');
          } catch {
            // Already gone.
          }
        }
        // With everything dead it takes a command to start anything again.
        if (targets.length > 1) await installation.ok(['up']);
      }
      if (process.env.DEBUG_KILLS) process.stderr.write(`round ${round}: ${targets.join('+')} × ${count}\n`);
      const watched = await installation.run(['watch', '--json']);
      const where = `targets ${targets.join('+')} × ${count}\n${watched.stdout}\n${watched.stderr}`;
      expect({ code: watched.code, where: watched.code === 0 ? '' : where }).toEqual({ code: 0, where: '' });
      const view = await installation.view();
      expect(view.status).toBe('completed');
      for (const name of NAMES) {
        expect(readFileSync(join(installation.workspace, fileOf(name)), 'utf8')).toBe(contentOf(name));
      }
      expect(readFileSync(join(installation.workspace, `${fileOf('b')}.bak`), 'utf8')).toBe(ORIGINAL);
      expect(view.tasks.b?.files).toMatchObject([{ action: 'modify', backup: `${fileOf('b')}.bak` }]);
      expect(installation.leftovers()).toEqual([]);
      expect(repeated(from, kills)).toEqual([]);
      expect(Object.values(view.tasks).map(({ attempts }) => attempts)).toEqual(NAMES.map(() => 1));
    }, 90_000);
  }
});
