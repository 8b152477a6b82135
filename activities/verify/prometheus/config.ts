import { dig, isRecord, list, text } from '../values';
import { checkDuration, checkKeys, milliseconds, type Report, words } from './report';

const TOP = words(
  'global rule_files scrape_config_files scrape_configs alerting remote_write remote_read storage tracing runtime otlp',
);
const GLOBAL =
  words(`scrape_interval scrape_timeout scrape_protocols evaluation_interval rule_query_offset external_labels query_log_file scrape_failure_log_file
  body_size_limit sample_limit label_limit label_name_length_limit label_value_length_limit target_limit keep_dropped_targets metric_name_validation_scheme
  metric_name_escaping_scheme always_scrape_classic_histograms convert_classic_histograms_to_nhcb scrape_native_histograms extra_scrape_metrics`);
const HTTP =
  'basic_auth authorization oauth2 tls_config follow_redirects enable_http2 proxy_url no_proxy proxy_from_environment proxy_connect_header http_headers bearer_token bearer_token_file';
const SCRAPE =
  words(`job_name scrape_interval scrape_timeout scrape_protocols scrape_fallback_protocol always_scrape_classic_histograms
  scrape_classic_histograms convert_classic_histograms_to_nhcb scrape_native_histograms metrics_path honor_labels honor_timestamps track_timestamps_staleness scheme params
  enable_compression static_configs relabel_configs metric_relabel_configs body_size_limit sample_limit label_limit label_name_length_limit label_value_length_limit
  target_limit keep_dropped_targets metric_name_validation_scheme metric_name_escaping_scheme native_histogram_bucket_limit native_histogram_min_bucket_factor scrape_failure_log_file
  extra_scrape_metrics fallback_scrape_protocol ${HTTP}
  ${'aws azure consul digitalocean dns docker dockerswarm ec2 eureka file gce hetzner http ionos kubernetes kuma lightsail linode marathon nerve nomad openstack outscale ovhcloud puppetdb scaleway serverset stackit triton uyuni vultr'
    .split(' ')
    .map((name) => `${name}_sd_configs`)
    .join(' ')}`);
const RELABEL = words('source_labels separator target_label regex modulus replacement action if labels match');
const ACTIONS = words(
  'replace lowercase uppercase keep drop keepequal dropequal hashmod labelmap labeldrop labelkeep keep_if_equal drop_if_equal graphite',
);

/** `prometheus.yml`. */
export function configFindings(value: Record<string, unknown>, report: Report): void {
  checkKeys(value, TOP, 'The configuration', [], report);
  if (isRecord(value.global)) {
    checkKeys(value.global, GLOBAL, '`global`', ['global'], report);
    for (const key of ['scrape_interval', 'scrape_timeout', 'evaluation_interval'])
      checkDuration(value.global[key], ['global', key], report);
    timeout(value.global, ['global'], report, value.global);
  }
  if (value.rule_files !== undefined && value.rule_files !== null && !Array.isArray(value.rule_files))
    report('structure', 'error', '`rule_files` is a list of paths.', ['rule_files']);
  if (value.scrape_configs !== undefined && value.scrape_configs !== null && !Array.isArray(value.scrape_configs))
    report('structure', 'error', '`scrape_configs` is a list.', ['scrape_configs']);
  const names = new Set<string>();
  list(value.scrape_configs).forEach((one, index) => {
    const at = ['scrape_configs', index];
    if (!isRecord(one)) {
      report('structure', 'error', 'A scrape configuration is a mapping.', at);
      return;
    }
    const name = text(one.job_name);
    if (name === '') report('job-name', 'error', 'The scrape configuration has no `job_name`.', at);
    else if (names.has(name))
      report('job-name', 'error', `Two scrape configurations are named "${name.slice(0, 80)}".`, [...at, 'job_name']);
    names.add(name);
    checkKeys(one, SCRAPE, 'A scrape configuration', at, report);
    scrape(one, at, report, value.global);
  });
  const managers = dig(value, 'alerting', 'alertmanagers');
  if (managers !== undefined && managers !== null && !Array.isArray(managers))
    report('structure', 'error', '`alertmanagers` is a list.', ['alerting', 'alertmanagers']);
  if (isRecord(value.alerting))
    checkKeys(value.alerting, words('alertmanagers alert_relabel_configs'), '`alerting`', ['alerting'], report);
  list(managers).forEach((one, index) => {
    targets(dig(one, 'static_configs'), ['alerting', 'alertmanagers', index, 'static_configs'], report);
  });
  for (const side of ['remote_write', 'remote_read']) {
    list(value[side]).forEach((one, index) => {
      if (text(dig(one, 'url')) === '') report('url', 'error', `An entry of ${side} has no \`url\`.`, [side, index]);
    });
  }
}

