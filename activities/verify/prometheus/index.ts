import type { Finding } from '../../../plan/types';
import { libraryVersion } from '../library';
import type { Subject, Verifier } from '../types';
import { dig, isRecord } from '../values';
import { yamlOf } from '../yaml-document';
import { nodeOf } from '../yaml-node';
import { alertmanagerFindings } from './alertmanager';
import { configFindings } from './config';
import type { Report } from './report';
import { ruleFileFindings } from './rules';

type Sort = 'rules' | 'config' | 'alertmanager';

/** What a file is by its own keys: other tools have `groups:` and `route:` too. */
function sortOf(value: unknown): Sort | null {
  if (!isRecord(value)) return null;
  if (Array.isArray(value.groups)) return 'rules';
  if (value.route !== undefined || value.receivers !== undefined) return 'alertmanager';
  if (
    value.scrape_configs !== undefined ||
    value.rule_files !== undefined ||
    dig(value, 'global', 'scrape_interval') !== undefined ||
    value.remote_write !== undefined
  )
    return 'config';
  return null;
}

function sortByPath(path: string): Sort {
  if (/alertmanager[^/]*\.ya?ml$/i.test(path)) return 'alertmanager';
  return /(?:rules?|alerts?|recording)[^/]*(?:\/[^/]*)?\.ya?ml$/i.test(path) ? 'rules' : 'config';
}

function run(subject: Subject): { findings: Finding[] } {
  const { documents, place } = yamlOf(subject);
  const document = documents[0];
  if (!document) return { findings: [] };
  const findings: Finding[] = [];
  const report: Report = (rule, severity, message, path) =>
    void findings.push({ rule, severity, message, ...place(nodeOf(document, path)) });
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (!isRecord(value)) {
    report('structure', 'error', 'The file is a mapping.', []);
    return { findings };
  }
  const sort = sortOf(value) ?? sortByPath(subject.path);
  if (sort === 'rules') ruleFileFindings(value, report);
  else if (sort === 'config') configFindings(value, report);
  else alertmanagerFindings(value, report);
  return { findings };
}

const RULES = /^groups:[ \t]*(?:#.*)?$/m;
const ALERT = /^[ \t-]*(?:alert|record):[ \t]*\S/m;

const OWN_KEY =
  /^(?:global|scrape_configs|rule_files|alerting|route|receivers|groups|remote_write|inhibit_rules|storage):/m;

function isPrometheus(path: string, text: string): boolean {
  if (/(?:^|\/)(?:prometheus|alertmanager)\.ya?ml$/i.test(path)) return true;
  if (/(?:^|\/)(?:prometheus|alertmanager)[^/]*\.ya?ml$/i.test(path) && !/values[^/]*\.ya?ml$|_test\./.test(path)) {
    return OWN_KEY.test(text) && !/^(?:replicaCount|image|suite|prometheus|alertmanager):/m.test(text);
  }
  const scrapes = /^scrape_configs:/m.test(text);
  return (RULES.test(text) && ALERT.test(text)) || scrapes || (/^route:/m.test(text) && /^receivers:/m.test(text));
}

/** Prometheus rules and configuration, and Alertmanager's, by their structure and by the parser of PromQL. Nothing is asked. */
export const prometheusVerifier: Verifier = {
  id: 'prometheus',
  version: libraryVersion('@prometheus-io/lezer-promql', require.resolve('@prometheus-io/lezer-promql')),
  applies: (path, text) => /\.ya?ml$/i.test(path) && !/^apiVersion:|^services:/m.test(text) && isPrometheus(path, text),
  after: ['yaml'],
  run,
};
