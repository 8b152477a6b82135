import type { WorkspaceFacts } from '../plan/types';
import { type Ci, ciOf } from './ci';
import { envNames, isSecretName, safePath, slug, urlPath } from './filters';
import type { RenderScope } from './types';

/**
 * What most templates want to know and the facts say only together. Everything is read from the facts, the input and the files
 * that exist; what none of them says is empty, never a usual value.
 */
export interface Project {
  /** The name as image, unit, chart and resource names take it. */
  slug: string;
  /** True for what is started and stays: not a library, and not a tool that runs once. */
  serves: boolean;
  /** True for a command-line tool. */
  tool: boolean;
  /** The port that it serves; '' where none was found. */
  port: number | '';
  /** URL path of its health check; '' where none was found, or there is no port to ask. */
  health: string;
  /** URL path of its metrics; '' as for health. */
  metrics: string;
  /** The image without a tag, as far as the input says one; otherwise the slug. */
  image: string;
  /** The release that the manifest states, as an image tag; '' where it states none. */
  tag: string;
  /** Path of the Dockerfile; '' where there is none. */
  dockerfile: string;
  /** The numeric user to run the image as; '' where an existing Dockerfile names one whose number it does not say. */
  uid: number | '';
  /** True where the Dockerfile that exists names no user, so that the image by itself would run as root. */
  rootImage: boolean;
  /** Names of variables that hold secrets: tokens, passwords, addresses of services with a password in them. */
  secrets: string[];
  /** Names of the other variables that the code reads, without PORT and NODE_ENV. */
  settings: string[];
  /** What starts it without a package manager in between, where the facts allow that. */
  command: string;
  ci: Ci;
  /** Directory of the package that this is about; '' for the whole workspace. */
  folder: string;
}

export interface FullScope extends RenderScope {
  project: Project;
}

const known = new WeakMap<RenderScope, FullScope>();

/** The scope with `project`, and with `ws` as the package that the input names sees it. A full scope comes back as it is. */
export function fullScope(scope: RenderScope): FullScope {
  const done = known.get(scope);
  if (done) return done;
  const ws = packageView(scope);
  const full = { ...scope, ws, project: projectOf({ ...scope, ws }) };
  known.set(scope, full);
  known.set(full, full);
  return full;
}

/** Facts of the package that `input.package` names by path or name, over those of the workspace. */
function packageView({ ws, input }: RenderScope): WorkspaceFacts {
  const part = ws.packageFacts?.find(({ path, name }) => path === input.package || name === input.package);
  if (!part) return ws;
  const { path: _path, version, metricsPath, ...own } = part;
  return { ...ws, cli: false, ...own, version, metricsPath };
}

function projectOf({ ws, input, existing }: RenderScope): Project {
  const source = ws.start?.source ?? '';
  const named = ws.cli === true || /package\.json bin|console scripts/.test(source);
  // A Go or Rust program that opens no port and speaks to no service is a tool.
  const quiet = ['go', 'rust'].includes(ws.language) && ws.ports.length === 0 && ws.services.length === 0;
  const startable = ws.start !== null && !ws.library;
  const serves = (startable && !named && !quiet) || typeof input.port === 'number';
  // What an image of the project's own exposes is what it serves; a port in the code may be one that it calls.
  const exposed = ws.ports.find(({ source }) => source.startsWith('Dockerfile:')) ?? ws.ports[0];
  const port = typeof input.port === 'number' ? input.port : serves ? (exposed?.port ?? '') : '';
  const path = (value: unknown): string => (port === '' ? '' : urlPath(value));
  const dockerfile = dockerfileOf(ws, input, existing);
  const [image, tag] = imageOf(ws, input);
  const names = envNames(ws.envNames).filter((name) => name !== 'PORT' && name !== 'NODE_ENV');
  const secrets = names.filter((name) => isSecretName(name) || ADDRESS.test(name));
  return {
    // A Service's name begins with a letter (RFC 1035).
    slug: slug(ws.name).replace(/^(?=\d)/, 'app-'),
    serves,
    tool: startable && !serves,
    port,
    health: path(input.healthPath ?? ws.healthPath),
    metrics: path(input.metricsPath ?? ws.metricsPath),
    image,
    tag,
    dockerfile,
    ...userOf(ws, existing[dockerfile]),
    secrets,
    settings: names.filter((name) => !secrets.includes(name)),
    command: commandOf(ws),
    ci: ciOf(ws, input),
    folder: ws.packageFacts?.find(({ path: at, name }) => at === input.package || name === input.package)?.path ?? '',
  };
}

