import { RefusedError } from '../../../plan/errors';
import type { UndoneFile } from '../../../plan/steps';
import type { PlanView, UndoView } from '../../../plan/view';
import { fileView, planView, taskView } from './views';
import { FakeClient, settle, world } from './world';

const done = (path: string, over: Partial<UndoneFile> = {}): UndoneFile => ({
  ...{ path, outcome: 'deleted', undone: 1, reason: null, advice: null, error: null, backup: null, kept: null },
  ...over,
});

const undo = (over: Partial<UndoView> = {}): UndoView => ({
  number: 1,
  kind: 'rollback',
  status: 'completed',
  by: 'ada',
  overwriteChanged: false,
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:00:01.000Z',
  files: [],
  directories: [],
  directoriesLeft: [],
  error: null,
  ...over,
});

function clientWith(view: PlanView, ended: UndoView, status: PlanView['status'] = 'rolled_back'): FakeClient {
  return new FakeClient(view).push(
    { ...view, undo: { ...ended, status: 'running' } },
    { ...view, status, undo: ended },
  );
}

const completed = (): PlanView =>
  planView({
    status: 'completed',
    tasks: { docker: taskView(1, 'completed', { files: [fileView('Dockerfile', 'x', { state: 'written' })] }) },
  });

describe('rollback and clean', () => {
  it('shows what became of each file and directory, and what to type next', async () => {
    const files = [
      done('.github/workflows/ci.yml'),
      done('nginx.conf', { outcome: 'restored' }),
      done('Dockerfile', { outcome: 'gone' }),
    ];
    const w = world({
      client: clientWith(completed(), undo({ files, directories: ['.github/workflows', '.github'] })),
    });
    expect(await w.run('rollback', 'latest')).toBe(0);
    expect(w.client.undos).toEqual([{ id: w.client.view.id, kind: 'rollback', by: 'ada', overwriteChanged: false }]);
    expect(w.stdout.text).toContain(
      '✓ Deleted: .github/workflows/ci.yml\n✓ Restored: nginx.conf\n= Already gone: Dockerfile',
    );
    expect(w.stdout.text).toContain('✓ Removed the empty directory: .github\n');
    expect(w.stdout.text).toContain('Rollback complete: 1 file deleted, 1 restored.');
    expect(w.stderr.text).toContain(`planwright apply ${w.client.view.id}`);
  });

  it('names what is left with its reason and advice, and exits 1', async () => {
    const left = done('Dockerfile', {
      ...{ outcome: 'changed', undone: 0, reason: 'It was changed.', advice: 'Add --overwrite-changed.' },
      backup: 'Dockerfile.bak',
    });
    const w = world({ client: clientWith(completed(), undo({ status: 'partial', files: [left] }), 'completed') });
    expect(await w.run('rollback')).toBe(1);
    expect(w.stdout.text).toContain(
      '✗ Kept: Dockerfile\n  It was changed.\n  Add --overwrite-changed.\n  What stood there before the plan is in Dockerfile.bak.',
    );
    expect(w.stdout.text).toContain('Rollback incomplete: 0 files deleted, 0 restored, 1 left as it is.');
    expect(w.stderr.text).toContain('--overwrite-changed');
  });

  it('exits 3 where a backup object is missing or damaged', async () => {
    const left = done('Dockerfile', { outcome: 'refused', error: 'Integrity', reason: 'Object 12 is missing.' });
    const w = world({ client: clientWith(completed(), undo({ status: 'partial', files: [left] }), 'completed') });
    expect(await w.run('rollback')).toBe(3);
  });

  it('exits 1 with the reason where it came to no end', async () => {
    const error = { type: 'LockBusyError', message: 'Process 7 has held the lock.', advice: 'Wait for it.' };
    const w = world({ client: clientWith(completed(), undo({ status: 'failed', error }), 'completed') });
    expect(await w.run('rollback')).toBe(1);
    expect(w.stdout.text).toContain('✗ Process 7 has held the lock.\n  Wait for it.');
  });

  it.each(['clean', 'destroy'])('%s says what was removed, and where the backups are', async (name) => {
    const files = [done('nginx.conf', { backup: 'nginx.conf.bak' })];
    const w = world({ client: clientWith(completed(), undo({ kind: 'clean', files }), 'cleaned') });
    expect(await w.run(name, '--overwrite-changed', '--as', 'eve')).toBe(0);
    expect(w.client.undos).toMatchObject([{ kind: 'clean', by: 'eve', overwriteChanged: true }]);
    expect(w.stdout.text).toContain(
      '✓ Removed: nginx.conf\n  What stood there before the plan stays in nginx.conf.bak.',
    );
    expect(w.stdout.text).toContain('Clean complete: 1 file removed.');
  });

  it('gives programs one document', async () => {
    const w = world({ client: clientWith(completed(), undo({ files: [done('Dockerfile')] })) });
    expect(await w.run('rollback', '--json')).toBe(0);
    expect(JSON.parse(w.stdout.text)).toMatchObject({
      plan: w.client.view.id,
      planStatus: 'rolled_back',
      kind: 'rollback',
      status: 'completed',
      files: [{ path: 'Dockerfile', outcome: 'deleted' }],
    });
  });

  it('shows paths escaped', async () => {
    const files = [done('evil\u001b[31m\u202e.yml')];
    const w = world({ client: clientWith(completed(), undo({ files })) });
    await w.run('rollback');
    for (const hidden of ['\u001b', '\u202e']) expect(w.stdout.text).not.toContain(hidden);
  });

  it('goes on without a command that is interrupted', async () => {
    const view = completed();
    const w = world({ client: new FakeClient(view).push({ ...view, undo: undo({ status: 'running' }) }) });
    const code = w.run('rollback');
    await settle();
    w.signal('SIGINT');
    expect(await code).toBe(130);
    expect(w.stderr.text).toContain('goes on without this command');
  });

  it('passes the refusal of the workflow on, exit 5', async () => {
    const client = new FakeClient(completed());
    client.undo = async () => {
      throw new RefusedError('Plan plan-1 is running.');
    };
    const w = world({ client });
    expect(await w.run('rollback')).toBe(5);
  });

  it('refuses a plan that Temporal lost, exit 5, with what to do', async () => {
    const client = new FakeClient(completed());
    client.show = async () => ({ view: completed(), source: 'plan file', note: null, open: false, lost: true });
    const w = world({ client });
    expect(await w.run('rollback')).toBe(5);
    expect(w.stderr.text).toContain('--resume');
    expect(client.undos).toEqual([]);
  });
});

