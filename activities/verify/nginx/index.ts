import { z } from 'zod';
import type { Finding } from '../../../plan/types';
import { lineColumn, MAX_FINDINGS } from '../findings';
import { hint, nearest } from '../near';
import { readTable } from '../tables';
import type { Outcome, Subject, Verifier, VerifyContext } from '../types';
import { meaningFindings } from './meaning';
import { type Directive, type NginxFault, readNginx } from './read';

/** nginx's own bits: how many arguments (takes 0 to 7), block, flag, any number; then where a directive may stand. */
const BLOCK = 0x100;
const FLAG = 0x200;
const ANY = 0x400;
const ONE_OR_MORE = 0x800;
const TWO_OR_MORE = 0x1000;

const CONTEXT: Readonly<Record<string, number>> = {
  main: 0x40000,
  events: 0x80000,
  mail: 0x100000,
  'mail server': 0x200000,
  stream: 0x400000,
  'stream server': 0x800000,
  'stream upstream': 0x1000000,
  http: 0x2000000,
  server: 0x4000000,
  location: 0x8000000,
  upstream: 0x10000000,
  'if in server': 0x20000000,
  'if in location': 0x40000000,
  limit_except: 0x80000000,
};

let table: ReadonlyMap<string, readonly number[]> | null = null;

/** Directives that came after the table. */
const NEWER: Readonly<Record<string, number[]>> = {
  http2: [(0x2000000 | 0x4000000 | FLAG) >>> 0],
  http3: [(0x2000000 | 0x4000000 | FLAG) >>> 0],
  http3_hq: [(0x2000000 | 0x4000000 | FLAG) >>> 0],
  http3_max_concurrent_streams: [(0x2000000 | 0x4000000 | 2) >>> 0],
  http3_stream_buffer_size: [(0x2000000 | 0x4000000 | 2) >>> 0],
  quic_retry: [(0x2000000 | 0x4000000 | FLAG) >>> 0],
  quic_gso: [(0x2000000 | 0x4000000 | FLAG) >>> 0],
  quic_bpf: [(0x40000 | FLAG) >>> 0],
  quic_host_key: [(0x2000000 | 0x4000000 | 2) >>> 0],
  ssl_reject_handshake: [(0x2000000 | 0x4000000 | 0x400000 | 0x800000 | FLAG) >>> 0],
  keepalive_min_timeout: [(0x2000000 | 0x4000000 | 0x8000000 | 2) >>> 0],
};

function directives(): ReadonlyMap<string, readonly number[]> {
  if (table) return table;
  const read = z.object({ directives: z.record(z.string(), z.array(z.number())) }).parse(readTable('nginx'));
  table = new Map(Object.entries({ ...read.directives, ...NEWER }));
  return table;
}

/** Modules that are built in by some and by others not; their directives cannot be judged. */
const THIRD_PARTY =
  /^(?:lua_|.*_by_lua|more_|brotli|vhost_traffic|geoip2|echo|passenger|rails|pagespeed|modsecurity|nchan|push_stream|rtmp|hls|dash|js_|otel_|opentracing|set_by|set_(?:un)?escape|set_(?:misc|hashed|random|encode|decode|md5|sha1|hmac|base32|secure|formatted|local|rotate|quote)|naxsi|upload_|fancyindex|subs_filter|headers_more|auth_ldap|ldap_|auth_digest|auth_pam|srcache|redis2?_|memc_|drizzle|postgres|encrypted|zstd|dav_ext|uwsgi_|scgi_|mgmt|api$|state|sticky|zone_sync|health_check|match|ntlm|queue|session_log|f4f|jwt_|auth_jwt|proxy_protocol|check|vod|image_filter|perl|google_perftools|xslt|access_by|body_filter|content_by|header_filter|init_|log_by|rewrite_by|ssl_certificate_by|balancer_by|secure_link|security|SecRules|BasicRule|MainRule|CheckRule|LearningMode|DeniedUrl|stub_status|limit_req_dry|proxy_cache_purge|fastcgi_cache_purge|njs|acme|proxy_upload_rate|tunnel|keyval|status)/;

