import type { VerifyContext } from '../types';
import type { Directive, NginxFault } from './read';

interface File {
  whole: boolean;
  path: string;
  context: VerifyContext;
}

function all(list: readonly Directive[]): Directive[] {
  return list.flatMap((one) => [one, ...(one.block ? all(one.block) : [])]);
}

/** What nginx refuses beyond names and arguments: ports, repeated locations and upstreams, TLS without a certificate. */
export function meaningFindings(list: readonly Directive[], file: File): NginxFault[] {
  const faults: NginxFault[] = [];
  const error = (rule: string, message: string, at: number): void =>
    void faults.push({ rule, severity: 'error', message, at });
  const every = all(list);
  const includes = every.some(({ name }) => name === 'include');
  const upstreams = new Map<string, number>();
  for (const { name, args, at, block } of every) {
    if (name === 'listen') listen(args[0] ?? '', at, error);
    if (name === 'upstream') {
      const upstream = args[0] ?? '';
      if (upstreams.has(upstream))
        error('duplicate-upstream', `The upstream "${upstream.slice(0, 60)}" stands twice.`, at);
      upstreams.set(upstream, at);
      if (block && !block.some((one) => ['server', 'include', 'resolver', 'state'].includes(one.name)))
        error('empty-upstream', `The upstream "${upstream.slice(0, 60)}" has no server.`, at);
    }
    if (
      (name === 'return' || name === 'error_page') &&
      /^\d+$/.test(args[0] ?? '') &&
      name === 'return' &&
      Number(args[0]) > 999
    ) {
      error('status', `"${args[0]?.slice(0, 20)}" is not a status code.`, at);
    }
    if (name === 'server' && block) server(block, every, includes, at, error);
    if (name === 'proxy_pass' && !/^(?:https?|grpcs?):\/\/|\$|^unix:/.test(args[0] ?? '') && block === null) {
      const inStream = list.some((one) => one.name === 'stream');
      if (!inStream) error('proxy-pass', 'The address of proxy_pass begins with http:// or https://.', at);
    }
    if (name === 'if' && !/^\(/.test(args[0] ?? '')) error('if', 'The condition of "if" stands in parentheses.', at);
    for (const size of SIZES.has(name) ? args.slice(0, 1) : []) {
      if (!/^\d+[kKmMgG]?$|\$/.test(size))
        error('size', `"${size.slice(0, 40)}" is not a size; write for example 10m.`, at);
    }
    for (const time of TIMES.has(name) ? args.slice(0, 1) : []) {
      if (!/^\d+(?:(?:ms|[smhdwMy])\d+)*(?:ms|[smhdwMy])?$|\$/.test(time))
        error('time', `"${time.slice(0, 40)}" is not a time; write for example 30s.`, at);
    }
  }
  faults.push(...variables(every, file, includes));
  return faults;
}

const SIZES = new Set([
  'client_max_body_size',
  'client_body_buffer_size',
  'client_header_buffer_size',
  'proxy_buffer_size',
  'gzip_min_length',
  'keepalive_requests',
]);
const TIMES = new Set([
  'proxy_read_timeout',
  'proxy_connect_timeout',
  'proxy_send_timeout',
  'keepalive_timeout',
  'send_timeout',
  'client_body_timeout',
  'client_header_timeout',
  'fastcgi_read_timeout',
]);

type Report = (rule: string, message: string, at: number) => void;

function listen(value: string, at: number, error: Report): void {
  if (value.includes('$') || value.startsWith('unix:')) return;
  const port = /^(?:.*:)?(\d+)(?:-(\d+))?$/.exec(value.replace(/^\[[^\]]*\]/, ''))?.slice(1) ?? [];
  if (port.some((one) => one !== undefined && (Number(one) < 1 || Number(one) > 65_535))) {
    error('port', `"${value.slice(0, 60)}" is out of the range 1 to 65535.`, at);
  } else if (port.length === 0 && !/^(?:\[[^\]]*\]|\*|[\w.-]*[A-Za-z.*][\w.-]*)(?::\d+)?$/.test(value))
    error('port', `"${value.slice(0, 60)}" is no address to listen on.`, at);
}

