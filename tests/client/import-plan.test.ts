import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareImport } from '../../client/import-plan';
import { sha256 } from '../../plan/digest';
import type { CarriedPlan } from '../../plan/export';
import { type WorkspaceLayout, workspaceLayout } from '../../store/layout';
import { ObjectStore } from '../../store/objects';

let layout: WorkspaceLayout;
beforeEach(() => {
  layout = workspaceLayout(mkdtempSync(join(tmpdir(), 'planwright-import-')));
});
afterEach(() => rmSync(layout.root, { recursive: true, force: true }));

const put = (path: string, text: string): void => writeFileSync(join(layout.root, path), text);

/** Task 1 makes a Dockerfile of `base` (null: of nothing); task 2 adds a line to it. */
function given(base: string | null): { plan: CarriedPlan; objects: Map<string, Buffer> } {
  const settings = { provider: 'openai', model: 'm', temperature: 0 };
  const made = { output: {}, skill: null, modelReturned: null, generation: 1, seed: 1, feedback: [], settings };
  const file = (text: string, before: string | null) => ({
    ...{ path: 'Dockerfile', sha256: sha256(text), bytes: text.length, mode: '0644' },
    preSha256: before === null ? null : sha256(before),
  });
  const node = (id: string, deps: string[]) => ({ id, tool: 'dockerfile', description: id, input: {}, deps });
  const plan: CarriedPlan = {
    ...{ id: 'plan-1a2b3c4d', name: 'n', goal: 'g', settings, risk: 'LOW', riskReasons: [] },
    madeWith: { planwrightVersion: '0', policySnapshot: '', gitHead: null, updatedAt: '' },
    graph: { nodes: [node('1', []), node('2', ['1'])] },
    tasks: [
      { id: '1', revisions: [], artifact: { ...made, files: [file('one', base)] } },
      { id: '2', revisions: [], artifact: { ...made, files: [file('two', 'one')] } },
    ],
  };
  return { plan, objects: new Map(['one', 'two'].map((text) => [sha256(text), Buffer.from(text)])) };
}

describe('an import', () => {
  it('takes artifacts whose bases stand here, and stores them with the bases', async () => {
    put('Dockerfile', 'FROM old');
    const { plan, changed } = await prepareImport(layout, given('FROM old'), false);
    expect(changed).toEqual([]);
    expect(plan).toEqual(given('FROM old').plan);
    const store = new ObjectStore(layout.objects);
    for (const text of ['one', 'two', 'FROM old']) expect(await store.text(sha256(text))).toBe(text);
  });

  it.each<[string, string | null, () => void]>([
    ['is another one', 'FROM old', () => put('Dockerfile', 'FROM other')],
    ['is gone', 'FROM old', () => undefined],
    ['stands where nothing stood', null, () => put('Dockerfile', 'FROM other')],
    ['is a link', 'FROM old', () => [put('x', 'FROM old'), symlinkSync('x', join(layout.root, 'Dockerfile'))]],
    ['is a directory', null, () => mkdirSync(join(layout.root, 'Dockerfile'))],
  ])('is refused where a base %s, and stores nothing', async (_what, base, prepare) => {
    prepare();
    const importing = prepareImport(layout, given(base), false);
    await expect(importing).rejects.toMatchObject({ exitCode: 5, message: expect.stringContaining('Dockerfile') });
    expect(readdirSync(layout.root)).not.toContain('.planwright');
  });

  it('with --refresh leaves out the artifact of the changed base and no other', async () => {
    put('Dockerfile', 'FROM other');
    const { plan, changed } = await prepareImport(layout, given('FROM old'), true);
    expect(changed.map(({ path }) => path)).toEqual(['Dockerfile']);
    expect(plan.tasks.map(({ artifact }) => artifact !== null)).toEqual([false, true]);
  });

  it('has nothing to write where the artifact stands there already', async () => {
    put('Dockerfile', 'one');
    const { plan } = await prepareImport(layout, given('FROM old'), false);
    expect(plan.tasks[0]?.artifact?.files[0]).toMatchObject({ sha256: sha256('one'), preSha256: sha256('one') });
  });

  it('does not look through a linked directory', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'planwright-outside-'));
    writeFileSync(join(outside, 'Dockerfile'), 'FROM old');
    symlinkSync(outside, join(layout.root, 'app'));
    const { plan, objects } = given('FROM old');
    for (const { artifact } of plan.tasks) for (const file of artifact?.files ?? []) file.path = 'app/Dockerfile';
    await expect(prepareImport(layout, { plan, objects }, false)).rejects.toMatchObject({ exitCode: 5 });
    rmSync(outside, { recursive: true });
  });
});
