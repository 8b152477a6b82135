import type { Verification } from '../../../plan/types';
import type { ExternalSettings } from '../../../store/verifier-tools';
import type { Outcome, Subject, Verifier, VerifyContext } from '../types';
import { conftest, helmLint, kubeconform } from './cluster-tools';
import { findTool, versionOf } from './find';
import { ansibleLint, nginxTest, promtool, systemdAnalyze, terraform, tflint } from './host-tools';
import { runTool } from './runner';
import type { ExternalTool } from './types';
import { actionlintProgram, gitleaks, hadolint, shellcheck, zizmor } from './workflow-tools';

/** All programs that are run where they are found. `make` is not among them in any form: it executes what it reads. */
export const EXTERNAL_TOOLS: readonly ExternalTool[] = [
  hadolint,
  shellcheck,
  actionlintProgram,
  zizmor,
  terraform,
  tflint,
  kubeconform,
  helmLint,
  conftest,
  promtool,
  systemdAnalyze,
  gitleaks,
  nginxTest,
  ansibleLint,
];

/** The version that a row has where the tool is not on this machine. */
const ABSENT = 'not installed';

/** Makes a found tool a verifier like the embedded ones. */
function asVerifier(tool: ExternalTool, path: string, version: string): Verifier {
  return {
    id: tool.id,
    version,
    applies: (file, text) => tool.applies(file, text),
    async run(subject: Subject, context: VerifyContext): Promise<Outcome> {
      const job = tool.job(subject, context);
      if ('reason' in job) return { findings: [], notApplicable: job.reason };
      const result = await runTool(path, job, context.signal);
      if (result.fault !== null) return { findings: [], inconclusive: result.fault };
      return tool.read(result, subject);
    },
  };
}

/**
 * The tools that have something to say of a file, each a verifier or a row that says why it is not run.
 *
 * @param named what the skill asks for: a tool of these that is missing is told, with how to install it
 */
export async function externalFor(
  subject: Subject,
  named: readonly string[],
  settings: ExternalSettings,
): Promise<(Verifier | Verification)[]> {
  const chosen: (Verifier | Verification)[] = [];
  const skipped = (tool: ExternalTool, version: string, reason: string): Verification => ({
    verifier: tool.id,
    version,
    path: subject.path,
    verdict: 'skipped',
    reason,
    findings: [],
  });
  for (const tool of EXTERNAL_TOOLS) {
    const wanted = named.includes(tool.id);
    const applies = tool.applies(subject.path, subject.text);
    if (!applies && !wanted) continue;
    if (tool.optIn && !settings.optIn.has(tool.id)) {
      if (wanted)
        chosen.push(
          skipped(tool, ABSENT, `it executes what it checks; allow it with PLANWRIGHT_VERIFIERS_OPT_IN=${tool.id}`),
        );
      continue;
    }
    const found = await findTool(tool, settings);
    if (found === null) {
      if (wanted)
        chosen.push(skipped(tool, ABSENT, `${tool.command} is not installed; to install it: ${tool.install}`));
    } else if (!applies) chosen.push(skipped(tool, versionOf(found), 'does not apply to this file'));
    else chosen.push(asVerifier(tool, found.path, versionOf(found)));
  }
  return chosen;
}

/** Which tools there are here: for `doctor`, and for comparing environments. */
export async function externalTools(
  settings: ExternalSettings,
): Promise<
  { id: string; command: string; install: string; optIn: boolean; version: string | null; path: string | null }[]
> {
  return Promise.all(
    EXTERNAL_TOOLS.map(async (tool) => {
      const found = await findTool(tool, settings);
      const { id, command, install, optIn = false } = tool;
      return { id, command, install, optIn, version: found && versionOf(found), path: found?.path ?? null };
    }),
  );
}

/** Each tool's version as a row has it: what a replay compares. */
export async function externalVersions(settings: ExternalSettings): Promise<[id: string, version: string][]> {
  const tools = await externalTools(settings);
  return tools.map(({ id, version, optIn }) => [id, optIn && !settings.optIn.has(id) ? ABSENT : (version ?? ABSENT)]);
}

export const EXTERNAL_IDS: ReadonlySet<string> = new Set(EXTERNAL_TOOLS.map(({ id }) => id));
