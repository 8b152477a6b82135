import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replaceFile, sweepOwnTemps } from '../../store/durable';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'planwright-durable-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A pid that certainly belongs to nobody any more. */
const deadPid = (): number => spawnSync(process.execPath, ['--version']).pid;
const longAgo = (path: string): void => utimesSync(path, 1, 1);

describe('replaceFile', () => {
  it('replaces a file whole, makes missing folders, and leaves no temp file', async () => {
    const path = join(folder, 'a', 'b.json');
    await replaceFile(path, 'one');
    await replaceFile(path, 'two', 0o640);
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(join(folder, 'a'))).toEqual(['b.json']);
  });

  it('leaves no temp file where the target cannot be replaced', async () => {
    mkdirSync(join(folder, 'taken'));
    await expect(replaceFile(join(folder, 'taken'), 'x')).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(['taken']);
  });
});

describe('sweepOwnTemps', () => {
  it('removes what dead processes left, at any depth, and nothing else', async () => {
    mkdirSync(join(folder, 'calls', 'plan'), { recursive: true });
    const left = join(folder, 'calls', 'plan', `.x.json.${deadPid()}.0123abcd.tmp`);
    const mine = join(folder, `.y.json.${process.pid}.0123abcd.tmp`);
    const young = join(folder, `.z.json.${deadPid()}.0123abcd.tmp`);
    const other = join(folder, 'notes.tmp');
    for (const path of [left, mine, young, other]) writeFileSync(path, '');
    for (const path of [left, mine, other]) longAgo(path);
    expect(await sweepOwnTemps(folder)).toBe(1);
    expect(readdirSync(folder).sort()).toEqual(
      [mine, young, other]
        .map((path) => path.slice(folder.length + 1))
        .concat('calls')
        .sort(),
    );
    expect(readdirSync(join(folder, 'calls', 'plan'))).toEqual([]);
  });

  it('finds nothing where the folder is missing', async () => {
    expect(await sweepOwnTemps(join(folder, 'missing'))).toBe(0);
  });
});
