import { isMap, isScalar } from 'yaml';
import type { Finding } from '../../../plan/types';
import { hint } from '../near';
import type { Subject, Verifier, VerifyContext } from '../types';
import { dig, isRecord, list, text } from '../values';
import { parseYaml, yamlOf } from '../yaml-document';
import { type Chart, definedNames, templateFindings } from './template';

const MAX_LENGTH = 262_144;
const CHART = /(?:^|\/)Chart\.ya?ml$/;
const VALUES = /(?:^|\/)(?:helm|charts?)\/(?:[^\n]*\/)?values[^/]*\.ya?ml$/;
const TEMPLATE = /(?:^|\/)templates\/[^\n]*\.(?:ya?ml|tpl|txt)$/;

const CHART_KEYS = new Set(
  'apiVersion name version kubeVersion description type keywords home sources dependencies maintainers icon appVersion deprecated annotations condition tags engine tillerVersion'.split(
    ' ',
  ),
);
const DEPENDENCY_KEYS = new Set('name version repository condition tags import-values alias enabled'.split(' '));
/** Semantic Versioning 2.0.0; Helm also takes a "v" and fewer parts. */
const SEMVER = /^v?\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

function chartFile(subject: Subject): Finding[] {
  const { documents, place } = yamlOf(subject);
  const document = documents[0];
  const value: unknown = document?.toJS({ maxAliasCount: 100 });
  const findings: Finding[] = [];
  const report = (rule: string, severity: Finding['severity'], message: string, path: (string | number)[] = []): void =>
    void findings.push({
      rule,
      severity,
      message,
      ...place(path.length === 0 ? document?.contents : document?.getIn(path, true)),
    });
  if (!isRecord(value)) {
    report('structure', 'error', 'Chart.yaml is a mapping.');
    return findings;
  }
  const contents = document?.contents;
  for (const { key } of isMap(contents) ? contents.items : []) {
    const name = isScalar(key) ? String(key.value) : '';
    if (!CHART_KEYS.has(name))
      findings.push({
        rule: 'unknown-key',
        severity: hint(name, CHART_KEYS) === '' ? 'warning' : 'error',
        message: `Chart.yaml has no key "${name.slice(0, 60)}".${hint(name, CHART_KEYS)}`,
        ...place(key),
      });
  }
  if (value.apiVersion !== 'v1' && value.apiVersion !== 'v2')
    report('api-version', 'error', '`apiVersion` is v2 (v1 for Helm 2).', ['apiVersion']);
  if (!/^[a-zA-Z0-9._-]{1,250}$/.test(text(value.name)))
    report('name', 'error', 'The chart needs a `name` of letters, digits and "-".', ['name']);
  if (typeof value.version !== 'string')
    report('version', 'error', 'The chart needs a `version` that is text, as "0.1.0".', ['version']);
  else if (!SEMVER.test(value.version))
    report('version', 'error', `"${value.version.slice(0, 40)}" is not a semantic version.`, ['version']);
  if (value.type !== undefined && value.type !== 'application' && value.type !== 'library')
    report('type', 'error', '`type` is application or library.', ['type']);
  if (value.appVersion !== undefined && typeof value.appVersion !== 'string')
    report('app-version', 'warning', 'Write `appVersion` with quotes: it is text.', ['appVersion']);
  if (value.dependencies !== undefined && value.dependencies !== null && !Array.isArray(value.dependencies))
    report('structure', 'error', '`dependencies` is a list.', ['dependencies']);
  list(value.dependencies).forEach((one, index) => {
    const path = ['dependencies', index];
    if (text(dig(one, 'name')) === '') report('dependency', 'error', 'The dependency has no name.', path);
    if (dig(one, 'version') === undefined && !text(dig(one, 'repository')).startsWith('file:'))
      report('dependency', 'error', 'The dependency has no version.', path);
    for (const key of Object.keys(isRecord(one) ? one : {})) {
      if (!DEPENDENCY_KEYS.has(key))
        report(
          'dependency',
          'error',
          `A dependency has no key "${key.slice(0, 60)}".${hint(key, DEPENDENCY_KEYS)}`,
          path,
        );
    }
  });
  return findings;
}

/** The chart around a template, as far as its files are at hand. */
function chartOf(path: string, own: string, context: VerifyContext): Chart {
  const root = path.slice(0, path.lastIndexOf('templates/'));
  const beside = [...context.siblings].filter(([other]) => other.startsWith(`${root}templates/`));
  const defined = new Set([
    ...definedNames(own),
    ...beside.flatMap(([, content]) => definedNames(content.slice(0, MAX_LENGTH))),
  ]);
  const chart = context.siblings.get(`${root}Chart.yaml`);
  // A chart inside of another one sees what that one defines.
  const closed =
    chart !== undefined &&
    !/\/charts\/[^/]+\/$/.test(`/${root}`.replace(/\/charts\//, '/')) &&
    !/^dependencies:/m.test(chart) &&
    ![...context.siblings.keys()].some((other) => other.startsWith(`${root}charts/`)) &&
    defined.size > 0;
  const values = context.siblings.get(`${root}values.yaml`);
  const [document] = values === undefined ? [] : parseYaml(values, 'values.yaml').documents;
  const usable = document !== undefined && document.errors.length === 0 && !/^dependencies:/m.test(chart ?? '');
  return { values: usable ? document.toJS({ maxAliasCount: 100 }) : null, defined: closed ? defined : null };
}

function run(subject: Subject, context: VerifyContext): { findings: Finding[] } {
  const { path, text: content } = subject;
  if (CHART.test(path)) return { findings: chartFile(subject) };
  if (VALUES.test(path)) {
    const { documents, place } = yamlOf(subject);
    const root = documents[0]?.contents;
    if (!root || isMap(root)) return { findings: [] };
    return { findings: [{ rule: 'structure', severity: 'error', message: 'Values are a mapping.', ...place(root) }] };
  }
  if (content.length > MAX_LENGTH)
    return {
      findings: [
        { rule: 'too-large', severity: 'error', message: `The template is longer than ${MAX_LENGTH} characters.` },
      ],
    };
  return { findings: templateFindings(content, chartOf(path, content, context)) };
}

/** Helm charts: Chart.yaml, values, and the actions of templates; nothing is rendered. */
export const helmVerifier: Verifier = {
  id: 'helm',
  version: 'planwright/1',
  applies: (path, content) =>
    CHART.test(path) || VALUES.test(path) || (TEMPLATE.test(path) && content.includes('{{') && !/\{%/.test(content)),
  after: ['yaml'],
  run,
};