/** Addresses of databases and brokers usually carry a password. */
const ADDRESS = /^(DATABASE|DB|POSTGRES(QL)?|PG|MYSQL|MARIADB|MONGO(DB)?|REDIS|AMQP|RABBIT(MQ)?|CLOUDAMQP)_UR[IL]$/;

function dockerfileOf(ws: WorkspaceFacts, input: RenderScope['input'], existing: { [path: string]: string }): string {
  if (typeof input.dockerfile === 'string') return safePath(input.dockerfile);
  if (Object.hasOwn(existing, 'Dockerfile')) return 'Dockerfile';
  return safePath(ws.existing.dockerfile?.find((file) => /dockerfile/i.test(file)) ?? '');
}

function imageOf(ws: WorkspaceFacts, input: RenderScope['input']): [image: string, tag: string] {
  const given = typeof input.image === 'string' ? input.image : slug(ws.name);
  const colon = given.lastIndexOf(':');
  if (colon > given.lastIndexOf('/')) return [given.slice(0, colon), given.slice(colon + 1)];
  const version = typeof input.tag === 'string' ? input.tag : (ws.version ?? '');
  // "+" starts build metadata in a version and may not stand in a tag.
  return [given, version.replaceAll('+', '-')];
}

/** A user of no system: what takes root from an image that names none. */
const NOBODY = 65_532;

/** The number of the user in the last stage of a Dockerfile, or the one that a Dockerfile made here will have. */
function userOf(ws: WorkspaceFacts, dockerfile: string | undefined): Pick<Project, 'uid' | 'rootImage'> {
  const known = (uid: number | '', rootImage = false) => ({ uid, rootImage });
  if (dockerfile === undefined) {
    if ((ws.existing.dockerfile ?? []).some((file) => /dockerfile/i.test(file)) || ws.language === 'unknown')
      return known('');
    return known({ node: 1000, go: NOBODY, rust: NOBODY, python: 10_001, java: 10_001 }[ws.language]);
  }
  const last = dockerfile.slice(Math.max(0, dockerfile.search(/^FROM [^\n]*(?![\s\S]*^FROM )/m)));
  const user = [...last.matchAll(/^USER\s+([\w.-]+)/gm)].at(-1)?.[1];
  if (user === undefined && /^FROM \S*nonroot/.test(last)) return known(NOBODY);
  if (user === undefined || user === 'root' || user === '0') return known(NOBODY, true);
  if (/^\d+$/.test(user)) return known(Number(user));
  if (user === 'node' || user === 'bun') return known(1000);
  const made = /useradd[^\n]*--uid (\d+)[^\n]* (\S+)/.exec(dockerfile);
  return known(made?.[2] === user ? Number(made[1]) : '');
}

/** `npm start` where the script is one plain command becomes that command: a supervisor's signals reach it. */
function commandOf({ start, scripts, entryPoint }: WorkspaceFacts): string {
  if (!start) return '';
  const script = scripts[start.source.replace('package.json scripts.', '')];
  const plain = script?.replace(/^(cross-env\s+)?(NODE_ENV=production\s+)?/, '').trim();
  if (plain && /^node [\w./@ =-]+$/.test(plain)) return plain;
  if (plain && entryPoint && /\.[cm]?js$/.test(entryPoint)) return `node ${safePath(entryPoint)}`;
  return start.run;
}
