import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IntegrityError } from '../../plan/errors';
import { ObjectStore } from '../../store/objects';

let folder: string;
let objects: ObjectStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'planwright-objects-'));
  objects = new ObjectStore(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function tamper(digest: string): void {
  const path = join(folder, digest.slice(0, 2), digest.slice(2));
  chmodSync(path, 0o600);
  writeFileSync(path, 'something else');
}

describe('the object store', () => {
  it('gives back what it was given, by its digest, and stores it once', async () => {
    const digest = await objects.put('a file');
    expect(await objects.put('a file')).toBe(digest);
    expect(await objects.text(digest)).toBe('a file');
    expect(readdirSync(folder, { recursive: true })).toHaveLength(2);
  });

  it('does not give out an object that was changed', async () => {
    const digest = await objects.put('a file');
    tamper(digest);
    await expect(objects.get(digest)).rejects.toThrow(IntegrityError);
    await expect(objects.recentText(digest)).rejects.toThrow(IntegrityError);
  });

  it('keeps what was read lately: the bytes that were verified, never those that came after', async () => {
    const digest = await objects.put('a file');
    expect(await objects.recentText(digest)).toBe('a file');
    tamper(digest);
    expect(await objects.recentText(digest)).toBe('a file');
    await expect(objects.get(digest)).rejects.toThrow(IntegrityError);
  });

  it('forgets the oldest when too much is kept', async () => {
    const first = await objects.put('first');
    await objects.recentText(first);
    for (const letter of 'abcdefghi') await objects.recentText(await objects.put(letter.repeat(1024 * 1024)));
    tamper(first);
    await expect(objects.recentText(first)).rejects.toThrow(IntegrityError);
  });
});
