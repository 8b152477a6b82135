import { findSecrets } from '../../plan/mask';
import type { Finding } from '../../plan/types';
import { lineColumn, MAX_FINDINGS } from './findings';
import type { Subject, Verifier } from './types';

const NAMES: Readonly<Record<string, string>> = {
  'private-key': 'a private key',
  'aws-access-key-id': 'an AWS access key id',
  'aws-secret-access-key': 'an AWS secret access key',
  'github-token': 'a GitHub token',
  'gitlab-token': 'a GitLab token',
  'slack-token': 'a Slack token',
  'slack-webhook': 'a Slack webhook address',
  'api-key': 'an API key',
  'stripe-key': 'a Stripe live key',
  'npm-token': 'an npm token',
  'pypi-token': 'a PyPI token',
  'google-api-key': 'a Google API key',
  jwt: 'a JSON Web Token',
  'bearer-token': 'a bearer token',
  password: 'a password',
  'secret-value': 'a secret',
  'url-password': 'a password in a URL',
};

/** A plain word that also stands elsewhere in the file (as user, database or image) is a dummy of development. */
function isNameToo(value: string, text: string): boolean {
  return /^[a-z]{1,16}$/.test(value) && text.split(new RegExp(`\\b${value}\\b`), 4).length > 2;
}

function run({ path, text, before }: Subject): { findings: Finding[] } {
  const findings: Finding[] = [];
  const isSample = /(?:^|[./_-])(?:example|sample|template|dist)$/i.test(path);
  for (const hit of findSecrets(text)) {
    if (findings.length > MAX_FINDINGS) break;
    const value = text.slice(hit.start, hit.end);
    const known = before?.includes(value) ?? false;
    const dummy =
      hit.certainty === 'placeholder' ||
      (hit.kind.endsWith('password') && isNameToo(value, text)) ||
      (isSample && (/example/i.test(value) || hit.kind === 'password'));
    const what = NAMES[hit.kind] ?? 'a secret';
    // The value itself is never part of a message (T15).
    const message = dummy
      ? `This looks like a placeholder for ${what}; take it from a variable or a secret store before it is used for real.`
      : known
        ? `The file holds ${what}, which was there before; move it to a secret store.`
        : `The file holds ${what}; take it from a variable or a secret store instead.`;
    findings.push({
      rule: hit.kind,
      severity: dummy || known ? 'warning' : 'error',
      message,
      ...lineColumn(text, hit.start),
    });
  }
  return { findings };
}

/** Secrets in generated files (T15), by the same table that masks logs and prompts; runs on every file. */
export const secretsVerifier: Verifier = { id: 'secrets', version: 'planwright/1', applies: () => true, run };
