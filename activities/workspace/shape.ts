import { parse as parseTomlText } from 'smol-toml';
import { parse as parseYamlText } from 'yaml';

/**
 * Readers of manifests that other people wrote: anything may be missing or of another type, and what is wrong counts as
 * absent.
 */
export type Dict = { [key: string]: unknown };

export function isDict(value: unknown): value is Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path of keys, or undefined. */
export function at(value: unknown, ...keys: string[]): unknown {
  let here = value;
  for (const key of keys) {
    if (!isDict(here) || !Object.hasOwn(here, key)) return undefined;
    here = here[key];
  }
  return here;
}

export function stringAt(value: unknown, ...keys: string[]): string | null {
  const found = at(value, ...keys);
  return typeof found === 'string' && found.trim() !== '' ? found.trim() : null;
}

export function dictAt(value: unknown, ...keys: string[]): Dict {
  const found = at(value, ...keys);
  return isDict(found) ? found : {};
}

export function stringsAt(value: unknown, ...keys: string[]): string[] {
  const found = at(value, ...keys);
  return Array.isArray(found) ? found.filter((item): item is string => typeof item === 'string') : [];
}

/** The entries of an object whose values are strings. */
export function stringMapAt(value: unknown, ...keys: string[]): { [key: string]: string } {
  return Object.fromEntries(
    Object.entries(dictAt(value, ...keys)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function attempt(parse: (text: string) => unknown, text: string | undefined): Dict | null {
  if (text === undefined) return null;
  try {
    const value = parse(text);
    return isDict(value) ? value : null;
  } catch {
    return null;
  }
}

/** JSON, also with comments and trailing commas as tsconfig.json has them. Null where it is no object. */
export function parseJson(text: string | undefined): Dict | null {
  return attempt(JSON.parse, text) ?? attempt((jsonc) => JSON.parse(plainJson(jsonc)), text);
}

export function parseToml(text: string | undefined): Dict | null {
  return attempt(parseTomlText, text);
}

export function parseYaml(text: string | undefined): Dict | null {
  return attempt((yaml) => parseYamlText(yaml, { maxAliasCount: 20 }), text);
}

/** Takes comments and trailing commas out of JSONC; strings stay as they are. */
function plainJson(text: string): string {
  const string = String.raw`("(?:[^"\\\n]|\\.)*")`;
  return text
    .replace(
      new RegExp(String.raw`${string}|\/\/[^\n]*|\/\*[\s\S]*?\*\/`, 'g'),
      (_all, kept: string | undefined) => kept ?? '',
    )
    .replace(new RegExp(String.raw`${string}|,(?=\s*[}\]])`, 'g'), (_all, kept: string | undefined) => kept ?? '');
}

/**
 * Sections of an INI file (setup.cfg, tox.ini, .git/config): section → key → value. A line indented deeper than its key goes on
 * with that key's value, on a line of its own.
 */
export function parseIni(text: string | undefined): { [section: string]: { [key: string]: string } } {
  const sections: { [section: string]: { [key: string]: string } } = Object.create(null);
  let section: { [key: string]: string } | undefined;
  let key = '';
  let keyIndent = 0;
  for (const line of (text ?? '').split(/\r?\n/)) {
    if (/^\s*([#;].*)?$/.test(line)) continue;
    const indent = line.length - line.trimStart().length;
    const header = /^\[([^\]]+)\]/.exec(line)?.[1]?.trim();
    const pair = /^\s*([\w.-]+)\s*[=:]\s*(.*)$/.exec(line);
    if (header) {
      section = sections[header] ??= Object.create(null);
      key = '';
    } else if (section && key !== '' && indent > keyIndent) {
      section[key] = `${section[key]}\n${line.trim()}`.trim();
    } else if (section && pair?.[1]) {
      key = pair[1];
      keyIndent = indent;
      section[key] = (pair[2] ?? '').trim();
    }
  }
  return sections;
}
