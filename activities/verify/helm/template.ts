import type { Finding } from '../../../plan/types';
import { lineColumn } from '../findings';
import { hint } from '../near';

/** Functions of Go's templates, of sprig as Helm has it, and of Helm. */
const FUNCTIONS: ReadonlySet<string> = new Set(
  `and or not eq ne lt le gt ge len index slice print printf println html js urlquery call break continue define template block with range if else end
  include tpl required lookup toYaml toYamlPretty fromYaml fromYamlArray toJson fromJson fromJsonArray toToml fromToml mustToYaml mustToJson mustFromJson toPrettyJson mustToPrettyJson toRawJson mustToRawJson
  abbrev abbrevboth add add1 add1f addf adler32sum ago all any append atoi b32dec b32enc b64dec b64enc base basic bcrypt buildCustomCert camelcase cat ceil chunk clean coalesce compact concat contains
  date dateInZone dateModify date_in_zone date_modify decryptAES deepCopy deepEqual default derivePassword dict dig dir div divf duration durationRound empty encryptAES ext fail first float64 floor
  fromJson genCA genCAWithKey genPrivateKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey get getHostByName has hasKey hasPrefix hasSuffix hello htmlDate htmlDateInZone
  htpasswd indent initial initials int int64 isAbs join kebabcase keys kindIs kindOf last list lower max maxf merge mergeOverwrite min minf mod mul mulf mustAppend mustChunk mustCompact mustDateModify
  mustDeepCopy mustFirst mustHas mustInitial mustLast mustMerge mustMergeOverwrite mustPrepend mustPush mustRegexFind mustRegexFindAll mustRegexMatch mustRegexReplaceAll mustRegexReplaceAllLiteral
  mustRegexSplit mustRest mustReverse mustSlice mustToDate mustUniq mustWithout must_date_modify nindent nospace now omit osBase osClean osDir osExt osIsAbs pick pluck plural prepend push quote randAlpha
  randAlphaNum randAscii randBytes randInt randNumeric regexFind regexFindAll regexMatch regexQuoteMeta regexReplaceAll regexReplaceAllLiteral regexSplit repeat replace rest reverse round semver
  semverCompare seq set sha1sum sha256sum sha512sum shuffle snakecase sortAlpha split splitList splitn squote sub subf substr swapcase ternary title toDate toDecimal toString toStrings trim trimAll trimPrefix
  trimSuffix trimall trunc tuple typeIs typeIsLike typeOf uniq unixEpoch unset until untilStep untitle upper urlJoin urlParse uuidv4 values without wrap wrapWith env expandenv bitand true false nil`
    .trim()
    .split(/\s+/),
);

const OPENERS = new Set(['if', 'range', 'with', 'define', 'block']);
const MAX_DEPTH = 100;

export interface Chart {
  /** Values of the chart; null where they are not known. */
  values: unknown;
  /** Names that the chart's templates define; null where a dependency may define more. */
  defined: ReadonlySet<string> | null;
}

type Reporter = (rule: string, severity: Finding['severity'], message: string, at: number) => void;

/** Actions of a Go template: balance, functions, names of templates, values. What is rendered is not looked at. */
export function templateFindings(text: string, chart: Chart): Finding[] {
  const findings: Finding[] = [];
  const report: Reporter = (rule, severity, message, at) =>
    void findings.push({ rule, severity, message, ...lineColumn(text, at) });
  const open: { word: string; at: number }[] = [];
  let index = 0;
  for (;;) {
    const at = text.indexOf('{{', index);
    const stray = text.slice(index, at === -1 ? text.length : at).search(/\}\}/);
    // JSON in a chart's text may end with two braces; only what is left open is surely wrong.
    if (stray !== -1 && !/[}\])\w"]\}\}/.test(text.slice(index + stray - 1, index + stray + 3)))
      report('stray', 'warning', 'A "}}" closes no action.', index + stray);
    if (at === -1) break;
    const end = actionEnd(text, at + 2);
    if (end === -1) {
      report('unclosed', 'error', 'An action "{{" is not closed.', at);
      return findings;
    }
    const body = text
      .slice(at + 2, end)
      .replace(/^-\s/, '')
      .replace(/\s-$/, '')
      .trim();
    index = end + 2;
    if (body.startsWith('/*')) continue;
    if (body === '') report('empty', 'error', 'The action is empty.', at);
    action(body, at, open, report);
    if (open.length > MAX_DEPTH) {
      report('too-deep', 'error', `Nested deeper than ${MAX_DEPTH} levels.`, at);
      return findings;
    }
    calls(body, at, report);
    names(body, at, chart, report);
    values(body, at, chart, report);
  }
  for (const { word, at } of open) report('no-end', 'error', `\`{{ ${word} }}\` has no \`{{ end }}\`.`, at);
  return findings;
}

