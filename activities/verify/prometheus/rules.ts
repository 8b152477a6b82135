import { dig, isRecord, text } from '../values';
import { promqlFault } from './promql';
import { checkDuration, checkKeys, type Report, words } from './report';

const TOP = words('groups namespace');
const GROUP = words(
  'name interval limit query_offset rules labels partial_response_strategy source_tenants concurrency type tenant params headers eval_offset eval_delay eval_alignment debug notifier_headers',
);
const ALERT = words('alert expr for keep_firing_for labels annotations debug update_entries_limit');
const RECORD = words('record expr labels debug update_entries_limit');
const LABEL = /^[a-zA-Z_]\w*$/;

/** A file of recording and alerting rules. */
export function ruleFileFindings(value: Record<string, unknown>, report: Report): void {
  checkKeys(value, TOP, 'A file of rules', [], report);
  if (!Array.isArray(value.groups)) {
    report('structure', 'error', 'A file of rules has a list `groups:`.', ['groups']);
    return;
  }
  const names = new Set<string>();
  value.groups.forEach((group: unknown, index) => {
    const at = ['groups', index];
    if (!isRecord(group)) {
      report('structure', 'error', 'A group is a mapping with `name` and `rules`.', at);
      return;
    }
    checkKeys(group, GROUP, 'A group', at, report);
    const name = text(group.name);
    if (name === '') report('group-name', 'error', 'The group has no name.', at);
    else if (names.has(name))
      report('group-name', 'error', `Two groups are named "${name.slice(0, 80)}".`, [...at, 'name']);
    names.add(name);
    checkDuration(group.interval, [...at, 'interval'], report);
    if (group.rules !== undefined && group.rules !== null && !Array.isArray(group.rules))
      report('structure', 'error', '`rules` is a list.', [...at, 'rules']);
    const rules: unknown[] = Array.isArray(group.rules) ? group.rules : [];
    rules.forEach((rule, place) => {
      oneRule(rule, [...at, 'rules', place], report);
    });
  });
}

function oneRule(rule: unknown, at: (string | number)[], report: Report): void {
  if (!isRecord(rule)) {
    report('structure', 'error', 'A rule is a mapping.', at);
    return;
  }
  const isAlert = rule.alert !== undefined;
  if (isAlert && rule.record !== undefined)
    report('structure', 'error', 'A rule has `alert` or `record`, not both.', at);
  else if (!isAlert && rule.record === undefined) report('structure', 'error', 'A rule has `alert` or `record`.', at);
  else checkKeys(rule, isAlert ? ALERT : RECORD, isAlert ? 'An alerting rule' : 'A recording rule', at, report);
  if (rule.record !== undefined && !/^[a-zA-Z_:][\w:]*$/.test(text(rule.record)))
    report('record-name', 'error', `"${String(rule.record).slice(0, 80)}" is not the name of a metric.`, [
      ...at,
      'record',
    ]);
  if (isAlert && text(rule.alert).trim() === '')
    report('structure', 'error', 'The alert has no name.', [...at, 'alert']);
  const expression = typeof rule.expr === 'number' ? String(rule.expr) : rule.expr;
  if (typeof expression !== 'string') report('structure', 'error', 'The rule has no expression (`expr`).', at);
  else if (!/\{\{|\$\{|\$__/.test(expression)) {
    const fault = promqlFault(expression);
    if (fault) report('promql', 'error', fault.message, [...at, 'expr']);
  }
  checkDuration(rule.for, [...at, 'for'], report);
  checkDuration(rule.keep_firing_for, [...at, 'keep_firing_for'], report);
  for (const section of ['labels', 'annotations']) {
    const values = dig(rule, section);
    if (values === undefined || values === null) continue;
    if (!isRecord(values)) {
      report('structure', 'error', `\`${section}\` is a mapping.`, [...at, section]);
      continue;
    }
    for (const [name, label] of Object.entries(values)) {
      const place = [...at, section, name];
      if (!LABEL.test(name)) report('label-name', 'error', `"${name.slice(0, 60)}" is not a name of a label.`, place);
      if (section === 'labels' && (name === '__name__' || name === 'alertname'))
        report('label-name', 'error', `"${name}" is set by Prometheus.`, place);
      if (typeof label === 'object' && label !== null)
        report('structure', 'error', `The value of "${name.slice(0, 60)}" is text.`, place);
      if (typeof label === 'string' && !balanced(label))
        report('template', 'error', `The template of "${name.slice(0, 60)}" has a "{{" or "}}" too many.`, place);
    }
  }
}

/** Whether each `{{` has its `}}`. */
function balanced(template: string): boolean {
  let open = false;
  for (const [token] of template.matchAll(/\{\{|\}\}/g)) {
    if ((token === '{{') === open) return false;
    open = !open;
  }
  return !open;
}
