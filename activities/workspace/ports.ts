import { posix } from 'node:path';
import type { Language, WorkspaceFacts } from '../../plan/types';
import { codeMatches, lineAt } from './finding';
import { at, parseYaml } from './shape';
import type { Tree } from './tree';

type Port = WorkspaceFacts['ports'][number];

/** Where code of a language says which port it serves; the first group is the number. Ports of *other* services never match. */
const IN_CODE: { [language in Language]: readonly RegExp[] } = {
  node: [
    /env(?:\.PORT\b|\[\s{0,40}['"`]PORT['"`]\s{0,40}\])(?:\s{0,40},\s{0,40}10)?\s{0,40}\)*\s{0,40}(?:\|\||\?\?)\s{0,40}['"`]?(\d{2,5})\b/g,
    /env\.PORT\b[^\n;:]{0,60}\?[^\n;:]{0,60}:\s{0,40}['"`]?(\d{2,5})\b/g,
    /\{[^{}]*\bPORT\s{0,40}=\s{0,40}['"`]?(\d{2,5})['"`]?[^{}]*\}\s{0,40}=\s{0,40}process\.env/g,
    /\bPORT\s{0,40}:[^\n]{0,80}\bdefault\D{1,5}(\d{2,5})\b/g,
    /\.listen\(\s{0,40}['"`]?(\d{2,5})\b/g,
    /\.listen\(\s{0,40}\{[^{}]*\bport\s{0,40}:\s{0,40}(\d{2,5})\b/g,
    /\b(?:const|let|var)\s+(?:PORT|port|serverPort)\s{0,40}(?::\s{0,40}number\s{0,40})?=\s{0,40}['"`]?(\d{2,5})\b/g,
    /\bBun\.serve\(\s{0,40}\{[^{}]*\bport\s{0,40}:\s{0,40}(\d{2,5})\b/g,
  ],
  python: [
    /\bos\.(?:environ\.get|getenv)\(\s{0,40}['"]PORT['"]\s{0,40},\s{0,40}['"]?(\d{2,5})\b/g,
    /\.run\([^()]*\bport\s{0,40}=\s{0,40}(\d{2,5})\b/g,
  ],
  go: [
    /\b(?:ListenAndServe(?:TLS)?|Run|Listen|Start)\(\s{0,40}(?:"tcp",\s{0,40})?"[\w.]*:(\d{2,5})"/g,
    /\bAddr:\s{0,40}"[\w.]*:(\d{2,5})"/g,
    /\b[pP]ort\s{0,40}:?=\s{0,40}"?:?(\d{2,5})"/g,
  ],
  rust: [
    /\b(?:bind|serve|run|parse)\w*\(\s{0,40}"[\d.:[\]]*:(\d{2,5})"/g,
    /\(\s{0,40}\[\s{0,40}\d+(?:\s{0,40},\s{0,40}\d+){3}\s{0,40}\]\s{0,40},\s{0,40}(\d{2,5})\s{0,40}\)/g,
  ],
  java: [/\b(?:InetSocketAddress|HttpServer\.create|port)\(\s{0,40}(\d{4,5})\b/g],
  unknown: [],
};

/** Commands that serve a port of their own when told none, by their documentation. */
const DEFAULTS: readonly (readonly [command: RegExp, port: number, name: string])[] = [
  [/\bnext start\b/, 3000, 'next start'],
  [/\b(remix-serve|react-router-serve)\b/, 3000, 'remix-serve'],
  [/\.output\/server\/index\.mjs/, 3000, 'Nuxt'],
  [/\bfastify start\b/, 3000, 'fastify start'],
  [/(^|\s)serve\s+(-s\s+)?\w/, 3000, 'serve'],
  [/\bhttp-server\b/, 8080, 'http-server'],
  [/\b(uvicorn|gunicorn|hypercorn)\b/, 8000, 'the server'],
  [/\bflask\b.*\brun\b/, 5000, 'flask run'],
];
const FLAG = /(?:--port[= ]|(?:^|\s)-p[= ]?|(?:--bind[= ]|-b )\S*:|runserver \S*:|\bPORT=)(\d{2,5})\b/;

/** The starters that bring a web server (Spring Boot 4 calls the first one webmvc). */
const SPRING_WEB = /\bspring-boot-starter-(?:web|webmvc|webflux)\b/;

const MAX_PORTS = 10;

/**
 * Ports that the project serves: what its code, its start command, its `.env.example` and its Dockerfile state, in this order, and
 * for a server that is told none its documented default.
 *
 * @param start the text of the start command; null for a library or tool, of which only the Dockerfile counts
 */
export function findPorts(tree: Tree, language: Language, start: { script: string; source: string } | null): Port[] {
  const found = new Map<number, string>();
  const add = (digits: string | undefined, source: string): void => {
    const port = Number(digits);
    if (port > 0 && port <= 65_535 && !found.has(port)) found.set(port, source);
  };
  if (start) {
    for (const path of tree.sources) {
      const text = tree.text(path) ?? '';
      // A profiler's own server is for its developer, wherever it listens.
      if (/"net\/http\/pprof"/.test(text)) continue;
      for (const expression of IN_CODE[language]) {
        for (const match of codeMatches(text, expression)) add(match[1], `${path}:${lineAt(text, match.index)}`);
      }
    }
    add(FLAG.exec(start.script)?.[1], start.source);
    for (const path of tree.paths.filter((candidate) => /(^|\/)application\.(properties|ya?ml)$/.test(candidate))) {
      const text = tree.text(path) ?? '';
      const yaml = path.endsWith('properties') ? null : at(parseYaml(text), 'server', 'port');
      const written = yaml === null ? /^server\.port\s*=\s*(\S+)/m.exec(text)?.[1] : String(yaml);
      add(/^(?:\$\{\w+:)?(\d+)/.exec(written ?? '')?.[1], path);
    }
    const example = tree.paths.find((path) => /^\.env\.\w+$/.test(path) && /^PORT=/m.test(tree.text(path) ?? ''));
    if (example) add(/^PORT=["']?(\d+)/m.exec(tree.text(example) ?? '')?.[1], example);
  }
  for (const match of (tree.text('Dockerfile') ?? '').matchAll(/^\s*EXPOSE\s+(.+)$/gim)) {
    for (const word of (match[1] ?? '').split(/\s+/)) {
      if (!word.endsWith('/udp'))
        add(/^\d+/.exec(word)?.[0], `Dockerfile:${lineAt(tree.text('Dockerfile') ?? '', match.index)}`);
    }
  }
  // Gin's Run without an address.
  if (
    found.size === 0 &&
    language === 'go' &&
    tree.sources.some((path) => /\b(?:gin\.Default|gin\.New)\(/.test(tree.text(path) ?? ''))
  ) {
    const path = tree.sources.find((source) => /\.Run\(\)/.test(tree.text(source) ?? ''));
    if (start && path) found.set(8080, `default of gin (${path})`);
  }
  const web = ['pom.xml', 'build.gradle', 'build.gradle.kts'].find((path) => SPRING_WEB.test(tree.text(path) ?? ''));
  if (start && web && language === 'java' && found.size === 0) found.set(8080, `default of Spring Boot (${web})`);
  const usual = start && found.size === 0 ? DEFAULTS.find(([command]) => command.test(start.script)) : undefined;
  if (usual) found.set(usual[1], `default of ${usual[2]}`);
  return [...found].slice(0, MAX_PORTS).map(([port, source]) => ({ port, source }));
}

const HEALTH = [
  'healthz',
  'health',
  'livez',
  'healthcheck',
  'health-check',
  '_health',
  'health/live',
  'readyz',
  'ready',
  'status',
  'ping',
];
const ROUTE = new RegExp(
  String.raw`\b([\w.]{0,60})(?:\.|@)?\b(get|all|use|route|head|HandleFunc|Handle|GET|api_route|add_url_rule|url|pathname|path|Path|GetMapping)` +
    String.raw`['"]?\s{0,40}(?:\(|===?|:)\s{0,40}(['"\x60])(?:GET )?(\/(?:api\/|v\d\/)?(?:${HEALTH.join('|')})\/?)\3`,
  'g',
);
/** A router's routes lie below the path at which it is mounted, and where that is cannot be seen reliably. */
const MOUNTED =
  /\.(?:use|route|register_blueprint|include_router|mount|Group|nest)\(\s*['"`]\/[\w{]|\b(?:url_prefix|prefix)\s*[=:]\s*['"`]\/\w/;
const ROUTER = /(router|routes?|bp|blueprint|group|fastify|instance|controller)$/i;

/**
 * The route that answers whether the service is well, as its code declares it; of several the one most clearly meant for that. Null
 * where none is found, or where its full path cannot be told.
 */
export function findHealthPath(tree: Tree): string | null {
  const mounted = tree.sources.some((path) => MOUNTED.test(tree.text(path) ?? ''));
  const found: string[] = [];
  for (const path of tree.sources) {
    for (const match of codeMatches(tree.text(path) ?? '', ROUTE)) {
      const receiver = (match[1] ?? '').replace(/\.$/, '');
      const inRouter = ROUTER.test(receiver) || ROUTER.test(posix.basename(path).replace(/\.\w+$/, ''));
      // Django's path() and Flask's route() are written without or with the application; `path:` also names files.
      if (match[2] === 'path' && !path.endsWith('urls.py') && !path.endsWith('.js') && !path.endsWith('.ts')) continue;
      if (!(inRouter && mounted)) found.push(match[4] ?? '');
    }
  }
  const rank = (path: string): number => HEALTH.findIndex((name) => path.replace(/\/$/, '').endsWith(`/${name}`));
  return found.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0))[0] ?? null;
}
