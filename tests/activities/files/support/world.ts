import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { WriteJob } from '../../../../activities/files/check';
import { sha256 } from '../../../../plan/digest';
import { DEFAULT_ALLOWLIST } from '../../../../plan/paths';
import type { ArtifactFile } from '../../../../plan/types';
import { ObjectStore } from '../../../../store/objects';

/** A real workspace in a temporary directory. */
export class World {
  readonly outside = realpathSync(mkdtempSync(join(tmpdir(), 'planwright-outside-')));
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'planwright-files-')));
  readonly objects = new ObjectStore(join(this.root, '.planwright', 'objects'));

  put(path: string, content: string, mode = 0o644): void {
    const target = join(this.root, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content, { mode });
  }

  text(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  mode(path: string): number {
    return statSync(join(this.root, path)).mode & 0o777;
  }

  /** Every file and directory but `.planwright`, sorted. */
  list(): string[] {
    const all = readdirSync(this.root, { recursive: true, encoding: 'utf8' });
    return all.filter((path) => !path.startsWith('.planwright') || path.startsWith('.planwright-tmp')).sort();
  }

  /** An artifact's file whose base is `before` (null: nothing was there). */
  async file(path: string, content: string, before: string | null = null, mode = '0644'): Promise<ArtifactFile> {
    const digest = await this.objects.put(content);
    const preSha256 = before === null ? null : sha256(before);
    return { path, sha256: digest, bytes: Buffer.byteLength(content), preSha256, mode };
  }

  job(files: ArtifactFile[], more: Partial<WriteJob> = {}): WriteJob {
    const { root, objects } = this;
    return {
      root,
      objects,
      key: 'run-1/activity-1',
      files,
      allowlist: DEFAULT_ALLOWLIST,
      allowAllPaths: false,
      ...more,
    };
  }

  remove(): void {
    for (const path of [this.root, this.outside]) rmSync(path, { recursive: true, force: true });
  }
}
