import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../store/durable';
import { openOwn, segmentName } from './log-files';

const BUFFER_BYTES = 1024 * 1024;

/** Writes the segments of a log that is built anew, in a folder of their own; durable when `close` returns. */
export class SegmentWriter {
  private number = 0;
  private handle: FileHandle | null = null;
  private size = 0;
  private pending: Buffer[] = [];
  private held = 0;

  constructor(
    private readonly folder: string,
    private readonly segmentBytes: number,
  ) {}

  /** @param line without its newline */
  async write(line: Buffer): Promise<void> {
    const length = line.length + 1;
    if (this.handle === null || (this.size > 0 && this.size + length > this.segmentBytes)) await this.next();
    // A copy: the line may lie in a buffer that is read into again.
    this.pending.push(Buffer.concat([line, Buffer.of(0x0a)]));
    this.held += length;
    this.size += length;
    if (this.held > BUFFER_BYTES) await this.flush();
  }

  /** @returns the names of the segments */
  async close(): Promise<string[]> {
    await this.finish();
    await syncDirectory(this.folder);
    return Array.from({ length: this.number }, (_, index) => segmentName(index + 1));
  }

  private async next(): Promise<void> {
    await this.finish();
    this.number += 1;
    this.size = 0;
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
    this.handle = await openOwn(join(this.folder, segmentName(this.number)), flags);
  }

  private async flush(): Promise<void> {
    await this.handle?.appendFile(Buffer.concat(this.pending));
    this.pending = [];
    this.held = 0;
  }

  private async finish(): Promise<void> {
    try {
      await this.flush();
      await this.handle?.sync();
    } finally {
      await this.handle?.close();
      this.handle = null;
    }
  }
}
