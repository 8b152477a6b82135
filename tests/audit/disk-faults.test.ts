import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import fsp from 'node:fs/promises';
import { appendEntries } from '../../audit/append';
import { chain, EMPTY } from '../../audit/chain';
import { UnwritableLog } from '../../audit/errors';
import { repairFromHistory } from '../../audit/repair';
import { verifyLog } from '../../audit/verify';
import { historyOf, ID, Logs, projection, rewritten, textOf } from './support/logs';

jest.setTimeout(120_000);

const all = projection(80, 4);
const honest = textOf(chain(EMPTY, ID.log, all).lines.map(({ bytes }) => bytes.toString('utf8')));

/** Makes one call of the file system fail: number `at` of those that are asked for. @returns how to end it, and how many calls there were */
async function failing(at: number, code: string): Promise<{ end(): number }> {
  const handle = await fsp.open(__filename);
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  let calls = 0;
  const undo: (() => void)[] = [];
  const inject = (owner: Record<string, unknown>, names: string[]): void => {
    for (const name of names) {
      const real = owner[name] as (...given: unknown[]) => unknown;
      owner[name] = function (this: unknown, ...given: unknown[]) {
        // A lock that cannot be given back is held as long as its process lives; that is for the lock's own tests.
        const isLock = typeof given[0] === 'string' && given[0].includes('.locks');
        if (!isLock) calls += 1;
        if (isLock || calls !== at) return real.apply(this, given);
        return Promise.reject(Object.assign(new Error(`${code}: injected`), { code }));
      };
      undo.push(() => {
        owner[name] = real;
      });
    }
  };
  inject(fsp as never, ['open', 'mkdir', 'rename', 'link', 'unlink', 'readdir', 'rm', 'readFile']);
  inject(prototype, ['write', 'writeFile', 'appendFile', 'sync', 'datasync', 'truncate', 'read', 'stat']);
  return {
    end: () => {
      for (const one of undo) one();
      return calls;
    },
  };
}

/** Runs `body` with each of its calls failed once, until none is left to fail. */
async function withEachFailure(
  code: string,
  body: (logs: Logs) => Promise<unknown>,
  then: (logs: Logs) => Promise<void>,
) {
  let refused = 0;
  for (let at = 1; ; at += 1) {
    const logs = new Logs();
    const faults = await failing(at, code);
    const error: unknown = await body(logs).then(
      () => null,
      (failed) => failed,
    );
    const calls = faults.end();
    if (error !== null) {
      expect({ at, error }).toEqual({ at, error: expect.any(UnwritableLog) });
      refused += 1;
    }
    await then(logs);
    logs.remove();
    if (at > calls) return refused;
  }
}

const options = (logs: Logs) => ({ state: logs.state, segmentBytes: 12_000, sign: true, lockTimeoutMs: 2_000 });

it.each(['ENOSPC', 'EIO'])(
  'with any one call refused with %s, the next append finds nothing wrong and gives the same log',
  async (code) => {
    const refused = await withEachFailure(
      code,
      (logs) => appendEntries(logs.layout, ID, all, options(logs)),
      async (logs) => {
        const { levels } = await verifyLog(logs.layout, ID, {
          state: logs.state,
          history: historyOf(all),
          historyRange: { mayLead: true },
        });
        for (const level of [levels.structure, levels.head, levels.history]) expect(level.findings).toEqual([]);
        await appendEntries(logs.layout, ID, all, options(logs));
        expect(logs.bytes().toString('utf8')).toBe(honest);
      },
    );
    expect(refused).toBeGreaterThan(30);
  },
);

it('with any one call of a repair refused, the next repair ends it, and the old bytes are kept', async () => {
  const bad = textOf(rewritten(all, 7));
  const repair = (logs: Logs, at: string) =>
    repairFromHistory(logs.layout, ID, historyOf(all), {
      actor: { kind: 'user', id: 'ana', auth: 'claimed' },
      at,
      ...options(logs),
      segmentBytes: 200_000,
    });
  await withEachFailure(
    'EIO',
    (logs) => {
      if (!existsSync(logs.folder)) logs.put(bad);
      return repair(logs, '2026-11-21T12:00:00.000Z');
    },
    async (logs) => {
      const { outcome } = await repair(logs, '2026-11-21T13:00:00.000Z');
      expect(['repaired', 'whole']).toContain(outcome);
      expect(logs.lines().slice(0, 80).join('\n')).toBe(honest.trimEnd());
      expect(logs.lines()).toHaveLength(81);
    },
  );
});

it('a folder that nobody may write to is an error for people, and nothing is written', async () => {
  const logs = new Logs();
  mkdirSync(logs.layout.audit, { recursive: true });
  chmodSync(logs.layout.audit, 0o500);
  const faults = process.getuid?.() === 0 ? await failing(3, 'EACCES') : null;
  await expect(appendEntries(logs.layout, ID, all)).rejects.toMatchObject({
    exitCode: 1,
    advice: expect.stringContaining(''),
  });
  faults?.end();
  chmodSync(logs.layout.audit, 0o700);
  expect(existsSync(logs.folder) && logs.segments().length > 0).toBe(false);
  await appendEntries(logs.layout, ID, all);
  expect(logs.bytes().toString('utf8')).toBe(honest);
  logs.remove();
});