function actionEnd(text: string, from: number): number {
  if (/^-?\s*\/\*/.test(text.slice(from, from + 20))) {
    const end = text.indexOf('*/', from);
    return end === -1 ? -1 : text.indexOf('}}', end);
  }
  for (let index = from; index < text.length; index++) {
    const character = text[index];
    if (character === '"' || character === '`') {
      const start = index;
      for (index++; index < text.length && text[index] !== character; index++) {
        if (character === '"' && text[index] === '\\') index++;
        if (character === '"' && text[index] === '\n') return -1;
      }
      if (index >= text.length || index === start) return -1;
    } else if (character === '}' && text[index + 1] === '}') return index;
    else if (character === '{' && text[index + 1] === '{') return -1;
  }
  return -1;
}

function action(body: string, at: number, open: { word: string; at: number }[], report: Reporter): void {
  const word = /^[a-zA-Z]+/.exec(body)?.[0] ?? '';
  if (OPENERS.has(word)) {
    if (body === word) report('argument', 'error', `\`${word}\` needs an argument.`, at);
    open.push({ word, at });
  } else if (word === 'end') {
    if (!open.pop()) report('stray-end', 'error', '`{{ end }}` closes nothing.', at);
  } else if (word === 'else') {
    const last = open.at(-1);
    if (!last || last.word === 'define' || last.word === 'block')
      report('stray-else', 'error', '`{{ else }}` belongs to no `if`, `range` or `with`.', at);
  }
  let depth = 0;
  for (const character of body.replace(/"(?:\\.|[^"\\])*"|`[^`]*`/g, '')) {
    if (character === '(') depth++;
    else if (character === ')') depth--;
    if (depth < 0) break;
  }
  if (depth !== 0) report('parentheses', 'error', 'The parentheses of the action do not match.', at);
  if (/\|\s*(?:\||$)/.test(body.replace(/"(?:\\.|[^"\\])*"|`[^`]*`/g, '""')))
    report('pipe', 'error', 'A "|" leads to nothing.', at);
}

/** Words where a function must stand: at the start, after "(", "|" and `else if`. */
function calls(body: string, at: number, report: Reporter): void {
  const bare = body.replace(/"(?:\\.|[^"\\])*"|`[^`]*`/g, '""');
  for (const match of bare.matchAll(
    /(?:^|[(|]|:=|(?<![:!<>])=|\b(?:if|else if|with|range|and|or|not)\s)\s*([a-zA-Z_]\w*)/g,
  )) {
    const name = match[1] ?? '';
    if (!FUNCTIONS.has(name))
      report('unknown-function', 'error', `There is no function "${name.slice(0, 60)}".${hint(name, FUNCTIONS)}`, at);
  }
}

function names(body: string, at: number, { defined }: Chart, report: Reporter): void {
  if (!defined) return;
  for (const match of body.matchAll(/\b(?:include|template)\s+"([^"]{1,200})"/g)) {
    const name = match[1] ?? '';
    if (!defined.has(name))
      report(
        'unknown-template',
        'error',
        `No template "${name.slice(0, 80)}" is defined in this chart.${hint(name, defined)}`,
        at,
      );
  }
}

function values(body: string, at: number, chart: Chart, report: Reporter): void {
  if (chart.values === null) return;
  for (const match of body.matchAll(/(?:^|[\s($])\$?\.Values((?:\.[A-Za-z_]\w{0,60}){1,12})/g)) {
    const path = (match[1] ?? '').slice(1).split('.');
    let value = chart.values;
    for (const [depth, key] of path.entries()) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) break;
      if (Object.hasOwn(value, key)) {
        value = Reflect.get(value, key);
        continue;
      }
      // An optional value is often absent; one that is a letter away from another is a slip.
      const near = hint(key, Object.keys(value));
      report(
        'unknown-value',
        near === '' ? 'info' : 'warning',
        `values.yaml has no "${path
          .slice(0, depth + 1)
          .join('.')
          .slice(0, 100)}".${near}`,
        at,
      );
      break;
    }
  }
}

/** Names that `define` and `block` give in a template. */
export function definedNames(text: string): string[] {
  return [...text.matchAll(/\{\{-?\s*(?:define|block)\s+"([^"]{1,200})"/g)].map((match) => match[1] ?? '');
}
