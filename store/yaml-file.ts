import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { escapeForDisplay } from '../plan/display';
import { UsageError } from '../plan/errors';

/** Settings are small; anything larger is a mistake or an attack (T11). */
const MAX_BYTES = 256 * 1024;
const MAX_ALIASES = 20;

/**
 * Reads one of Planwright's own YAML files. There is no fallback: a file that is there and wrong is an error.
 *
 * @returns undefined where there is no file
 * @throws UsageError for what is not YAML, for duplicate and unknown keys and wrong values, each with its place
 */
export async function readYamlFile<T>(
  path: string,
  schema: z.ZodType<T>,
  options: ReadOptions = {},
): Promise<T | undefined> {
  const text = await readYamlText(path, options);
  return text === undefined ? undefined : parseYaml(text, path, schema);
}

/** `noLink`: what stands there has to be the file itself: what a review sees is then what holds. */
export interface ReadOptions {
  noLink?: boolean;
}

/** @returns undefined where there is no file. @throws UsageError where it cannot be read, or is no regular file */
export async function readYamlText(path: string, { noLink }: ReadOptions = {}): Promise<string | undefined> {
  // A pipe must not hold us up: opened so, it is there at once, and told by its kind.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (noLink ? constants.O_NOFOLLOW : 0);
  try {
    const file = await open(path, flags);
    try {
      const found = await file.stat();
      if (!found.isFile()) throw new UsageError(`${path} cannot be read: it is no regular file.`, 'Move it away.');
      if (found.size > MAX_BYTES) throw tooLarge(path);
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP' && noLink) {
      const advice = 'Put the file itself there: a link can lead to what nobody reviewed.';
      throw new UsageError(`${path} cannot be read: it is a symbolic link.`, advice, { cause: error });
    }
    const advice =
      code === 'ENOTDIR' ? 'A file stands where a directory belongs; move it away.' : 'Check its permissions.';
    throw new UsageError(`${path} cannot be read: ${code ?? message}.`, advice, { cause: error });
  }
}

const tooLarge = (path: string): UsageError => new UsageError(`${path} is larger than ${MAX_BYTES / 1024} KiB.`);

/** @param path for messages only. Errors as `readYamlFile`. */
export function parseYaml<T>(text: string, path: string, schema: z.ZodType<T>): T {
  if (text.length > MAX_BYTES) throw tooLarge(path);
  const parsed = schema.safeParse(yamlValue(text, path));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(describe);
  throw new UsageError(
    `${path} is not valid:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    'Correct the file; `planwright init` in an empty directory writes one with every key explained.',
  );
}

function yamlValue(text: string, path: string): unknown {
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: true, strict: true });
  const [fault] = [...document.errors, ...document.warnings];
  if (fault) throw new UsageError(`${path} is not valid YAML: ${fault.message.trim()}`, 'Correct the file.');
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    throw new UsageError(`${path} uses too many YAML aliases.`, 'Write the values out.', { cause });
  }
}

function describe(issue: z.core.$ZodIssue): string {
  const place = issue.path.map(String).map(escapeForDisplay).join('.');
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => `"${escapeForDisplay(key)}"`).join(', ');
    return `unknown key ${keys} ${place ? `under ${place}` : 'at the top level'}`;
  }
  return `${place || 'the file'}: ${escapeForDisplay(issue.message)}`;
}
