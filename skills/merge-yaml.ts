import { isMap, isScalar, isSeq, parseDocument } from 'yaml';

/**
 * What may be added to a YAML file that a maintainer already has. As in merge.ts, nothing that stands there changes: text is
 * only put at the end, or at the end of one list. A file that is not plain YAML comes back as it is.
 */

const ADDED = '# Added by Planwright.';

/** Keys of a GitLab pipeline that are no jobs (docs "CI/CD YAML syntax reference", global keywords). */
const GLOBAL = new Set(
  'default include stages variables workflow spec image services cache before_script after_script pages'.split(' '),
);

/**
 * Appends the jobs of `fresh` that `existing` has neither by name nor by what they run. A pipeline that takes its jobs from
 * elsewhere, or whose stages are others, is left alone: what is missing there cannot be told by reading it.
 */
export function appendJobs(existing: string, fresh: string): string {
  const before = parsed(existing);
  const after = parsed(fresh);
  if (!before || !after || before.include !== undefined || /^\s*extends:|!reference/m.test(existing)) return existing;
  const stages = Array.isArray(before.stages) ? before.stages : ['build', 'test', 'deploy'];
  const missing = jobTexts(fresh).filter(({ name }) => {
    const job = after[name];
    const scripts = scriptsOf(job);
    const known = scripts.some((line) => existing.includes(line));
    const stage = isRecord(job) && typeof job.stage === 'string' ? job.stage : 'test';
    return before[name] === undefined && !known && scripts.length > 0 && stages.includes(stage);
  });
  return missing.length === 0
    ? existing
    : `${withGap(existing)}${ADDED}\n${missing.map(({ text }) => text).join('\n')}`;
}

/** Appends to `scrape_configs` the jobs of `fresh` whose name and target `existing` does not have. */
export function appendScrapes(existing: string, fresh: string): string {
  const document = parseDocument(existing, { uniqueKeys: true });
  const list = document.errors.length === 0 ? document.get('scrape_configs', true) : null;
  if (!isSeq(list) || list.flow || !list.range) return existing;
  const names = list.items.flatMap((item) => {
    const name = isMap(item) ? item.get('job_name') : null;
    return typeof name === 'string' ? [name] : [];
  });
  const jobs = fresh
    .slice(fresh.indexOf('scrape_configs:'))
    .split(/^(?= {2}- )/m)
    .slice(1);
  const missing = jobs.filter((job) => {
    const name = /job_name: '?([^'\n]+)/.exec(job)?.[1] ?? '';
    const target = /targets: \['([^']+)'\]/.exec(job)?.[1] ?? '';
    return !names.includes(name) && !existing.includes(target) && name !== 'prometheus';
  });
  if (missing.length === 0) return existing;
  const indent = dashColumn(existing, list.range[0]);
  if (indent === null) return existing;
  const text = missing.join('').trimEnd().replace(/^ {2}/gm, ' '.repeat(indent));
  const end = endOf(existing, list.range[1]);
  const head = existing.slice(0, end);
  const note = `${' '.repeat(indent)}${ADDED}`;
  return `${head}${head.endsWith('\n') ? '' : '\n'}${note}\n${text}\n${existing.slice(end)}`;
}

/** The column of a list's dashes; null where its line holds something before the first. */
function dashColumn(text: string, at: number): number | null {
  const start = text.lastIndexOf('\n', at) + 1;
  const before = text.slice(start, text.indexOf('-', start));
  return /^ *$/.test(before) ? before.length : null;
}

/** The end of the line in which a node's value ends. */
function endOf(text: string, at: number): number {
  const back = text.slice(0, at).trimEnd().length;
  const line = text.indexOf('\n', back);
  return line < 0 ? text.length : line + 1;
}

function withGap(text: string): string {
  if (text === '' || text.endsWith('\n\n')) return text;
  return text.endsWith('\n') ? `${text}\n` : `${text}\n\n`;
}

const isRecord = (value: unknown): value is { [key: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parsed(text: string): { [key: string]: unknown } | null {
  const document = parseDocument(text, { uniqueKeys: true });
  if (document.errors.length > 0 || document.warnings.length > 0) return null;
  const value: unknown = document.toJS({ maxAliasCount: 20 });
  return isRecord(value) ? value : null;
}

function scriptsOf(job: unknown): string[] {
  const script = isRecord(job) ? job.script : undefined;
  return (Array.isArray(script) ? script : [script]).filter((line): line is string => typeof line === 'string');
}

/** The jobs of a pipeline that we rendered, each with the text of its lines. */
function jobTexts(pipeline: string): { name: string; text: string }[] {
  const document = parseDocument(pipeline);
  const keys = isMap(document.contents) ? document.contents.items.map(({ key }) => key) : [];
  const marks = keys.flatMap((key) =>
    isScalar(key) && key.range ? [{ name: String(key.value), at: key.range[0] }] : [],
  );
  return marks
    .map(({ name, at }, index) => ({ name, text: `${pipeline.slice(at, marks[index + 1]?.at).trimEnd()}\n` }))
    .filter(({ name }) => !GLOBAL.has(name) && !name.startsWith('.'));
}