describe('plan delete and plan clean', () => {
  it('deletes a plan, and says that its files stay', async () => {
    const w = world({ client: new FakeClient(completed()) });
    expect(await w.run('plan', 'delete', 'latest')).toBe(0);
    expect(w.client.deleted).toEqual([w.client.view.id]);
    expect(w.stdout.text).toContain('The files that it wrote stay: Dockerfile.');
  });

  it('needs to be told which', async () => {
    expect(await world({ client: new FakeClient(completed()) }).run('plan', 'delete')).toBe(2);
  });

  it('clean deletes what is completed or archived, and nothing else', async () => {
    const client = new FakeClient(completed());
    const listing = {
      name: 'n',
      goal: 'g',
      createdAt: '2026-01-01T00:00:00.000Z',
      waiting: null,
      active: false,
      note: null,
    };
    const tasks = { total: 1, completed: 1 };
    client.listings = (['completed', 'archived', 'ready', 'partial', 'rolled_back', 'waiting'] as const).map(
      (status) => ({
        ...listing,
        ...{ status, tasks, id: `plan-${status}` },
      }),
    );
    const w = world({ client });
    expect(await w.run('plan', 'clean')).toBe(0);
    expect(client.deleted).toEqual(['plan-completed', 'plan-archived']);
  });

  it('clean with nothing to delete says so', async () => {
    const w = world({ client: new FakeClient(completed()) });
    expect(await w.run('plan', 'clean')).toBe(0);
    expect(w.stdout.text).toContain('nothing was deleted');
  });
});
