import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireLock, LockBusyError } from '../../store/lock';
import { withLockInTurn } from '../../store/lock-queue';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'planwright-queue-'));
  path = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const pause = () => new Promise((resolve) => setImmediate(resolve));

/** Number of the highest claim: how often the lock among processes was taken. */
const taken = (): number => Math.max(...readdirSync(path).map(Number));

describe('the queue before a lock', () => {
  it('runs one body at a time, in the order in which they came, under one lock', async () => {
    const order: number[] = [];
    let inside = 0;
    const bodies = Array.from({ length: 50 }, (_, number) =>
      withLockInTurn(path, { timeoutMs: 10_000 }, async () => {
        expect(++inside).toBe(1);
        expect(readFileSync(join(path, String(taken()).padStart(10, '0')), 'utf8')).toContain('planwright.lock/1');
        await pause();
        order.push(number);
        inside--;
        return number;
      }),
    );
    expect(await Promise.all(bodies)).toEqual(order);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    // Fifty that compete would have taken it fifty times; on a slow machine the queue lets go now and then.
    expect(taken()).toBeLessThan(50);
  });

  it('gives the lock back when nobody waits any more', async () => {
    await withLockInTurn(path, { timeoutMs: 1_000 }, pause);
    const lock = await acquireLock(path, { timeoutMs: 5_000 });
    await lock.release();
  });

  it('gives a failure to whom it belongs and goes on with the next', async () => {
    const failed = withLockInTurn(path, { timeoutMs: 1_000 }, async () => {
      throw new Error('the disk is full');
    });
    const after = withLockInTurn(path, { timeoutMs: 1_000 }, async () => 'written');
    await expect(failed).rejects.toThrow('the disk is full');
    expect(await after).toBe('written');
  });

  it('tells all that wait when another process keeps the lock, and works again afterwards', async () => {
    const other = await acquireLock(path, { timeoutMs: 0 });
    const body = jest.fn();
    const waiting = [1, 2].map(() => withLockInTurn(path, { timeoutMs: 20 }, body));
    for (const one of waiting) await expect(one).rejects.toThrow(LockBusyError);
    expect(body).not.toHaveBeenCalled();
    await other.release();
    expect(await withLockInTurn(path, { timeoutMs: 1_000 }, async () => 'now')).toBe('now');
  });
});
