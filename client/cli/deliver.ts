/** Results that are a file: to stdout, or to where `-o` says. */
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from '../../plan/errors';
import type { OptionSpec } from './command';
import type { Context } from './context';
import { safe } from './show/style';

export const OUTPUT_OPTIONS: OptionSpec[] = [
  { flags: '-o, --output <file>', about: 'write to this file instead of stdout' },
  { flags: '--overwrite', about: 'replace a file that is there' },
];

/** @throws UsageError where the file is there already, or cannot be written */
export async function deliver(
  { io }: Context,
  file: string | undefined,
  content: string | Buffer,
  overwrite: boolean,
): Promise<void> {
  if (file === undefined) {
    await new Promise<void>((done, failed) => io.stdout.write(content, (error) => (error ? failed(error) : done())));
    return;
  }
  const path = resolve(io.cwd, file);
  try {
    const handle = await open(path, overwrite ? 'w' : 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST')
      throw new UsageError(`${safe(path)} is there already.`, 'Name another, or pass --overwrite.');
    throw new UsageError(`${safe(path)} cannot be written: ${code}.`, 'Name a file that can be written.');
  }
}
