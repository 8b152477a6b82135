import { stringify } from 'yaml';

/**
 * What a template may put data into a file with. A workspace is hostile until checked, so every filter gives text
 * that cannot end the line or the scalar it stands in.
 */

// Controls (C0, C1) and the separators that YAML 1.1 readers take for line ends; then format characters: bidi, zero-width.
const LINE_ENDS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
const INVISIBLE = /\p{Cf}/gu;

/** Any scalar as one line of visible text. Applied to every output that no filter has made safe. Throws on objects. */
export function oneLine(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') throw new TypeError('a template put a list or an object into text');
  return value.toWellFormed().replace(LINE_ENDS, ' ').replace(INVISIBLE, '');
}

/** Text for a `#` comment: a backslash at a line's end would go on to the next line in a Makefile. */
export function comment(value: unknown): string {
  return oneLine(value).replaceAll('\\', '/').replaceAll('${{', '$ {{').trim();
}

/** A YAML scalar for block context, quoted only where it must be, also for YAML 1.1 readers ("on", "yes", 1_000). */
export function yamlString(value: unknown): string {
  return stringify(oneLine(value), {
    lineWidth: 0,
    blockQuote: false,
    singleQuote: true,
    compat: 'yaml-1.1',
  }).trimEnd();
}

/** A single-quoted YAML scalar: versions in a matrix, where 3.10 must not become 3.1. */
export function yamlQuoted(value: unknown): string {
  return `'${oneLine(value).replaceAll("'", "''")}'`;
}

/** As `yamlString`, in a GitHub Actions workflow: `${{` is written as the expression that yields it, never evaluated. */
export function actionsString(value: unknown): string {
  return yamlString(oneLine(value).replaceAll('${{', "${{ '${{' }}"));
}

/** As `yamlQuoted`, in a GitHub Actions workflow. */
function actionsQuoted(value: unknown): string {
  return yamlQuoted(oneLine(value).replaceAll('${{', "${{ '${{' }}"));
}

/** A YAML scalar in a compose file, where `$` starts an interpolation. */
export function composeString(value: unknown): string {
  return yamlString(oneLine(value).replaceAll('$', '$$$$'));
}

