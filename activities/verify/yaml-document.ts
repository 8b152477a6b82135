import { type Document, isAlias, isMap, isScalar, Lexer, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { Finding } from '../../plan/types';
import { bracketDepth, indicatorRun, MAX_DEPTH } from './nesting';

/** A YAML file that passed the scans; `documents` is empty where it did not. */
export interface YamlFile {
  documents: Document.Parsed[];
  findings: Finding[];
  /** 1-based place of a node. */
  place(node: unknown): { line: number; column: number } | Record<string, never>;
}

/** Counts `[` in strings and scripts too, hence the room above MAX_DEPTH; 1,000 cost the parser 10 ms. */
const MAX_BRACKETS = 1000;
const MAX_INDENT = 1000;
/** The parser takes 2 s for a megabyte, and 8 s for one of quotation marks. */
const MAX_YAML_LENGTH = 262_144;
const MAX_ALIASES = 100;
/** The parser's work grows with lines and tokens: 130,000 lines of one bracket each took it 5 s, 20,000 take a fraction of one. */
const MAX_LINES = 20_000;
const MAX_TOKENS = 150_000;
/** One mistake can bring an error a line; nobody reads more than these. */
const MAX_FAULTS = 200;

/** Local tags that a file's own reader understands. */
const LOCAL_TAGS: readonly { paths: RegExp; tags: RegExp }[] = [
  { paths: /(?:^|\/)\.gitlab-ci\.ya?ml$|(?:^|\/)\.gitlab\//, tags: /!reference\b/ },
  { paths: /(?:^|\/)(?:docker-)?compose[^/]*\.ya?ml$/, tags: /!(?:reset|override)\b/ },
  { paths: /(?:^|\/)(?:ansible|playbooks?|roles|group_vars|host_vars|inventory)\b/, tags: /!(?:vault|unsafe)\b/ },
  {
    paths: /(?:^|\/)(?:cloudformation|cfn|template)[^/]*(?:\/.*)?\.ya?ml$/i,
    tags: /!(?:Ref|Sub|GetAtt|Join|If|Equals|Not|And|Or|FindInMap|Select|Split|Base64|Cidr|GetAZs|ImportValue|Condition)\b/,
  },
];

const parsed = new WeakMap<object, YamlFile>();

/** As `parseYaml`, once for all verifiers that look at a file: parsing is most of their work. Do not change the documents. */
export function yamlOf(subject: { readonly path: string; readonly text: string }): YamlFile {
  const known = parsed.get(subject) ?? parseYaml(subject.text, subject.path);
  parsed.set(subject, known);
  return known;
}

/**
 * Parses YAML 1.2 that may be hostile: nesting is measured before the parser sees the text (T12), aliases are counted
 * (T11), duplicate keys, unknown tags and `__proto__` are errors (T13).
 *
 * @param path decides which local tags are known
 */
export function parseYaml(text: string, path: string): YamlFile {
  const lineCounter = new LineCounter();
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = lineCounter.linePos(offset);
    return { line, column: col };
  };
  const place = (node: unknown): { line: number; column: number } | Record<string, never> => {
    const offset = rangeStart(node);
    return offset === null ? {} : at(offset);
  };
  const refuse = (rule: string, message: string): YamlFile => ({
    documents: [],
    findings: [{ rule, severity: 'error', message }],
    place,
  });
  if (text.length > MAX_YAML_LENGTH) {
    return refuse('too-large', `The document has ${text.length} characters; at most ${MAX_YAML_LENGTH} are accepted.`);
  }
  if (bracketDepth(text) > MAX_BRACKETS || indicatorRun(text) > MAX_DEPTH || deepestIndent(text) > MAX_INDENT) {
    return refuse('too-deep', `The document is nested deeper than ${MAX_DEPTH} levels.`);
  }
  const much = tooMuch(text);
  if (much !== null) return refuse('too-large', much);
  // The parser's own search for duplicate keys is quadratic (20 s for 70,000 keys); `inspect` does it with a set.
  const read = parseAllDocuments(text, {
    uniqueKeys: false,
    version: '1.2',
    merge: true,
    lineCounter,
    prettyErrors: false,
  });
  const documents = Array.isArray(read) ? read : [];
  const findings: Finding[] = [];
  for (const document of documents) {
    for (const fault of document.errors.slice(0, MAX_FAULTS)) {
      findings.push({
        rule: ruleName(fault.code),
        severity: 'error',
        message: fault.message,
        ...at(fault.pos[0]),
      });
    }
    for (const warning of document.warnings.slice(0, MAX_FAULTS)) {
      if (LOCAL_TAGS.some(({ paths, tags }) => paths.test(path) && tags.test(warning.message))) continue;
      const severity = warning.code === 'TAG_RESOLVE_FAILED' ? 'error' : 'warning';
      findings.push({
        rule: ruleName(warning.code),
        severity,
        message: warning.message,
        ...at(warning.pos[0]),
      });
    }
    findings.push(...inspect(document, place));
    if (findings.length > MAX_FAULTS) break;
  }
  return { documents, findings, place };
}

/**
 * A document as plain values, with merges and aliases resolved. Only for documents without error findings.
 *
 * @throws ReferenceError when aliases expand to more than the limit
 */
function toPlain(document: Document.Parsed): unknown {
  return document.toJS({ maxAliasCount: MAX_ALIASES });
}

function inspect(document: Document.Parsed, place: YamlFile['place']): Finding[] {
  const findings: Finding[] = [];
  let aliases = 0;
  visit(document, (_key, node, ancestors) => {
    if (ancestors.length > 2 * MAX_DEPTH) {
      findings.push({
        rule: 'too-deep',
        severity: 'error',
        message: `Nested deeper than ${MAX_DEPTH} levels.`,
        ...place(node),
      });
      return visit.BREAK;
    }
    if (isAlias(node)) aliases++;
    if (isMap(node)) {
      const seen = new Set<string>();
      for (const { key } of node.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        const where = place(key);
        if (name === '__proto__') {
          findings.push({ rule: 'proto-key', severity: 'error', message: 'The key "__proto__" is refused.', ...where });
        }
        if (seen.has(name) && name !== '<<') {
          findings.push({
            rule: 'duplicate-key',
            severity: 'error',
            message: `The key "${name}" stands twice.`,
            ...where,
          });
        }
        seen.add(name);
      }
    }
    return undefined;
  });
  if (findings.length > 0 || aliases === 0 || document.errors.length > 0) return findings;
  try {
    toPlain(document);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    findings.push({ rule: 'alias', severity: 'error', message: `The aliases cannot be resolved: ${message}` });
  }
  return findings;
}

function rangeStart(node: unknown): number | null {
  if (typeof node !== 'object' || node === null || !('range' in node)) return null;
  const range: unknown = node.range;
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : null;
}

/** Why the parser would be busy too long; null where it would not. A token has at least one character, so short texts need no count. */
function tooMuch(text: string): string | null {
  let lines = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++;
  if (lines > MAX_LINES) return `The document has ${lines} lines; at most ${MAX_LINES} are accepted.`;
  if (text.length <= MAX_TOKENS) return null;
  let tokens = 0;
  for (const _token of new Lexer().lex(text)) {
    if (++tokens > MAX_TOKENS) return `The document has more than ${MAX_TOKENS} words and signs.`;
  }
  return null;
}

/** The parser's error codes in our spelling: DUPLICATE_KEY → duplicate-key. */
function ruleName(code: string): string {
  return code.toLowerCase().replaceAll('_', '-');
}

function deepestIndent(text: string): number {
  let deepest = 0;
  let run = 0;
  let atStart = true;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '\n') {
      run = 0;
      atStart = true;
    } else if (atStart && character === ' ') run++;
    else {
      if (atStart && run > deepest) deepest = run;
      atStart = false;
    }
  }
  return deepest;
}
