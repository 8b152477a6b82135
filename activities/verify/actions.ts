import { isMap, isPair, isScalar, isSeq, type Pair, visit } from 'yaml';
import type { Finding } from '../../plan/types';
import { WORKFLOW_PATH } from './actionlint';
import type { Subject, Verifier } from './types';
import { yamlOf } from './yaml-document';

const ACTION_PATH = /(?:^|\/)action\.ya?ml$/i;

/** Last parts of `github.event.…` that GitHub makes itself and nobody outside can choose. */
const SAFE_LEAVES = new Set(
  'number id node_id sha before after action draft merged private fork run_id run_number run_attempt url html_url created_at updated_at position'.split(
    ' ',
  ),
);

/** Keys whose text a shell or an interpreter runs. */
const CODE_KEYS = new Set(['run', 'script']);

/** What an untrusted expression does here: `error` where outsiders choose the text, `warning` where collaborators do. */
function injection(expression: string): 'error' | 'warning' | null {
  // A function that gives true or false lets no text through.
  if (/^\s*(?:contains|startsWith|endsWith|hashFiles)\([^&|]*\)\s*$/i.test(expression)) return null;
  if (/toJSON\(\s*github(?:\.event)?\b/i.test(expression) || /\bgithub\.head_ref\b/i.test(expression)) return 'error';
  let worst: 'error' | 'warning' | null = null;
  for (const match of expression.matchAll(/\bgithub\.event((?:\.[\w*-]{1,80}|\[[^\]]{1,80}\]){1,12})/gi)) {
    const parts = (match[1] ?? '')
      .replace(/[[\]'"]/g, '.')
      .split('.')
      .filter(Boolean);
    // Inputs come from people with write access; a base branch exists already, though its name may be odd.
    if (parts[0] === 'inputs' || (parts[0] === 'pull_request' && parts[1] === 'base')) worst ??= 'warning';
    else if (!SAFE_LEAVES.has(parts.at(-1) ?? '')) return 'error';
  }
  return worst;
}

function key(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}

function scriptFindings(code: string, place: object): Finding[] {
  const findings: Finding[] = [];
  for (const match of code.matchAll(/\$\{\{([^}]{1,500})\}\}/g)) {
    const severity = injection(match[1] ?? '');
    if (severity === null) continue;
    const message = `\`\${{ ${(match[1] ?? '').trim()} }}\` is put into the script as code; pass it through \`env:\` and quote the variable.`;
    findings.push({ rule: 'script-injection', severity, message, ...place });
  }
  return findings;
}

function run(subject: Subject): { findings: Finding[] } {
  const { path } = subject;
  const { documents, place } = yamlOf(subject);
  const root = documents[0]?.contents;
  if (!isMap(root)) return { findings: [] };
  const findings: Finding[] = [];
  const outsiders = ['pull_request_target', 'workflow_run'].filter((event) => hasTrigger(root.get('on', true), event));
  visit(root, {
    Pair(_index, pair) {
      const name = key(pair);
      const value = isScalar(pair.value) ? String(pair.value.value) : '';
      const where = place(pair.key);
      if (CODE_KEYS.has(name)) findings.push(...scriptFindings(value, where));
      if (name === 'permissions' && value === 'write-all') {
        const message = 'The job may write everything; name the scopes that it needs.';
        findings.push({ rule: 'write-all', severity: 'warning', message, ...where });
      }
      // Steps of a workflow that outsiders start with the repository's own rights: their code must not be fetched.
      if (name === 'ref' || name === 'repository' || name === 'run') {
        const theirs =
          /github\.event\.(?:pull_request\.(?:head|merge_commit_sha)|workflow_run\.head)|github\.head_ref|refs\/pull\/|gh\s+pr\s+checkout/;
        if (outsiders.length > 0 && theirs.test(value) && (name !== 'run' || /\b(?:git|gh)\s/.test(value))) {
          const message = `The workflow runs on ${outsiders.join(' and ')} with write rights and secrets, and fetches the code of the pull request; use \`pull_request\`.`;
          findings.push({ rule: 'untrusted-checkout', severity: 'error', message, ...where });
        }
      }
    },
  });
  if (WORKFLOW_PATH.test(path)) findings.push(...permissionFindings(root, place));
  return { findings };
}

function hasTrigger(on: unknown, event: string): boolean {
  if (isScalar(on)) return on.value === event;
  if (isSeq(on)) return on.items.some((item) => isScalar(item) && item.value === event);
  return isMap(on) && on.has(event);
}

/** A workflow without `permissions:` gets the repository's default, which may be write access to everything. */
function permissionFindings(root: unknown, place: (node: unknown) => object): Finding[] {
  if (!isMap(root) || root.has('permissions')) return [];
  const jobs = root.get('jobs');
  if (!isMap(jobs)) return [];
  return jobs.items.flatMap((job): Finding[] => {
    if (!isPair(job) || (isMap(job.value) && job.value.has('permissions'))) return [];
    const message = `Job "${key(job)}" has no \`permissions:\`, nor has the workflow; \`contents: read\` is enough for most.`;
    return [{ rule: 'no-permissions', severity: 'warning', message, ...place(job.key) }];
  });
}

/**
 * Rules on GitHub Actions beyond actionlint, and its script injection rule once more (T09, T10): these hold also when
 * the linter's thread was ended, and for composite actions, which it does not read.
 */
export const actionsVerifier: Verifier = {
  id: 'actions',
  version: 'planwright/1',
  applies: (path) => WORKFLOW_PATH.test(path) || ACTION_PATH.test(path),
  after: ['yaml'],
  run,
};