/** A word for a POSIX shell: as it is where that is safe, single-quoted otherwise. */
export function shellQuote(value: unknown): string {
  const text = oneLine(value);
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A single-quoted Groovy string: no interpolation, so `$` reaches the shell. */
export function groovyString(value: unknown): string {
  return `'${oneLine(value).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** A quoted HCL string without templates: `${` and `%{` are written as the text that they are. */
export function hclString(value: unknown): string {
  return jsonInline(value).replaceAll('${', '$${').replaceAll('%{', '%%{');
}

/** A word in a systemd unit's command: specifiers (%) and variables ($) are plain text. */
export function unitCommand(value: unknown): string {
  return oneLine(value).replaceAll('%', '%%').replaceAll('\\', '\\\\').trim();
}

/** True for a command that systemd can start itself: words and quoted words, no shell's operators. */
export function isUnitCommand(value: unknown): boolean {
  return commandWords(oneLine(value).trim()) !== null;
}

/** One argument in a systemd unit, in double quotes: systemd expands nothing in it, so a shell can. */
export function unitArgument(value: unknown): string {
  const text = oneLine(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return `"${text.replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;
}

/** A command in a Makefile's recipe: `$` is make's own, and a backslash at the end would swallow the next line. */
export function makeRecipe(value: unknown): string {
  return oneLine(value).replaceAll('$', '$$$$').replace(/\\+$/, '').trim();
}

/** True for a command that needs no shell: words without quotes, variables, globs, redirections or operators. */
function isPlainCommand(value: unknown): boolean {
  const text = oneLine(value).trim();
  return /^[\w@%+:,./^-][\w@%+=:,./^ -]*$/.test(text) && !/^\w+=/.test(text);
}

/** The words of a command that needs no shell, quoted ones included; null for any other. */
function commandWords(text: string): string[] | null {
  const words = text.match(/"[^"$`\\]*"|'[^']*'|\S+/g) ?? [];
  if (words.length === 0 || words.join(' ') !== text.replace(/ +/g, ' ')) return null;
  const plain = words.map((word) =>
    /^(["']).*\1$/.test(word) ? word.slice(1, -1) : isPlainCommand(word) ? word : null,
  );
  return plain.every((word) => word !== null) ? plain : null;
}

/** A command in a Dockerfile's exec form; one that needs a shell gets `sh -c`, with exec where it is a single command. */
export function dockerfileExec(value: unknown): string {
  const text = oneLine(value).trim();
  return jsonInline(commandWords(text) ?? ['sh', '-c', /[;&|()`]|^\w+=/.test(text) ? text : `exec ${text}`]);
}

/** A command after RUN or in a shell: a backslash at the end would continue into the next instruction. */
export function dockerfileRun(value: unknown): string {
  return oneLine(value)
    .replace(/\\+$/, '')
    .replace(/^(--|<<|\[|#)/, ' $1')
    .replaceAll('<<', '< <')
    .trim();
}

/** JSON on one line with spaces after commas, ASCII only, as exec forms and health checks are written. */
export function jsonInline(value: unknown): string {
  const text = Array.isArray(value)
    ? `[${value.map((item) => JSON.stringify(oneLine(item))).join(', ')}]`
    : JSON.stringify(oneLine(value));
  return text.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A name for an image, a compose project or a service: lower-case letters, digits, hyphens. npm scopes are dropped. */
export function slug(value: unknown): string {
  const name = oneLine(value)
    .replace(/^@[^/]*\//, '')
    .toLowerCase();
  return (
    name
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 60) || 'app'
  );
}

/** A relative path as it may stand in COPY, or '' where it has characters that would need quoting or leaves the project. */
export function safePath(value: unknown): string {
  const path = oneLine(value).replace(/^\.\//, '').replace(/\/+$/, '');
  return /^[\w@+.-][\w@+./-]*$/.test(path) && !path.split('/').includes('..') && path !== '.' ? path : '';
}

/** A URL path without anything that a shell, a query or a quote would need, or ''. */
export function urlPath(value: unknown): string {
  const path = oneLine(value);
  return /^\/[\w./-]*$/.test(path) ? path : '';
}

/** An image tag or version such as "20", "3.12" or "1.22.4", or the fallback. */
export function version(value: unknown, fallback: unknown): string {
  const text = oneLine(value).replace(/^v/, '');
  return /^\w[\w.-]{0,40}$/.test(text) ? text : oneLine(fallback);
}

/** Names that can be environment variables and that a service is configured by; what the system sets itself is left out. */
export function envNames(value: unknown): string[] {
  const own = new Set([
    'CI',
    'HOME',
    'PATH',
    'PWD',
    'USER',
    'SHELL',
    'TERM',
    'LANG',
    'TMPDIR',
    'HOSTNAME',
    'NO_COLOR',
    'FORCE_COLOR',
  ]);
  const names = Array.isArray(value) ? value.map(oneLine) : [];
  return [...new Set(names)].filter(
    (name) => /^[A-Z][A-Z0-9_]*$/.test(name) && !own.has(name) && !name.startsWith('NPM_'),
  );
}

/** True for a variable whose value must never be written down. */
export function isSecretName(value: unknown): boolean {
  return /(SECRET|TOKEN|PASSWORD|PASSWD|PRIVATE|CREDENTIAL|API_?KEY|(^|_)KEY$|(^|_)SALT$|(^|_)DSN$)/.test(
    oneLine(value),
  );
}

export const FILTERS: { [name: string]: (...args: unknown[]) => unknown } = {
  comment,
  yaml_string: yamlString,
  yaml_quoted: yamlQuoted,
  actions_string: actionsString,
  actions_quoted: actionsQuoted,
  compose_string: composeString,
  shell_quote: shellQuote,
  groovy_string: groovyString,
  hcl_string: hclString,
  unit_command: unitCommand,
  is_unit_command: isUnitCommand,
  unit_argument: unitArgument,
  make_recipe: makeRecipe,
  is_plain_command: isPlainCommand,
  dockerfile_exec: dockerfileExec,
  dockerfile_run: dockerfileRun,
  json: jsonInline,
  slug,
  safe_path: safePath,
  url_path: urlPath,
  version,
  env_names: envNames,
  is_secret_name: isSecretName,
};