function scrape(one: Record<string, unknown>, at: (string | number)[], report: Report, global: unknown): void {
  for (const key of ['scrape_interval', 'scrape_timeout']) checkDuration(one[key], [...at, key], report);
  timeout(one, at, report, isRecord(global) ? global : {});
  if (one.scheme !== undefined && one.scheme !== 'http' && one.scheme !== 'https')
    report('scheme', 'error', '`scheme` is http or https.', [...at, 'scheme']);
  if (typeof one.metrics_path === 'string' && !one.metrics_path.startsWith('/'))
    report('metrics-path', 'error', '`metrics_path` begins with "/".', [...at, 'metrics_path']);
  targets(one.static_configs, [...at, 'static_configs'], report);
  for (const section of ['relabel_configs', 'metric_relabel_configs']) {
    list(one[section]).forEach((rule, index) => {
      relabel(rule, [...at, section, index], report);
    });
  }
}

function timeout(
  one: Record<string, unknown>,
  at: (string | number)[],
  report: Report,
  global: Record<string, unknown>,
): void {
  const limit = milliseconds(one.scrape_timeout);
  const interval = milliseconds(one.scrape_interval ?? global.scrape_interval ?? '1m');
  if (limit !== null && interval !== null && limit > interval)
    report('timeout', 'error', '`scrape_timeout` is longer than `scrape_interval`.', [...at, 'scrape_timeout']);
}

function targets(value: unknown, at: (string | number)[], report: Report): void {
  if (value === undefined || value === null) return;
  if (!Array.isArray(value)) {
    report('structure', 'error', '`static_configs` is a list.', at);
    return;
  }
  value.forEach((group: unknown, index) => {
    if (isRecord(group))
      checkKeys(group, words('targets labels'), 'An entry of `static_configs`', [...at, index], report);
    const found = dig(group, 'targets');
    if (found !== undefined && found !== null && !Array.isArray(found))
      report('structure', 'error', '`targets` is a list.', [...at, index, 'targets']);
    for (const target of list(found)) {
      const address = String(target);
      if (/^https?:\/\/[^/]*$/.test(address) && !/probe|blackbox/.test(JSON.stringify(at))) {
        report(
          'target',
          'warning',
          `"${address.slice(0, 80)}" is taken as it is only where it is relabelled; a target is HOST:PORT, and \`scheme\` says https.`,
          [...at, index, 'targets'],
        );
      }
      const port = /^[^/]*:(\d+)$/.exec(address)?.[1];
      if (port !== undefined && Number(port) > 65_535)
        report('target', 'error', `"${address.slice(0, 80)}" has no port (1 to 65535).`, [...at, index, 'targets']);
    }
  });
}

function relabel(rule: unknown, at: (string | number)[], report: Report): void {
  if (!isRecord(rule)) return;
  checkKeys(rule, RELABEL, 'A relabelling', at, report);
  const action = rule.action === undefined ? 'replace' : text(rule.action).toLowerCase();
  if (!ACTIONS.has(action))
    report('relabel', 'error', `"${text(rule.action).slice(0, 40)}" is not an action of a relabelling.`, [
      ...at,
      'action',
    ]);
  if (
    ['replace', 'hashmod', 'lowercase', 'uppercase', 'keepequal', 'dropequal'].includes(action) &&
    rule.target_label === undefined
  )
    report('relabel', 'error', `The action "${action}" needs \`target_label\`.`, at);
  if (rule.source_labels !== undefined && !Array.isArray(rule.source_labels))
    report('relabel', 'error', '`source_labels` is a list.', [...at, 'source_labels']);
  if (typeof rule.regex === 'string' && !parentheses(rule.regex))
    report('relabel', 'error', 'The expression has a parenthesis that is not closed.', [...at, 'regex']);
}

/** Go's expressions are not ours, and one that is not balanced is wrong in both. */
function parentheses(pattern: string): boolean {
  let depth = 0;
  for (const character of pattern.replace(/\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]/g, '')) {
    if (character === '(') depth++;
    else if (character === ')' && --depth < 0) return false;
  }
  return depth === 0;
}
