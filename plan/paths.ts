import { escapeForDisplay } from './display';
import { matcherOf } from './globs';

/**
 * The rules for paths that come from a model, a skill or a person. Nothing here looks at a disk: what a path
 * would reach there is the writer's business. Threats T01, T02, T05, T06 and T07.
 */

/** Longest path and segment in bytes of UTF-8; a segment leaves room for `.bak.99` within the usual 255. */
const MAX_PATH_BYTES = 1000;
const MAX_SEGMENT_BYTES = 240;
const MAX_DEPTH = 32;

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
const INVISIBLE_ALL = new RegExp(INVISIBLE.source, 'gu');
const ODD_SPACE = /(?! )\p{Zs}/u;
const WINDOWS_FORBIDDEN = /[<>:"|?*]/;
const WINDOWS_RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?$/i;
/** What Windows makes of a long name: `GIT~1` is `.git`, `PLANWR~1` is `.planwright`. */
const WINDOWS_SHORT = /^[^.~]{1,6}~\d+(?:\.[^.]{0,3})?$/;
const BACKUP = /\.bak(?:\.\d+)?$/i;

/** Prefix of the writer's temporary files; no generated file may be called so. */
export const TEMP_PREFIX = '.planwright-tmp-';

/** Names that steer git itself. `HEAD` counts as a file only: it makes a plain directory pass for a bare repository. */
const GIT_FAMILY = new Set(['.git', '.gitmodules', '.gitconfig']);
const BARE_REPOSITORY_FILE = 'head';
const DENIED_SEGMENTS = new Set(['.planwright', '.ssh', '.gnupg', '.aws']);
const DENIED_NAMES = new Set(['.npmrc', '.netrc', '_netrc', '.pypirc']);
const DENIED_PAIRS = new Set(['.kube/config', '.docker/config.json']);
const PRIVATE_KEY = /^(?:id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|.*\.(?:pem|key|p12|pfx|ppk|jks|keystore))$/;

/** The write allowlist that `policy.yaml` starts with (contract, "Skills and paths"). */
export const DEFAULT_ALLOWLIST: readonly string[] = `
.github/workflows/** .github/actions/** .github/dependabot.yml .gitlab-ci.yml .gitlab/** .circleci/**
azure-pipelines.yml bitbucket-pipelines.yml Jenkinsfile jenkins/** buildspec.yml
Dockerfile Dockerfile.* *.Dockerfile .dockerignore docker-compose*.y{a,}ml compose*.y{a,}ml
helm/** chart/** charts/** k8s/** kubernetes/** manifests/** kustomize/** overlays/** base/** argocd/** deploy/**
*.tf *.tfvars *.hcl terraform/** packer/**
ansible/** playbook*.y{a,}ml roles/** inventory/** group_vars/** host_vars/**
nginx/** nginx.conf prometheus/** prometheus.y{a,}ml alertmanager/** alertmanager.y{a,}ml grafana/** monitoring/**
systemd/** *.service *.timer Makefile makefile GNUmakefile scripts/** *.sh renovate.json .pre-commit-config.yaml
`
  .trim()
  .split(/\s+/);

/**
 * Two paths with one key are one file on a file system that ignores case or Unicode form. NFC, then folded to
 * lower case by way of upper case, so that `ſ`, `K` (Kelvin), `ß` and `ẞ` meet their plain forms; repeated until
 * nothing changes, because a few characters need two rounds.
 */
export function pathKey(path: string): string {
  const key = path.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().normalize('NFC');
  return key === path ? key : pathKey(key);
}

/** A segment as a careless file system reads it: no case, invisible characters, `:stream`, dots or spaces at the end. */
function undisguised(segment: string): string {
  const visible = segment.replace(INVISIBLE_ALL, '').replace(/(?<=[^:]):.*$/s, '');
  return pathKey(visible)
    .replace(/(?<=[^. ])[. ]+$/, '')
    .trimStart();
}

function isGitFamily(segment: string): boolean {
  return GIT_FAMILY.has(undisguised(segment)) || /^git~\d+$/i.test(segment);
}

const utf8 = new TextEncoder();
const utf8Length = (text: string): number => utf8.encode(text).length;

function quoted(path: string): string {
  const shown = escapeForDisplay(path);
  return shown.length > 200 ? `"${shown.slice(0, 200)}…"` : `"${shown}"`;
}

/** A rule for one segment: what is wrong with it, or null. */
function segmentFault(segment: string): string | null {
  if (segment === '') return 'has an empty segment';
  if (segment === '..') return 'leaves its directory with ".."';
  if (segment === '.') return 'has a "." segment';
  if (isGitFamily(segment)) return 'names a file of git itself';
  if (/[. ]$/.test(segment)) return 'has a segment that ends with a dot or a space';
  if (/^ /.test(segment)) return 'has a segment that begins with a space';
  if (WINDOWS_RESERVED.test(segment)) return `uses "${segment}", a reserved device name on Windows`;
  if (WINDOWS_SHORT.test(segment)) return `uses "${segment}", the form of a Windows short name`;
  if (utf8Length(segment) > MAX_SEGMENT_BYTES) return `has a segment of more than ${MAX_SEGMENT_BYTES} bytes`;
  return null;
}

function faultOf(path: string): string | null {
  if (path === '') return 'is empty';
  if (utf8Length(path) > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`;
  if (INVISIBLE.test(path)) return 'holds a control, bidirectional or invisible character';
  if (ODD_SPACE.test(path)) return 'holds a space character other than U+0020';
  if (path.includes('\\')) return 'holds a backslash; separate directories with "/"';
  if (path.startsWith('/')) return 'is absolute; give it relative to the workspace';
  if (/^[a-z]:/i.test(path)) return 'names a drive; give it relative to the workspace';
  if (path.startsWith('~')) return 'begins with "~", which stands for a home directory';
  if (WINDOWS_FORBIDDEN.test(path)) return 'holds one of < > : " | ? *, which a file name cannot have on Windows';
  if (path !== path.normalize('NFC')) return 'is not in Unicode normalisation form C';
  const segments = path.split('/');
  if (segments.length > MAX_DEPTH) return `is more than ${MAX_DEPTH} directories deep`;
  for (const segment of segments) {
    const fault = segmentFault(segment);
    if (fault) return fault;
  }
  const name = segments[segments.length - 1] ?? '';
  if (undisguised(name) === BARE_REPOSITORY_FILE) return 'names a file of git itself';
  if (BACKUP.test(name)) return 'ends with ".bak", which is kept for the backups of replaced files';
  if (pathKey(name).startsWith(TEMP_PREFIX)) return `begins with "${TEMP_PREFIX}", which is kept for temporary files`;
  return null;
}

/**
 * The rules that hold for every path, whatever the flags.
 *
 * @param path as it came from the model
 * @returns null where it is fine; otherwise one sentence, with the path escaped
 */
export function checkPath(path: string): string | null {
  const fault = faultOf(path);
  return fault && `The path ${quoted(path)} ${fault}.`;
}

/**
 * Whether a path is never writable, whatever the flag: git's own files, `.planwright/`, credentials, private
 * keys, `.env` files. Every case and disguise counts. `.envrc` is not one of the `.env` files here: the
 * contract lets `--allow-all-paths` write it, at HIGH risk.
 */
export function isDenied(path: string): boolean {
  const segments = path.split(/[/\\]/).map(undisguised);
  const name = segments[segments.length - 1] ?? '';
  if (path.split(/[/\\]/).some(isGitFamily) || name === BARE_REPOSITORY_FILE) return true;
  if (segments.some((segment) => DENIED_SEGMENTS.has(segment))) return true;
  if (segments.some((segment, at) => DENIED_PAIRS.has(`${segment}/${segments[at + 1] ?? ''}`))) return true;
  if (DENIED_NAMES.has(name) || PRIVATE_KEY.test(name)) return true;
  return name.startsWith('.env') && name !== '.env.example' && name !== '.envrc';
}

/**
 * Whether an allowlist has a pattern for the path. A pattern without a slash is about the base name in any
 * directory; one with a slash is about the whole path. Case does not matter, and a leading dot is no special.
 */
export function isAllowed(path: string, allowlist: readonly string[]): boolean {
  return matcherOf(allowlist)(path);
}

export interface PathRules {
  /** `write.allow` of the policy. */
  allowlist: readonly string[];
  /** Lifts the allowlist; never the path rules, the denylist or the skill's scope. */
  allowAllPaths: boolean;
  /** Patterns of the paths that the skill may write; absent: the allowlist alone bounds it. */
  scope?: readonly string[];
}

export interface PathFault {
  path: string;
  reason: string;
}

/**
 * Everything that can be said about a set of paths without a disk.
 *
 * @param paths of one task or one plan; each file once
 * @returns what is wrong, at most one fault a path, in the order of the paths; empty where all may be written
 */
export function checkPaths(paths: readonly string[], rules: PathRules): PathFault[] {
  const allowed = matcherOf(rules.allowlist);
  const inScope = rules.scope ? matcherOf(rules.scope) : () => true;
  const seen = new Map<string, Seen>();
  const faults: PathFault[] = [];
  for (const path of paths) {
    const reason = checkPath(path) ?? permission(path, rules.allowAllPaths || allowed(path), inScope(path));
    const fault = reason ?? collision(path, seen);
    if (fault) faults.push({ path, reason: fault });
  }
  return faults;
}

function permission(path: string, allowed: boolean, inScope: boolean): string | null {
  if (isDenied(path))
    return `The path ${quoted(path)} is never writable: it belongs to git, Planwright or credentials.`;
  if (!inScope) return `The path ${quoted(path)} is outside the paths that its skill may write.`;
  if (!allowed) return `The path ${quoted(path)} is outside the write allowlist (write.allow in policy.yaml).`;
  return null;
}

interface Seen {
  spelling: string;
  kind: 'file' | 'directory';
}

/** Remembers a path and its directories; says which earlier one it cannot stand beside. */
function collision(path: string, seen: Map<string, Seen>): string | null {
  const segments = path.split('/');
  for (let depth = 1; depth <= segments.length; depth++) {
    const spelling = segments.slice(0, depth).join('/');
    const kind = depth === segments.length ? 'file' : 'directory';
    const key = pathKey(spelling);
    const earlier = seen.get(key);
    if (!earlier) {
      seen.set(key, { spelling, kind });
    } else if (earlier.spelling !== spelling) {
      return `The path ${quoted(path)} differs from ${quoted(earlier.spelling)} only by case or Unicode form.`;
    } else if (earlier.kind !== kind) {
      return `The path ${quoted(spelling)} would have to be a file and a directory.`;
    } else if (kind === 'file') {
      return `The path ${quoted(path)} is there twice.`;
    }
  }
  return null;
}
