import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskTrouble } from '../../store/disk-trouble';
import { ObjectStore } from '../../store/objects';

describe('the object store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'planwright-objects-'));
  const store = new ObjectStore(folder);
  const pathOf = (digest: string): string => join(folder, digest.slice(0, 2), digest.slice(2));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('refuses an object that was changed, and stores the right bytes anew when they are put again', async () => {
    const digest = await store.put('right');
    rmSync(pathOf(digest));
    writeFileSync(pathOf(digest), 'wrong');
    await expect(store.get(digest)).rejects.toThrow(/was changed after it was stored/);
    expect(await store.put('right')).toBe(digest);
    expect(readFileSync(pathOf(digest), 'utf8')).toBe('right');
  });

  it('names an object that is missing, and takes nothing for a digest that is none', async () => {
    await expect(store.get('0'.repeat(64))).rejects.toThrow('Object 000000000000 is missing.');
    await expect(store.get('../../etc/passwd')).rejects.toThrow(/is not the digest of an object/);
  });
});

describe('trouble with the disk', () => {
  it.each([
    ['ENOSPC', /\/a\/b is full \(ENOSPC\)/],
    ['EDQUOT', /is full/],
    ['EROFS', /\/a\/b cannot be read or written \(EROFS\)/],
    ['EACCES', /cannot be read or written/],
  ])('%s is told in words, with advice', (code, says) => {
    const error = diskTrouble(Object.assign(new Error('x'), { code, path: '/a/b' }));
    expect(error?.message).toMatch(says);
    expect(error?.advice).toBeTruthy();
  });

  it('is no other error', () => {
    for (const other of [null, 'x', new Error('x'), Object.assign(new Error('x'), { code: 'ENOENT' }), { code: 5 }]) {
      expect(diskTrouble(other)).toBeNull();
    }
  });
});