/** Blocks whose content is data and no directives. */
const DATA_BLOCKS = new Set([
  'map',
  'geo',
  'types',
  'split_clients',
  'charset_map',
  'geoip2',
  'match',
  'otel_exporter',
]);

const INNER: Readonly<Record<string, string>> = {
  http: 'http',
  events: 'events',
  mail: 'mail',
  stream: 'stream',
  server: 'server',
  location: 'location',
  upstream: 'upstream',
  limit_except: 'limit_except',
};

/** Contexts that a file may be included in, where it has none of its own. */
const OPEN =
  (CONTEXT.http ?? 0) |
  (CONTEXT.server ?? 0) |
  (CONTEXT.location ?? 0) |
  (CONTEXT.stream ?? 0) |
  (CONTEXT['stream server'] ?? 0) |
  (CONTEXT.upstream ?? 0) |
  (CONTEXT.main ?? 0);

const MAX_LENGTH = 262_144;

interface Walk {
  faults: NginxFault[];
  foreign: Set<string>;
}

function walk(list: readonly Directive[], context: string | null, out: Walk): void {
  for (const directive of list) {
    // More is not shown, and each guess at what was meant costs a look at all names.
    if (out.faults.length > MAX_FINDINGS) return;
    const { name, at, block } = directive;
    const forms = directives().get(name);
    // A block of Lua holds code; what the tokenizer makes of it says nothing.
    if (/_by_lua_block$/.test(name)) {
      out.foreign.add(name);
      continue;
    }
    if (!forms) {
      const near = nearest(name, directives().keys());
      if (near === null && THIRD_PARTY.test(name)) out.foreign.add(name);
      else
        out.faults.push({
          rule: 'unknown-directive',
          severity: 'error',
          message: `nginx has no directive "${name.slice(0, 60)}".${hint(name, directives().keys())}`,
          at,
        });
      continue;
    }
    const fault = formFault(directive, forms, context);
    if (fault !== null) out.faults.push({ ...fault, severity: 'error', at });
    if (block && !DATA_BLOCKS.has(name)) walk(block, inner(name, context), out);
  }
}

function inner(name: string, context: string | null): string | null {
  if (name === 'if')
    return context === 'location' || context === 'if in location'
      ? 'if in location'
      : context === 'server'
        ? 'if in server'
        : null;
  const own = INNER[name] ?? context;
  if ((context === 'stream' || context === 'mail') && (own === 'server' || own === 'upstream'))
    return `${context} ${own}`;
  return own;
}

function formFault(
  { name, args, block, places }: Directive,
  forms: readonly number[],
  context: string | null,
): { rule: string; message: string } | null {
  const mask = context === null ? OPEN : (CONTEXT[context] ?? 0);
  const here = forms.filter((form) => (form & mask) >>> 0 !== 0);
  if (here.length === 0 && context !== null)
    return { rule: 'context', message: `"${name}" may not stand in ${context}.` };
  const usable = here.length > 0 ? here : forms;
  if (usable.every((form) => ((form & BLOCK) !== 0) !== (block !== null)) && name !== 'if') {
    return block === null
      ? { rule: 'missing-block', message: `"${name}" is followed by a block in braces.` }
      : { rule: 'missing-semicolon', message: `"${name}" takes no block; is ";" missing before it?` };
  }
  if (usable.some((form) => takes(form, args))) return null;
  // An argument on a line of its own that is a directive's name: a semicolon was forgotten before it.
  const swallowed = args.find((arg, index) => index > 0 && directives().has(arg) && (places[index] ?? 0) > 0);
  if (swallowed !== undefined)
    return { rule: 'missing-semicolon', message: `";" is missing after "${name}", before "${swallowed}".` };
  if (usable.every((form) => (form & FLAG) !== 0)) return { rule: 'arguments', message: `"${name}" is on or off.` };
  return { rule: 'arguments', message: `"${name}" does not take ${args.length} arguments.` };
}

