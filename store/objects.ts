import { access, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../plan/digest';
import { IntegrityError } from '../plan/errors';
import { replaceFile } from './durable';

/** Most of what `recentText` keeps, in UTF-16 code units of all texts together: 16 MB or so. */
const RECENT_LENGTH = 8 * 1024 * 1024;

/** Content-addressed store under `.planwright/objects/`, laid out like git's: `ab/cdef…`. */
export class ObjectStore {
  /** Texts by digest, the one that was asked for last at the end. */
  private readonly recent = new Map<string, string>();
  private recentLength = 0;

  constructor(private readonly folder: string) {}

  private path(digest: string): string {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw new IntegrityError(`"${digest}" is not the digest of an object.`);
    return join(this.folder, digest.slice(0, 2), digest.slice(2));
  }

  /** Stores bytes durably (synced before it returns) and gives their SHA-256 in hex. */
  async put(content: string | Uint8Array): Promise<string> {
    const digest = sha256(content);
    if (!(await this.holds(digest))) await replaceFile(this.path(digest), content, 0o400);
    return digest;
  }

  /**
   * Whether the very bytes are there: an object that somebody changed is stored anew. One that is wanted again gets the time of
   * now, by which a collection (gc.ts) knows to leave it; one that it took meanwhile is not there.
   */
  private async holds(digest: string): Promise<boolean> {
    const path = this.path(digest);
    const content = await readFile(path).catch(() => null);
    if (content === null || sha256(content) !== digest) return false;
    const now = new Date();
    return utimes(path, now, now).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
    );
  }

  async has(digest: string): Promise<boolean> {
    return access(this.path(digest)).then(
      () => true,
      () => false,
    );
  }

  /**
   * Reads an object and re-hashes it.
   * @throws IntegrityError where it is missing, or its bytes are not the ones that were stored
   */
  async get(digest: string): Promise<Buffer> {
    const path = this.path(digest);
    const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') {
        throw new IntegrityError(`Object ${digest.slice(0, 12)} is missing.`, `Expected it at ${path}.`);
      }
      throw error;
    });
    const found = sha256(content);
    if (found !== digest) {
      throw new IntegrityError(
        `Object ${digest.slice(0, 12)} was changed after it was stored.`,
        `Expected SHA-256 ${digest}, found ${found}, at ${path}.`,
      );
    }
    return content;
  }

  async text(digest: string): Promise<string> {
    return (await this.get(digest)).toString('utf8');
  }

  /**
   * As `text`, but from memory where this process read it lately: for the workspace's files, which every task of a plan
   * looks at. Never for bytes that are written: those are read and re-hashed each time.
   */
  async recentText(digest: string): Promise<string> {
    const text = this.recent.get(digest) ?? (await this.text(digest));
    if (!this.recent.delete(digest)) this.recentLength += text.length;
    this.recent.set(digest, text);
    for (const [oldest, { length }] of this.recent) {
      if (this.recentLength <= RECENT_LENGTH) break;
      this.recent.delete(oldest);
      this.recentLength -= length;
    }
    return text;
  }

  async putJson(value: unknown): Promise<string> {
    return this.put(JSON.stringify(value));
  }
}
