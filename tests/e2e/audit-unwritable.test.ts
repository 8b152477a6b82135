/** A log that the system refuses to write: the plan waits where everybody sees it, changes nothing, and goes on by itself. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Installation, useInstallation } from './installation';

jest.setTimeout(240_000);

const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

/** Who is root may still not mount, in a container. */
function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'planwright-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Plans a Makefile, takes the log's writability away, applies, sees the plan wait, gives it back, sees the plan end.
 * @param refuse given the log's folder; answers with what undoes it
 */
async function expectWaits(here: Installation, refuse: (folder: string) => () => void, cause: string): Promise<void> {
  await here.ok(['plan', 'a Makefile', '--name', 'blocked']);
  const { id } = await here.view('blocked');
  const folder = join(here.workspace, '.planwright', 'audit', id);
  // What belongs to the planning is mirrored a moment after it: the log is taken away when it is whole.
  for (let tries = 0; tries < 100; tries++) {
    const { code } = await here.run(['history', 'verify', id, '--level', 'history', '--strict']);
    if (code === 0) break;
    await sleep(100);
  }
  const allow = refuse(folder);
  try {
    await here.ok(['apply', 'blocked', '--yes', '--detach']);
    let view = await here.view('blocked');
    for (let tries = 0; tries < 200 && view.status !== 'waiting'; tries++) {
      await sleep(100);
      view = await here.view('blocked');
    }
    expect(view.status).toBe('waiting');
    expect(view.blocked?.reason).toContain('audit');
    expect(view.blocked?.reason).toContain(cause);
    expect((await here.ok(['plan', 'list'])).stdout).toContain('waiting for the audit log since');
    const shown = await here.ok(['plan', 'show', 'blocked']);
    expect(shown.stdout + shown.stderr).toContain(cause);
    expect(existsSync(join(here.workspace, 'Makefile'))).toBe(false);
  } finally {
    allow();
  }
  await here.ok(['watch', 'blocked']);
  expect(existsSync(join(here.workspace, 'Makefile'))).toBe(true);
  const { stdout } = await here.ok(['history', 'audit', id, '--event', 'audit.unwritable', '--json']);
  expect(JSON.parse(stdout).entries).toHaveLength(1);
  await here.ok(['history', 'verify', id, '--level', 'structure,head,history']);
}

describe('a disk that is full', () => {
  let mounted = '';
  // Before the installation's own: a folder that something is mounted on cannot be removed.
  afterAll(() => {
    if (mounted) execFileSync('umount', ['-l', mounted]);
  });
  const installation = useInstallation(() => new Installation());

  (canMount() ? it : it.skip)('is told as such, and the plan goes on when there is room', async () => {
    await expectWaits(
      installation(),
      (folder) => {
        const kept = join(installation().home, 'kept');
        cpSync(folder, kept, { recursive: true });
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=700', 'tmpfs', folder]);
        mounted = folder;
        cpSync(kept, folder, { recursive: true });
        const filler = join(folder, 'filler');
        // The last page of the log has room for a few entries yet; what follows them has none.
        expect(() => writeFileSync(filler, Buffer.alloc(1024 * 1024))).toThrow('ENOSPC');
        return () => rmSync(filler);
      },
      'ENOSPC',
    );
  });
});

describe('a folder that this user may only read', () => {
  // Root writes wherever it likes.
  const installation = useInstallation(() => new Installation({}, undefined, undefined, isRoot ? NOBODY : undefined));

  it('is told as such, and the plan goes on when it may be written', async () => {
    await expectWaits(
      installation(),
      (folder) => {
        const files = readdirSync(folder).map((name) => join(folder, name));
        for (const file of files) chmodSync(file, 0o400);
        chmodSync(folder, 0o500);
        return () => {
          chmodSync(folder, 0o700);
          for (const file of files) chmodSync(file, 0o600);
        };
      },
      'EACCES',
    );
  });
});
