/** Metrics in Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */

export interface Sample {
  /** `_bucket`, `_sum`, `_count` of a histogram; nothing otherwise. */
  suffix?: string;
  labels: { readonly [name: string]: string };
  value: number;
}

export interface Family {
  /** In base units: seconds, bytes. */
  name: string;
  help: string;
  type: 'gauge' | 'counter' | 'histogram';
  samples: readonly Sample[];
}

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');

function line(name: string, { suffix = '', labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, of]) => `${label}="${escapeLabel(of)}"`);
  const number = Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN';
  return `${name}${suffix}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${number}\n`;
}

/** @returns one text; a family without samples is left out */
export function exposition(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(
      ({ name, help, type, samples }) =>
        `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${samples.map((sample) => line(name, sample)).join('')}`,
    )
    .join('');
}

/**
 * A cumulative histogram over values.
 * @param bounds upper bounds in ascending order; `+Inf` is added
 */
export function histogram(
  values: readonly number[],
  bounds: readonly number[],
  labels: Sample['labels'],
): readonly Sample[] {
  const upTo = (bound: number): number => values.filter((value) => value <= bound).length;
  return [
    ...bounds.map((bound) => ({ suffix: '_bucket', labels: { ...labels, le: String(bound) }, value: upTo(bound) })),
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: values.length },
    { suffix: '_sum', labels, value: values.reduce((sum, value) => sum + value, 0) },
    { suffix: '_count', labels, value: values.length },
  ];
}
