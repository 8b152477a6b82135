import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { sha256 } from '../../plan/digest';
import { collectGarbage, type GcOptions } from '../../store/gc';
import { type WorkspaceLayout, workspaceLayout } from '../../store/layout';
import { acquireLock } from '../../store/lock';
import { ObjectStore } from '../../store/objects';

const HOUR = 3_600_000;
let layout: WorkspaceLayout;
let objects: ObjectStore;
beforeEach(() => {
  layout = workspaceLayout(mkdtempSync(join(tmpdir(), 'planwright-gc-')));
  objects = new ObjectStore(layout.objects);
});
afterEach(() => rmSync(layout.root, { recursive: true, force: true }));

const pathOf = (digest: string): string => join(layout.objects, digest.slice(0, 2), digest.slice(2));

/** An object as it was stored a day ago. */
async function old(content: string): Promise<string> {
  const digest = await objects.put(content);
  const then = new Date(Date.now() - 24 * HOUR);
  utimesSync(pathOf(digest), then, then);
  return digest;
}

const collect = (over: Partial<GcOptions> = {}) =>
  collectGarbage(layout, { references: new Set(), graceMs: HOUR, dryRun: false, ...over });

function put(path: string, text: string): void {
  const file = join(layout.dir, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
}

describe('a collection', () => {
  it('removes what nothing refers to, and says how many bytes that frees', async () => {
    const digest = await old('nobody wants this');
    expect(await collect({ dryRun: true })).toMatchObject({ freed: { objects: 1, bytes: 17 } });
    expect(existsSync(pathOf(digest))).toBe(true);
    expect(await collect()).toMatchObject({ found: { objects: 1 }, freed: { objects: 1, bytes: 17 } });
    expect(existsSync(pathOf(digest))).toBe(false);
    expect(await collect()).toMatchObject({ found: { objects: 0 }, freed: { objects: 0, bytes: 0 } });
  });

  it.each([
    ['a plan file', 'plans/plan-1a2b3c4d.json', (digest: string) => `{"sha256": "${digest}"}`],
    ['a plan file that was kept', 'plans/plan-1a2b3c4d.lost-2026.json', (digest: string) => digest],
    ['a recorded call', 'calls/plan-1a2b3c4d/t1-1.json', (digest: string) => `x${digest}y`],
    ['a journal', 'writes/ab.json', (digest: string) => `["a", "${digest}", null]`],
    ['what a later version keeps', 'later/log.ndjson', (digest: string) => `${'-'.repeat(65_500)}${digest}\n`],
  ])('leaves what %s names', async (_what, path, text) => {
    const digest = await old('wanted');
    put(path, text(digest));
    expect(await collect()).toMatchObject({ freed: { objects: 0 } });
    expect(await objects.text(digest)).toBe('wanted');
  });

  it('leaves what workflows name, and what an object that stays names in turn', async () => {
    const [inner, lost] = [await old('inner'), await old('lost')];
    const outer = await old(JSON.stringify({ files: { 'a.txt': inner } }));
    expect(await collect({ references: new Set([outer]) })).toMatchObject({ freed: { objects: 1 } });
    expect([inner, outer, lost].map((digest) => existsSync(pathOf(digest)))).toEqual([true, true, false]);
  });

  it('keeps for an audit log the event histories that it names, and no content that it only tells of', async () => {
    const [content, history] = [await old('what was written'), await old('an event history')];
    mkdirSync(join(layout.dir, 'audit', 'plan-1'), { recursive: true });
    const line = (event: string, digest: string): string =>
      `{"body":{"data":{"object":"${digest}"},"event":"${event}"}}\n`;
    const text = line('file.written', content) + line('history.exported', history);
    writeFileSync(join(layout.dir, 'audit', 'plan-1', '000001.jsonl'), text);
    expect((await collect()).freed.objects).toBe(1);
    expect([existsSync(pathOf(content)), existsSync(pathOf(history))]).toEqual([false, true]);
  });

  it('keeps the event history that a note names, and nothing that an exported one tells of', async () => {
    const [content, history] = [await old('what was written'), await old('an event history')];
    put('histories/plan-1/run-1.object', `${history}\n`);
    put('histories/plan-1/run-2.json', `{"events":["${content}"]}\n`);
    expect((await collect()).freed.objects).toBe(1);
    expect([existsSync(pathOf(content)), existsSync(pathOf(history))]).toEqual([false, true]);
  });

  it('leaves what was stored lately, and what was wanted again lately', async () => {
    const young = await objects.put('just made');
    const again = await old('made long ago');
    await objects.put('made long ago');
    expect(await collect()).toMatchObject({ freed: { objects: 0 }, young: { objects: 2 } });
    expect([young, again].every((digest) => existsSync(pathOf(digest)))).toBe(true);
  });

  it('puts back what a killed collection had moved aside', async () => {
    const [wanted, unwanted] = [await old('wanted'), await old('unwanted')];
    const aside = join(layout.objects, '.gc');
    mkdirSync(aside);
    for (const digest of [wanted, unwanted]) renameSync(pathOf(digest), join(aside, digest));
    expect(await collect({ references: new Set([wanted]) })).toMatchObject({ freed: { objects: 1 } });
    expect(await objects.text(wanted)).toBe('wanted');
    expect(readdirSync(aside)).toEqual([]);
  });

  it('touches nothing but objects, and follows no link', async () => {
    await old('garbage');
    const outside = mkdtempSync(join(tmpdir(), 'planwright-gc-outside-'));
    writeFileSync(join(outside, 'f'.repeat(62)), 'mine');
    symlinkSync(outside, join(layout.objects, 'ff'));
    writeFileSync(join(layout.objects, 'notes.txt'), 'mine');
    await collect();
    expect(existsSync(join(layout.objects, 'notes.txt'))).toBe(true);
    rmSync(outside, { recursive: true });
  });

  it('is refused while another one runs', async () => {
    const lock = await acquireLock(join(layout.dir, 'gc-lock'), { timeoutMs: 0 });
    await expect(collect()).rejects.toMatchObject({ exitCode: 5 });
    await lock.release();
  });

  it('never takes an object from who stores it at that moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 12 }), async (wanted) => {
        for (let at = 0; at <= 5; at++) await old(`content ${at}`);
        const collecting = collect();
        const stored = wanted.map((at) => objects.put(`content ${at}`));
        const digests = await Promise.all(stored);
        await collecting;
        for (const [at, digest] of digests.entries()) {
          expect(digest).toBe(sha256(`content ${wanted[at]}`));
          expect(await objects.text(digest)).toBe(`content ${wanted[at]}`);
        }
      }),
      { numRuns: 40 },
    );
  });
});