function server(
  block: readonly Directive[],
  every: readonly Directive[],
  includes: boolean,
  at: number,
  error: Report,
): void {
  const tls = block.some(({ name, args }) => name === 'listen' && args.includes('ssl'));
  const has = (wanted: string, list: readonly Directive[]): boolean => list.some(({ name }) => name === wanted);
  const anywhere = has('ssl_certificate', every) || has('ssl_reject_handshake', block);
  if (tls && !anywhere && !includes)
    error('certificate', 'The server listens with ssl and names no ssl_certificate.', at);
  if (has('ssl_certificate', block) && !has('ssl_certificate_key', every) && !includes)
    error('certificate', 'ssl_certificate needs ssl_certificate_key.', at);
  const seen = new Set<string>();
  for (const { name, args, at: place } of block) {
    if (name !== 'location') continue;
    const key = args.join(' ');
    if (seen.has(key))
      error('duplicate-location', `The location "${key.slice(0, 80)}" stands twice in this server.`, place);
    seen.add(key);
    if (args.length > 1 && !/^(?:=|~\*?|\^~)$/.test(args[0] ?? ''))
      error('location', `"${args[0]?.slice(0, 20)}" is no modifier of a location.`, place);
  }
}

/** Names of variables that modules make from anything. */
const FREE =
  /^(?:http|sent_http|sent_trailer|trailer|upstream_http|upstream_trailer|upstream_cookie|cookie|arg|ssl|proxy|upstream|geoip2?|fastcgi|jwt|tcpinfo|limit|proxy_protocol|secure_link|date|gzip|realip|session|spdy|http2|http3|quic|memcached|slice|otel|modern|ancient|msie|invalid|memc|uid|connection|request|server|remote|document|content|time|query|scheme|protocol|bytes|body|binary|status|pid|msec|nginx|hostname|host|uri|args|is|https|pipe|realpath|real|zstd|brotli)(?:_|$)|^\d$/;

function variables(every: readonly Directive[], { whole, path, context }: File, includes: boolean): NginxFault[] {
  const made = new Set<string>();
  const note = (name: string | undefined): void => void (name?.startsWith('$') && made.add(name.slice(1)));
  for (const { name, args } of every) {
    if (
      name === 'set' ||
      name === 'perl_set' ||
      name === 'js_set' ||
      name === 'auth_request_set' ||
      name === 'js_var' ||
      name === 'auth_jwt_claim_set'
    )
      note(args[0]);
    if (name === 'map' || name === 'geo' || name === 'split_clients') note(args.at(-1));
    for (const arg of args) for (const capture of arg.matchAll(/\(\?P?<(\w{1,60})>/g)) made.add(capture[1] ?? '');
  }
  // What another file sets is known only where this one stands alone.
  const alone = !includes || whole;
  const others = [...context.siblings]
    .filter(([other]) => other !== path && /\.conf$/.test(other))
    .map(([, text]) => text);
  return every.flatMap(({ name, args, at }): NginxFault[] =>
    args.flatMap((arg): NginxFault[] =>
      [...arg.matchAll(/\$(?:\{(\w{1,60})\}|([a-z_]\w{0,60}))/g)].flatMap((match): NginxFault[] => {
        const variable = match[1] ?? match[2] ?? '';
        if (
          made.has(variable) ||
          FREE.test(variable) ||
          /^[A-Z]/.test(variable) ||
          name === 'set' ||
          name === 'log_format'
        )
          return [];
        if (/^(?:rewrite|location|server_name|if)$/.test(name) || others.some((text) => text.includes(`$${variable}`)))
          return [];
        const severity = alone ? 'error' : 'warning';
        return [{ rule: 'unknown-variable', severity, message: `Nothing sets the variable "$${variable}".`, at }];
      }),
    ),
  );
}
