import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireLock, claim, LockBusyError, withLock } from '../../store/lock';
import { isProvablyDead, ownIdentity, type ProcessIdentity } from '../../store/process';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'planwright-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A claim as another process would have left it. */
function leave(number: number, holder: ProcessIdentity | string): void {
  mkdirSync(path, { recursive: true });
  const text = typeof holder === 'string' ? holder : { schema: 'planwright.lock/1', since: 'then', ...holder };
  writeFileSync(join(path, String(number).padStart(10, '0')), typeof text === 'string' ? text : JSON.stringify(text));
}

async function deadProcess(): Promise<ProcessIdentity> {
  const child = spawn(process.execPath, ['-e', '']);
  const pid = child.pid ?? 0;
  await once(child, 'close');
  return { ...(await ownIdentity()), pid, start: '1' };
}

describe('the lock', () => {
  it('is held by one at a time', async () => {
    let inside = 0;
    let most = 0;
    const turn = () =>
      withLock(path, { timeoutMs: 20_000 }, async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
      });
    await Promise.all(Array.from({ length: 20 }, turn));
    expect(most).toBe(1);
    expect(readdirSync(path)).toHaveLength(1);
  });

  it('is refused while another holds it, and names the holder', async () => {
    const lock = await acquireLock(path, { timeoutMs: 0 });
    await expect(acquireLock(path, { timeoutMs: 0 })).rejects.toThrow(`Process ${process.pid} on `);
    await expect(acquireLock(path, { timeoutMs: 30 })).rejects.toThrow(LockBusyError);
    await lock.release();
    await lock.release();
    await (await acquireLock(path, { timeoutMs: 0 })).release();
  });

  it('is given back when the body throws', async () => {
    await expect(withLock(path, { timeoutMs: 0 }, () => Promise.reject(new Error('x')))).rejects.toThrow('x');
    await (await acquireLock(path, { timeoutMs: 0 })).release();
  });

  it('is taken from the dead', async () => {
    leave(7, await deadProcess());
    await acquireLock(path, { timeoutMs: 0 });
    expect(readdirSync(path)).toEqual(['0000000008']);
  });

  it('is taken from a process of an earlier boot, and from one whose pid was given to another', async () => {
    const me = await ownIdentity();
    leave(1, { ...me, boot: 'an earlier boot' });
    await (await acquireLock(path, { timeoutMs: 0 })).release();
    leave(5, { ...me, start: '1' });
    await (await acquireLock(path, { timeoutMs: 0 })).release();
  });

  it.each(['host', 'pidSpace'] as const)(
    'is not taken from a process whose %s is another: nobody can tell',
    async (key) => {
      leave(1, { ...(await deadProcess()), [key]: 'elsewhere' });
      await expect(acquireLock(path, { timeoutMs: 0 })).rejects.toMatchObject({
        advice: expect.stringContaining(`delete ${path}`),
      });
    },
  );

  it('is not taken when the claim cannot be read', async () => {
    leave(1, '{"half');
    await expect(acquireLock(path, { timeoutMs: 0 })).rejects.toThrow('cannot be read');
  });

  it('an old claim below a held one changes nothing', async () => {
    leave(3, await ownIdentity());
    leave(2, '');
    leave(1, await deadProcess());
    await expect(acquireLock(path, { timeoutMs: 0 })).rejects.toThrow(LockBusyError);
  });

  it('one who comes late, with a number that was free when it looked, withdraws', async () => {
    leave(5, await ownIdentity());
    expect(await claim(path, 5)).toBeNull();
    expect(await claim(path, 3)).toBeNull();
    expect(readdirSync(path)).toEqual(['0000000005']);
  });

  it('can be given back after its folder was deleted', async () => {
    const lock = await acquireLock(path, { timeoutMs: 0 });
    rmSync(path, { recursive: true });
    await lock.release();
  });
});

describe('the death of a process', () => {
  it('is seen, and life too', async () => {
    expect(await isProvablyDead(await ownIdentity())).toBe(false);
    expect(await isProvablyDead(await deadProcess())).toBe(true);
  });
});