function takes(form: number, args: readonly string[]): boolean {
  if ((form & FLAG) !== 0)
    return args.length === 1 && (/^(?:on|off)$/i.test(args[0] ?? '') || (args[0] ?? '').includes('$'));
  if ((form & ANY) !== 0) return true;
  if ((form & ONE_OR_MORE) !== 0) return args.length >= 1;
  if ((form & TWO_OR_MORE) !== 0) return args.length >= 2;
  return args.length <= 7 && (form & (1 << args.length)) !== 0;
}

/** An argument that begins a line and names a directive, in one that takes any number: the semicolon is missing there too. */
function swallowed(list: readonly Directive[], text: string, out: NginxFault[]): void {
  for (const { name, args, places, block } of list) {
    if (block && DATA_BLOCKS.has(name)) continue;
    args.forEach((arg, index) => {
      const at = places[index] ?? 0;
      const lineStart = text.lastIndexOf('\n', at - 1) + 1;
      if (
        text.slice(lineStart, at).trim() !== '' ||
        !directives().has(arg) ||
        (/^(?:if|default|any|server|return|error|auth|root)$/.test(arg) === true && args.length < 2)
      )
        return;
      out.push({
        rule: 'missing-semicolon',
        severity: 'error',
        message: `";" is missing after "${name}", before "${arg}".`,
        at,
      });
    });
    if (block) swallowed(block, text, out);
  }
}

function run({ text, path }: Subject, context: VerifyContext): Outcome {
  // Templates get their values at start (envsubst, Jinja); their braces are not nginx's.
  if (/\{\{|\{%/.test(text))
    return { findings: [], inconclusive: 'the file is a template, and nginx reads what is made of it' };
  if (text.length > MAX_LENGTH) {
    const message = `The file is longer than ${MAX_LENGTH} characters.`;
    return { findings: [{ rule: 'too-large', severity: 'error', message }] };
  }
  const { directives: list, faults } = readNginx(text);
  const out: Walk = { faults: faults.map((one) => ({ ...one, severity: 'error' })), foreign: new Set() };
  if (faults.length === 0) {
    const whole = list.some(({ name }) => ['http', 'events', 'stream', 'mail', 'worker_processes'].includes(name));
    walk(list, whole ? 'main' : list.some(({ name }) => name === 'server' || name === 'upstream') ? 'http' : null, out);
    const missing: NginxFault[] = [];
    swallowed(list, text, missing);
    out.faults.push(
      ...missing.filter(
        ({ at }) => !out.faults.some((other) => other.rule === 'missing-semicolon' && Math.abs(other.at - at) < 400),
      ),
    );
    out.faults.push(...meaningFindings(list, { whole, path, context }));
  }
  const findings = out.faults.map(({ at, ...one }): Finding => ({ ...one, ...lineColumn(text, at) }));
  if (out.foreign.size === 0) return { findings };
  return {
    findings,
    inconclusive: `directives of modules that are not nginx's own: ${[...out.foreign].slice(0, 5).join(', ')}`,
  };
}

/** nginx configurations by nginx's own table of directives, contexts and arguments. nginx is not started. */
export const nginxVerifier: Verifier = {
  id: 'nginx',
  version: 'planwright/1',
  applies: (path, text) =>
    /(?:^|\/)(?:[^/]*nginx[^/]*\.conf|(?:nginx|sites-(?:available|enabled))\/(?:[^/]+\/)*[^/]+\.(?:conf|nginx)|[^/]+\.nginx)(?:\.template)?$/i.test(
      path,
    ) ||
    (/(?:^|\/)conf\.d\/[^/]+\.conf$/.test(path) && /^[ \t]*(?:server|upstream)\b[^;{\n]{0,200}\{/m.test(text)) ||
    (/(?:^|\/)sites-(?:available|enabled)\/[^/]+$/.test(path) && /^[ \t]*server[ \t]*\{/m.test(text)),
  run,
};
