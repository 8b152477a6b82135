import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { salvage } from '../../client/take-up';
import { sha256 } from '../../plan/digest';
import type { PlanView } from '../../plan/view';
import { type WorkspaceLayout, workspaceLayout } from '../../store/layout';
import { keepPlanFile, readLostPlan } from '../../store/lost-plan';
import { ObjectStore } from '../../store/objects';
import { planFilePath } from '../../store/plan-file';
import { fileView, planView, taskView } from './cli/views';

let layout: WorkspaceLayout;
let objects: ObjectStore;
const { id } = planView();

beforeEach(() => {
  layout = workspaceLayout(mkdtempSync(join(tmpdir(), 'planwright-lost-')));
  objects = new ObjectStore(layout.objects);
  mkdirSync(layout.plans, { recursive: true });
});
afterEach(() => rmSync(layout.root, { recursive: true, force: true }));

/** Writes the plan file, changed as told; everything else in it is good. */
function write(change: (view: PlanView) => object = (view) => view): void {
  const view = planView({ context: { ...planView().context, workspace: layout.id } });
  writeFileSync(planFilePath(layout, id), JSON.stringify(change(view)));
}

/** The first task completed with one written file. */
function completed(view: PlanView, file: object): PlanView {
  const [first = ''] = Object.keys(view.tasks);
  const objects = { sha256: sha256('new'), preSha256: sha256('old') };
  const written = { ...fileView('Dockerfile', 'new'), state: 'written' as const, ...objects, ...file };
  return { ...view, tasks: { ...view.tasks, [first]: taskView(1, 'completed', { files: [written], raw: null }) } };
}

describe('what is left of a lost plan', () => {
  it('is its goal, graph, tasks and runs', async () => {
    write();
    const lost = await readLostPlan(layout, id);
    expect(lost).toMatchObject({ goal: planView().goal, graph: planView().graph });
    expect(Object.keys(lost.tasks)).toEqual(Object.keys(planView().tasks));
  });

  it.each([
    ['a file cut short', (): object => ({ schema: 'planwright.plan/1' })],
    ['another version', (view: PlanView) => ({ ...view, schema: 'planwright.plan/9' })],
    ['another plan', (view: PlanView) => ({ ...view, id: 'plan-00000000' })],
    [
      'another workspace',
      (view: PlanView) => ({ ...view, context: { ...view.context, workspace: 'ws-000000000000' } }),
    ],
    [
      'an unknown state',
      (view: PlanView) => ({ ...view, tasks: { one: { ...taskView(1, 'completed'), status: 'done' } } }),
    ],
    ['no digest', (view: PlanView) => completed(view, { sha256: '../../etc/passwd' })],
    ['a backup that is not the file’s', (view: PlanView) => completed(view, { backup: 'package.json' })],
    ['a backup above', (view: PlanView) => completed(view, { backup: 'Dockerfile.bak/../../x' })],
    ['a broken graph', (view: PlanView) => ({ ...view, graph: { nodes: 'none' } })],
  ])('is refused with %s', async (_what, change) => {
    write(change);
    await expect(readLostPlan(layout, id)).rejects.toMatchObject({ exitCode: 3 });
  });

  it('is nothing to go on with where planning had not finished', async () => {
    write((view) => ({ ...view, tasks: {}, graph: { nodes: [] } }));
    await expect(readLostPlan(layout, id)).rejects.toMatchObject({ exitCode: 2 });
  });

  it('keeps the file as it was found, under a name that no plan has', async () => {
    write();
    const kept = await keepPlanFile(layout, id, new Date('2026-01-02T03:04:05.678Z'));
    expect(kept).toMatch(/plan-[0-9a-f]{8}\.lost-2026-01-02T03-04-05-678Z\.json$/);
    expect(readFileSync(kept)).toEqual(readFileSync(planFilePath(layout, id)));
  });

  it('begins a completed task again where an object of it is missing or was changed', async () => {
    write((view) => completed(view, { backup: 'Dockerfile.bak.1' }));
    const [first = ''] = Object.keys(planView().tasks);
    await objects.put('new');
    expect(await salvage(layout, objects, id)).toMatchObject({
      broken: [{ task: first, why: expect.stringContaining('missing') }],
    });
    await objects.put('old');
    const whole = await salvage(layout, objects, id);
    expect(whole).toMatchObject({ broken: [], lost: { tasks: { [first]: { status: 'completed' } } } });
  });
});
