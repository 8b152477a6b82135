import { readFile } from 'node:fs/promises';
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
export async function readYamlFile<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readYamlText(path);
  return text === undefined ? undefined : parseYaml(text, path, schema);
}

/** @returns undefined where there is no file. @throws UsageError where it cannot be read */
export async function readYamlText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    const advice =
      error.code === 'ENOTDIR' ? 'A file stands where a directory belongs; move it away.' : 'Check its permissions.';
    throw new UsageError(`${path} cannot be read: ${error.code ?? error.message}.`, advice, { cause: error });
  });
}

/** @param path for messages only. Errors as `readYamlFile`. */
export function parseYaml<T>(text: string, path: string, schema: z.ZodType<T>): T {
  if (text.length > MAX_BYTES) throw new UsageError(`${path} is larger than ${MAX_BYTES / 1024} KiB.`);
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
