import { type Document, isMap, isScalar, isSeq } from 'yaml';
import type { Finding } from '../../../plan/types';
import type { Subject, Verifier } from '../types';
import { isRecord, list } from '../values';
import { yamlOf } from '../yaml-document';
import { nodeOf } from '../yaml-node';
import { playFindings } from './plays';
import type { Report } from './report';
import { taskFindings } from './tasks';

const TASKS =
  /(?:^|\/)roles\/[^/]+\/(?:tasks|handlers)\/[^\n]*\.ya?ml$|^(?:ansible\/)?(?:tasks|handlers)\/[^\n]*\.ya?ml$/i;
const PLAYBOOK =
  /(?:^|\/)(?:playbooks?[^/]*|site)\.ya?ml$|(?:^|\/)(?:ansible|playbooks)\/[^/]+\.ya?ml$|(?:^|\/)playbooks\/[^\n]*\.ya?ml$/i;
const OTHER =
  /(?:^|\/)(?:group_vars|host_vars|inventor(?:y|ies)|vars|defaults|meta|molecule|templates|files)\/|(?:^|\/)(?:requirements|galaxy|inventory|hosts|ansible-lint|vars?)[^/]*\.ya?ml$|(?:^|\/)\./i;

function run(subject: Subject): { findings: Finding[] } {
  const { documents, place } = yamlOf(subject);
  const findings: Finding[] = [];
  for (const document of documents) {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    if (value === null || value === undefined) continue;
    const report: Report = (rule, severity, message, path) =>
      void findings.push({ rule, severity, message, ...place(nodeOf(document, path)) });
    if (!Array.isArray(value)) {
      report(
        'structure',
        'error',
        TASKS.test(subject.path) ? 'A file of tasks is a list.' : 'A playbook is a list of plays.',
        [],
      );
      continue;
    }
    const isPlays = value.some(
      (one) =>
        isRecord(one) &&
        ['hosts', 'import_playbook', 'ansible.builtin.import_playbook'].some((key) => one[key] !== undefined),
    );
    if (TASKS.test(subject.path) || (!isPlays && !PLAYBOOK.test(subject.path)))
      taskFindings(list(value), [], report, null);
    else playFindings(value, report);
    findings.push(...templateFindings(document, place));
  }
  return { findings };
}

/** Values with a `{{` that is not closed, and the ones that YAML reads as a mapping because quotes are missing. */
function templateFindings(document: Document, place: (node: unknown) => object): Finding[] {
  const findings: Finding[] = [];
  const look = (node: unknown, depth: number): void => {
    if (depth > 60) return;
    if (isScalar(node) && typeof node.value === 'string') {
      const text = node.value.replace(/\{%\s*raw\s*%\}[\s\S]*?\{%\s*endraw\s*%\}/g, '');
      const open = (text.match(/\{\{/g) ?? []).length;
      const closed = (text.match(/\}\}/g) ?? []).length;
      if (open > closed && !/\{\{\{/.test(text))
        findings.push({ rule: 'template', severity: 'error', message: 'A "{{" is not closed.', ...place(node) });
      else if (closed > open && open > 0 && !/\}\}\}/.test(text))
        findings.push({ rule: 'template', severity: 'error', message: 'A "}}" closes nothing.', ...place(node) });
    } else if (isMap(node)) {
      for (const { key, value } of node.items) {
        // `x: {{ y }}` is a mapping whose key is a mapping.
        if (isMap(key) && node.flow)
          findings.push({
            rule: 'template',
            severity: 'error',
            message: 'A value that begins with "{{" needs quotes.',
            ...place(node),
          });
        look(value, depth + 1);
      }
    } else if (isSeq(node)) for (const item of node.items) look(item, depth + 1);
  };
  look(document.contents, 0);
  return findings;
}

/** Ansible playbooks and files of tasks by the keywords and the commonest modules that they may use. Nothing is run, no plugin is loaded. */
export const ansibleVerifier: Verifier = {
  id: 'ansible',
  version: 'planwright/1',
  applies: (path, text) =>
    !OTHER.test(path) &&
    !/^apiVersion:/m.test(text) &&
    (TASKS.test(path) || (PLAYBOOK.test(path) && (/^-/m.test(text) || /^(?:hosts|tasks):/m.test(text)))),
  after: ['yaml'],
  run,
};
