import type { Finding } from '../../plan/types';
import { libraryVersion } from './library';
import type { Subject, Verifier } from './types';
import { yamlOf } from './yaml-document';

/** Files whose readers take one document only. */
const SINGLE = /^\.github\/|(?:^|\/)(?:docker-)?compose[^/]*\.ya?ml$|(?:^|\/)\.pre-commit-config\.ya?ml$/;
/** Helm templates are YAML only after rendering. */
const HELM_TEMPLATE = /(?:^|\/)templates\/[^\n]*\.ya?ml$/;

function run(subject: Subject): { findings: Finding[] } {
  const { path } = subject;
  const { documents, place, ...parsed } = yamlOf(subject);
  const findings = [...parsed.findings];
  const second = documents[1];
  if (second !== undefined && SINGLE.test(path)) {
    const message = `The file holds ${documents.length} documents; its reader takes one.`;
    findings.push({ rule: 'multiple-documents', severity: 'error', message, ...place(second) });
  }
  return { findings };
}

export const yamlVerifier: Verifier = {
  id: 'yaml',
  version: libraryVersion('yaml', require.resolve('yaml')),
  applies: (path, text) => /\.ya?ml$/i.test(path) && !(HELM_TEMPLATE.test(path) && text.includes('{{')),
  run,
};
