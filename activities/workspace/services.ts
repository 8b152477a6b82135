import type { Language } from '../../plan/types';
import { codeMatches } from './finding';
import { languageOf } from './names';
import type { Tree } from './tree';

/** Service → drivers, by the names of all ecosystems (they do not collide). */
const DRIVERS: readonly (readonly [service: string, drivers: RegExp])[] = [
  [
    'postgres',
    /^(pg|pg-promise|postgres|pg-native|@neondatabase\/serverless|psycopg|psycopg2|psycopg2-binary|psycopg-binary|asyncpg|pg8000|github\.com\/lib\/pq|github\.com\/jackc\/pgx(\/v\d)?|gorm\.io\/driver\/postgres|tokio-postgres|(sqlx|diesel)\/postgres|postgresql)$/,
  ],
  [
    'redis',
    /^(redis|ioredis|bull|bullmq|connect-redis|@fastify\/redis|rq|django-redis|aioredis|github\.com\/(redis\/go-redis|go-redis\/redis|gomodule\/redigo)(\/v\d)?|deadpool-redis|fred|jedis|lettuce-core|spring-boot-starter-data-redis)$/,
  ],
  [
    'mysql',
    /^(mysql|mysql2|@fastify\/mysql|mysqlclient|pymysql|aiomysql|mysql-connector-python|github\.com\/go-sql-driver\/mysql|gorm\.io\/driver\/mysql|(sqlx|diesel)\/mysql|mysql-connector-j|mysql-connector-java|mariadb)$/,
  ],
  [
    'mongodb',
    /^(mongodb|mongoose|@fastify\/mongodb|pymongo|motor|mongoengine|beanie|go\.mongodb\.org\/mongo-driver(\/v\d)?|spring-boot-starter-data-mongodb)$/,
  ],
  [
    'rabbitmq',
    /^(amqplib|amqp-connection-manager|rascal|pika|aio-pika|github\.com\/rabbitmq\/amqp091-go|lapin|spring-boot-starter-amqp)$/,
  ],
  [
    'kafka',
    /^(kafkajs|node-rdkafka|kafka-node|kafka-python|confluent-kafka|aiokafka|github\.com\/(segmentio\/kafka-go|ibm\/sarama|confluentinc\/confluent-kafka-go(\/v\d)?)|rdkafka|spring-kafka)$/i,
  ],
];

const PRISMA: { [provider: string]: string } = {
  postgresql: 'postgres',
  postgres: 'postgres',
  mysql: 'mysql',
  mongodb: 'mongodb',
};

/**
 * Backing services that production dependencies speak of. Ours to know: a driver is a client of exactly one service; an ORM
 * alone says nothing, except where Prisma's schema names its database.
 */
export function findServices(dependencies: readonly string[], tree: Tree): string[] {
  const found = DRIVERS.filter(([, drivers]) => dependencies.some((name) => drivers.test(name))).map(
    ([service]) => service,
  );
  for (const path of tree.paths.filter((candidate) => candidate.endsWith('schema.prisma'))) {
    const provider = /datasource\s+\w+\s*\{[^}]*provider\s*=\s*"(\w+)"/.exec(tree.text(path) ?? '')?.[1];
    const service = provider ? PRISMA[provider] : undefined;
    if (service) found.push(service);
  }
  return DRIVERS.map(([service]) => service).filter((service) => found.includes(service));
}

const NATIVE = new Set(
  (
    'bcrypt sharp better-sqlite3 sqlite3 canvas argon2 node-sass node-rdkafka pg-native re2 usb serialport node-pty ' +
    'libpq leveldown zeromq isolated-vm puppeteer playwright cpu-features bufferutil utf-8-validate sodium-native ' +
    'psycopg2 psycopg mysqlclient lxml pillow python-ldap pycairo uwsgi gdal weasyprint pyodbc confluent-kafka ' +
    'github.com/mattn/go-sqlite3 openssl openssl-sys rdkafka'
  ).split(' '),
);

/** Dependencies that compile, or need system packages, where an image has no tool chain. */
export function findNative(dependencies: readonly string[]): string[] {
  return [...new Set(dependencies.filter((name) => NATIVE.has(name)))].sort();
}

