import type { UndoJob } from '../../../../activities/files/undo';
import { writeArtifactFiles } from '../../../../activities/files/writer';
import type { UndoFile, WriteStep } from '../../../../plan/steps';
import type { ArtifactFile } from '../../../../plan/types';
import type { World } from './world';

/** Writes as a plan does, and remembers what a plan remembers for taking it back. */
export class History {
  private steps: (WriteStep & { path: string })[] = [];
  private backups: { [path: string]: string | null } = {};
  private directories: string[] = [];
  private order = 0;

  constructor(private readonly world: World) {}

  async write(path: string, content: string, before: string | null = null): Promise<void> {
    const files = [await this.world.file(path, content, before)];
    this.order += 1;
    const job = this.world.job(files, { key: `p/write-${this.order}`, keepBackup: this.backups });
    const { files: written, madeDirectories = [] } = await writeArtifactFiles(job);
    for (const file of written) {
      const { mode, sha256, preSha256 } = file;
      const backup = path in this.backups ? null : file.backup;
      this.steps.push({ path, task: '1', order: this.order, sha256, preSha256, mode, backup });
      this.backups[path] ??= file.backup;
    }
    this.directories.push(...madeDirectories);
  }

  /** A write whose outcome is not known: it is expected to fail. */
  async attempt(files: ArtifactFile[]): Promise<void> {
    this.order += 1;
    const unconfirmed = `write-${this.order}`;
    for (const { path, sha256, preSha256, mode } of files) {
      this.steps.push({ path, task: '1', order: this.order, sha256, preSha256, mode, backup: null, unconfirmed });
    }
    await writeArtifactFiles(this.world.job(files, { key: `p/${unconfirmed}` }));
  }

  /** Forgets the newest steps of a path: they were undone. */
  forget(path: string, count: number): void {
    const gone =
      this.files()
        .find((file) => file.path === path)
        ?.steps.slice(0, count) ?? [];
    this.steps = this.steps.filter((step) => step.path !== path || !gone.some(({ order }) => order === step.order));
  }

  private files(): UndoFile[] {
    return [...new Set(this.steps.map(({ path }) => path))].map((path) => ({
      path,
      steps: this.steps
        .filter((step) => step.path === path)
        .sort((a, b) => b.order - a.order)
        .map(({ path: _, ...step }) => step),
    }));
  }

  job(more: Partial<UndoJob> = {}): UndoJob {
    return {
      root: this.world.root,
      key: 'p/undo-1',
      kind: 'rollback',
      files: this.files(),
      directories: this.directories,
      overwriteChanged: false,
      objects: this.world.objects,
      journalKey: (write) => `p/${write}`,
      ...more,
    };
  }
}
