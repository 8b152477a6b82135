/**
 * What a secret looks like, and how it is hidden. One table for the verifier, the logs and the prompts, so that
 * they cannot disagree. Pure; every pattern has bounded repetitions and runs in linear time (threat T20).
 */

/** A secret in a text: where it stands, of what kind, and how sure that is. */
export interface SecretHit {
  kind: string;
  /** Offsets in UTF-16 code units; the part that must be hidden is `text.slice(start, end)`. */
  start: number;
  end: number;
  /** `secret`: treat as real. `placeholder`: a literal where a secret belongs, but an evident dummy. */
  certainty: 'secret' | 'placeholder';
}

/** Formats that are secrets wherever they stand. Group 1, where there is one, is the part to hide. */
const FORMATS: readonly { kind: string; pattern: RegExp }[] = [
  {
    kind: 'private-key',
    // Ends at the next run of five dashes, so a file full of headers without ends is still read once only.
    pattern:
      /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----)){0,8192}(?:-----END [A-Z0-9 ]{0,40}-----)?/g,
  },
  { kind: 'aws-access-key-id', pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  {
    kind: 'aws-secret-access-key',
    pattern:
      /(?:aws_?secret|secret_?access_?key|aws_?secret_?access_?key|SecretAccessKey)["']?\s{0,4}[:=]\s{0,4}["']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/gi,
  },
  { kind: 'github-token', pattern: /\bgh[pousr]_[A-Za-z0-9]{30,255}\b/g },
  { kind: 'github-token', pattern: /\bgithub_pat_[A-Za-z0-9_]{20,255}\b/g },
  { kind: 'gitlab-token', pattern: /\bgl(?:pat|dt|rt|ptt)-[A-Za-z0-9_-]{20,255}/g },
  { kind: 'slack-token', pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{10,255}/g },
  {
    kind: 'slack-webhook',
    pattern: /hooks\.slack\.com\/services\/(T[A-Z0-9]{6,20}\/B[A-Z0-9]{6,20}\/[A-Za-z0-9]{16,40})/g,
  },
  // A digit is demanded, since class names such as "sk-loading-spinner-container" have the same form.
  { kind: 'api-key', pattern: /(?<![A-Za-z0-9_-])sk-(?=[A-Za-z_-]{0,200}\d)[A-Za-z0-9_-]{20,255}/g },
  { kind: 'stripe-key', pattern: /\b[sr]k_live_[A-Za-z0-9]{16,255}\b/g },
  { kind: 'npm-token', pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  { kind: 'pypi-token', pattern: /\bpypi-AgE[A-Za-z0-9_-]{50,255}/g },
  { kind: 'google-api-key', pattern: /\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/g },
  {
    kind: 'jwt',
    pattern: /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000}/g,
  },
  { kind: 'bearer-token', pattern: /\bbearer[ \t]{1,4}([A-Za-z0-9._~+/-]{20,2000}={0,2})/gi },
];

/** `name: value` and `NAME=value` where the name's last part says that the value is secret. */
const ASSIGNMENT =
  /(password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|auth[_-]?key|credentials?)["']?[ \t]{0,8}[:=][ \t]{0,8}(?:"([^"\r\n]{1,300})"|'([^'\r\n]{1,300})'|([^\s"'#,;&|)}\]]{1,300}))/gi;

const URL_PASSWORD = /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/"'<>`]{0,100}:([^\s@/"'`]{1,200})@/gi;

/** Names that end like a secret's and are none. */
const HARMLESS_NAMES = new Set([
  'nopasswd',
  'id-token',
  'id_token',
  'persist-credentials',
  'automountserviceaccounttoken',
]);

/** Words that say "this is no real secret"; a value made of them alone, with digits and separators, is a placeholder. */
const DUMMY_WORDS = (
  'a an and cassandra admin app changeit changeme change me ci data database db default demo dev development dummy example fake ' +
  'foo bar baz fixme guest here in insert it key local localhost localdev minio mongo mongodb my mysql mariadb none ' +
  'not null pass password passwd pg placeholder please postgres postgresql prod production pwd rabbitmq redacted redis ' +
  'replace root sample secret set super test testing the this todo token user value xxx x your you api masked super supersecret strong use only for'
).split(' ');

/**
 * Tells what a value stands for where a secret is expected.
 *
 * `reference`: points elsewhere (`$VAR`, `${{ secrets.X }}`, `{{ x }}`, a path, a call) or is empty, a boolean and the
 * like; `placeholder`: an evident dummy such as "changeme" or "postgres"; `literal`: everything else.
 */
export function classifyValue(value: string): 'reference' | 'placeholder' | 'literal' {
  const text = value.trim();
  if (text === '' || /^[${[]/.test(text) || /^(?:\.{0,2}\/|~\/)/.test(text)) return 'reference';
  // YAML's anchors, aliases, tags and block scalars; %NAME% of Windows.
  if (/^(?:[&*!][A-Za-z_][\w-]*|[|>][+-]?\d?|~|%\w+%)$/.test(text)) return 'reference';
  if (/\$\{|\$\(|\{\{|\$[A-Za-z_]|^[\w.]+\(|<%/.test(text)) return 'reference';
  if (/^(?:true|false|null|none|yes|no|on|off|read|write|required|optional|string|undefined)[;,]?$/i.test(text))
    return 'reference';
  if (
    /^(?:process\.env|os\.environ|env|var|local|data|module|secrets|inputs|vars|params|self|this|config|options)\./.test(
      text,
    )
  ) {
    return 'reference';
  }
  if (/^<[^>]{0,100}>$/.test(text) || /^[.*x_•…-]+$/i.test(text)) return 'placeholder';
  return madeOfDummyWords(text) ? 'placeholder' : 'literal';
}

/**
 * Finds secrets: known formats first, then literals after telling names, then passwords in URLs.
 *
 * @returns hits in order of position, none overlapping
 */
export function findSecrets(text: string): SecretHit[] {
  const hits: SecretHit[] = [];
  for (const { kind, pattern } of FORMATS) {
    for (const match of text.matchAll(pattern)) {
      const secret = match[1] ?? match[0];
      const start = match.index + match[0].lastIndexOf(secret);
      hits.push({ kind, start, end: start + secret.length, certainty: 'secret' });
    }
  }
  for (const match of text.matchAll(ASSIGNMENT)) {
    const value = match[2] ?? match[3] ?? match[4] ?? '';
    const name = wholeName(text, match.index, match[1] ?? '');
    if (HARMLESS_NAMES.has(name.toLowerCase())) continue;
    const sort = classifyValue(value);
    if (sort === 'reference') continue;
    const isPassword = /(?:password|passwd|passphrase|pwd)$/i.test(name);
    // "secret: tls-cert" and "token: deploy" name things; only a value that looks random counts after such names.
    if (!isPassword && (sort === 'placeholder' || !looksRandom(value))) continue;
    const start = match.index + match[0].lastIndexOf(value);
    const kind = isPassword ? 'password' : 'secret-value';
    hits.push({ kind, start, end: start + value.length, certainty: sort === 'literal' ? 'secret' : 'placeholder' });
  }
  for (const match of text.matchAll(URL_PASSWORD)) {
    const value = match[1] ?? '';
    const sort = classifyValue(value);
    if (sort === 'reference') continue;
    const start = match.index + match[0].length - 1 - value.length;
    hits.push({
      kind: 'url-password',
      start,
      end: start + value.length,
      certainty: sort === 'literal' ? 'secret' : 'placeholder',
    });
  }
  return withoutOverlaps(hits);
}

/**
 * Replaces every secret in a text by `[masked <kind>]`. Placeholders and references stay, so that a masked prompt or
 * log line still reads. Idempotent: masking a masked text changes nothing.
 */
export function maskSecrets(text: string): string {
  const masked = maskOnce(text);
  // What stood beside a secret may look like one only now, where two were joined without a gap.
  return masked === text ? text : maskSecrets(masked);
}

function maskOnce(text: string): string {
  let masked = '';
  let from = 0;
  for (const hit of findSecrets(text)) {
    if (hit.certainty !== 'secret') continue;
    masked += `${text.slice(from, hit.start)}[masked ${hit.kind}]`;
    from = hit.end;
  }
  return masked + text.slice(from);
}

function madeOfDummyWords(value: string): boolean {
  const letters = value.toLowerCase().replace(/[^a-z]/g, '');
  if (letters.length === 0) return value.length < 6;
  if (letters.length > 48 || /\d{5,}/.test(value) || /[^\w .:!-]/.test(value)) return false;
  // reachable[i]: the first i letters can be cut into dummy words.
  const reachable = [true];
  for (let end = 1; end <= letters.length; end++) {
    reachable[end] = DUMMY_WORDS.some(
      (word) => word.length <= end && reachable[end - word.length] === true && letters.endsWith(word, end),
    );
  }
  return reachable[letters.length] === true;
}

function looksRandom(value: string): boolean {
  return value.length >= 12 && /\d/.test(value) && /[A-Za-z]/.test(value) && !/[\s.:/]/.test(value);
}

/** The name that the matched key word ends: at most 64 characters before it are looked at. */
function wholeName(text: string, index: number, keyWord: string): string {
  const before = /[A-Za-z0-9_.-]*$/.exec(text.slice(Math.max(0, index - 64), index));
  return (before?.[0] ?? '') + keyWord;
}

function withoutOverlaps(hits: SecretHit[]): SecretHit[] {
  const kept: SecretHit[] = [];
  let end = -1;
  // The longer of two hits that begin together says more.
  for (const hit of hits.sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (hit.start < end) continue;
    kept.push(hit);
    end = hit.end;
  }
  return kept;
}

/** Hides secrets in a text. */
export type Mask = (text: string) => string;

/** Short ones stand in too many words. */
const SHORTEST_VALUE = 8;

/** As `maskSecrets`, and hides these values too, which may look like nothing at all. */
export function maskOf(values: readonly string[]): Mask {
  const hidden = [...new Set(values)].filter((value) => value.length >= SHORTEST_VALUE);
  // The longest first: one may be the beginning of another.
  hidden.sort((a, b) => b.length - a.length);
  return (text) => maskSecrets(hidden.reduce((so, value) => so.replaceAll(value, '[masked key]'), text));
}

/** Digests and ids hold no secret, and there are many. */
const HARMLESS_TEXT = /^[0-9a-f-]{0,64}$/;

/** The same value with every text in it masked; keys stay. What is neither text, list nor plain object stays as it is. */
export function maskTexts<T>(value: T, mask: Mask): T {
  return maskedValue(value, mask) as T;
}

function maskedValue(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return HARMLESS_TEXT.test(value) ? value : mask(value);
  if (Array.isArray(value)) return value.map((one: unknown) => maskedValue(one, mask));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, maskedValue(member, mask)]));
}