/** `env('NAME')` and `config('NAME')`: helpers of django-environ, decouple, Nest's configuration and the like. */
const HELPER =
  /\b(?:env|config)(?:\.(?:str|bool|int|list|url|db|get))?\(\s{0,40}['"]([A-Z][A-Z0-9]*_[A-Z0-9_]*|[A-Z]{4,})['"]/g;

/** By language: a text of another one in a string (a linter's samples, say) reads no environment. */
const ENVIRONMENT: { [language in Language]: readonly RegExp[] } = {
  node: [
    /\b(?:process|Bun)\.env\.([A-Z_][A-Z0-9_]*)\b/g,
    /\bprocess\.env\[\s{0,40}['"`]([A-Z_][A-Z0-9_]*)['"`]\s{0,40}\]/g,
    /\bimport\.meta\.env\.([A-Z_][A-Z0-9_]*)\b/g,
    HELPER,
  ],
  python: [
    /\bos\.environ(?:\.get\(|\.setdefault\(|\[)\s{0,40}['"]([A-Z_][A-Z0-9_]*)['"]/g,
    /\bos\.getenv\(\s{0,40}['"]([A-Z_][A-Z0-9_]*)['"]/g,
    HELPER,
  ],
  go: [/\bos\.(?:Getenv|LookupEnv)\(\s{0,40}"([A-Z_][A-Z0-9_]*)"/g],
  rust: [/\benv::var(?:_os)?\(\s{0,40}"([A-Z_][A-Z0-9_]*)"/g],
  java: [/\bSystem\.getenv\(\s{0,40}"([A-Z_][A-Z0-9_]*)"/g],
  unknown: [],
};

/** Set by every shell or CI, and nothing that a deployment has to provide. */
const AMBIENT = new Set(
  (
    'PATH HOME USER SHELL PWD TERM LANG TMPDIR TEMP TMP CI DEBUG FORCE_COLOR NO_COLOR APPDATA COLUMNS ' +
    // What a login session, systemd or Windows sets is no setting of the project: passed on from a host it is wrong in a container.
    'LOGNAME HOSTNAME EDITOR VISUAL PAGER BROWSER DISPLAY WAYLAND_DISPLAY SSH_AUTH_SOCK SUDO_USER TZ LC_ALL LC_CTYPE COLORTERM ' +
    'HOMEDRIVE HOMEPATH USERPROFILE USERNAME LOCALAPPDATA PROGRAMDATA PROGRAMFILES SYSTEMROOT WINDIR COMSPEC PATHEXT ' +
    'NOTIFY_SOCKET LISTEN_FDS LISTEN_PID LISTEN_FDNAMES WATCHDOG_USEC INVOCATION_ID JOURNAL_STREAM ' +
    'GOPATH GOROOT GOOS GOARCH GOCOVERDIR PYTHONPATH VIRTUAL_ENV NODE_PATH NODE_OPTIONS CARGO_HOME RUST_LOG_STYLE ' +
    // Django's own files set it where it is not.
    'DJANGO_SETTINGS_MODULE'
  ).split(' '),
);
const MAX_NAMES = 60;

/** Names of environment variables, from production code and `.env.example`. Values are never looked at. */
export function findEnvNames(tree: Tree): string[] {
  const names = new Set<string>();
  for (const path of tree.sources) {
    const text = tree.text(path) ?? '';
    const language = languageOf(path) ?? 'unknown';
    for (const expression of ENVIRONMENT[language])
      for (const match of codeMatches(text, expression)) names.add(match[1] ?? '');
    if (language !== 'node') continue;
    for (const match of codeMatches(text, /\{([^{}]*)\}\s{0,40}=\s{0,40}process\.env\b/g)) {
      for (const part of (match[1] ?? '').split(',')) names.add(/^\s*([A-Z_][A-Z0-9_]*)/.exec(part)?.[1] ?? '');
    }
  }
  for (const path of tree.paths.filter((candidate) => candidate.endsWith('schema.prisma'))) {
    for (const match of (tree.text(path) ?? '').matchAll(/\benv\("([A-Z_][A-Z0-9_]*)"\)/g)) names.add(match[1] ?? '');
  }
  for (const path of tree.paths.filter((candidate) => /^\.env\.[\w.]+$/.test(candidate))) {
    for (const match of (tree.text(path) ?? '').matchAll(/^(?:export\s+)?([A-Z_][A-Z0-9_]*)\s*=/gim))
      names.add(match[1] ?? '');
  }
  return [...names]
    .filter((name) => name !== '' && !AMBIENT.has(name) && !/^(?:npm_|XDG_|CARGO_(?:PKG|CFG|BIN)_)/.test(name))
    .sort()
    .slice(0, MAX_NAMES);
}
