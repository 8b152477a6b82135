import { z } from 'zod';
import { digestOf } from '../plan/digest';
import { UsageError } from '../plan/errors';
import { DEFAULT_ALLOWLIST } from '../plan/paths';
import { samePerson } from '../plan/rules/votes';
import type { PolicySnapshot } from '../plan/types';
import type { WorkspaceLayout } from './layout';
import { approversShape } from './policy-approvers';
import { sinkRules, sinksShape } from './policy-notify';
import { pattern, policyRules, ruleKeys, unknownTools } from './policy-rules';
import { parseYaml, readYamlFile, readYamlText } from './yaml-file';

const KiB = 1024;
const MiB = 1024 * KiB;
/** What a policy can allow at most for one generated file, in bytes. */
export const MOST_FILE_BYTES = 8 * MiB;

const count = (fallback: number, most: number) => z.number().int().min(1).max(most).default(fallback);
const allowed = z.boolean().default(true);
/** `.planwright/policy.yaml`; every key but `version` may be left out. */
export const policyShape = z
  .strictObject({
    version: z.literal(1, { error: 'expected version: 1, the only format this Planwright knows' }),
    /** The flags that widen what a run may do: true, they may be used. */
    flags: z
      .strictObject({
        yes: allowed,
        force: allowed,
        'allow-all-paths': allowed,
        'skip-verify': allowed,
        'allow-dirty': allowed,
      })
      .prefault({}),
    /** Most tasks that a decomposition may have. */
    maxTasks: count(200, 10_000),
    /** What becomes of the dependents of a task whose files were all declined. */
    onDecline: z.enum(['run', 'skip']).default('run'),
    write: z
      .strictObject({
        allow: z
          .array(pattern)
          .max(1000)
          .default([...DEFAULT_ALLOWLIST]),
      })
      .prefault({}),
    /** Sizes in bytes. */
    limits: z
      .strictObject({
        fileBytes: count(MiB, MOST_FILE_BYTES),
        filesPerTask: count(50, 1000),
      })
      .prefault({}),
    ...ruleKeys,
    /** Who may decide. With it, every decision has to be signed with the key of one of them. */
    approvers: approversShape.optional(),
    /** Who is told what happens. */
    notify: sinksShape.optional(),
  })
  .superRefine(({ rules, approvers }, context) => {
    if (!approvers) return;
    for (const [index, { name, by, escalate }] of rules.entries()) {
      const unknown = [...(by ?? []), ...(escalate?.to ?? [])].filter(
        (who) => !approvers.some((approver) => samePerson(approver.name, who)),
      );
      const [first] = unknown;
      if (first === undefined) continue;
      // They could never decide, and a gate that needs them would wait for ever.
      const message = `rule "${name}" asks ${first}, who has no key under approvers`;
      context.addIssue({ code: 'custom', path: ['rules', index], message });
    }
  });

export type Policy = z.output<typeof policyShape>;

/** What holds where there is no `policy.yaml`. */
export const DEFAULT_POLICY: Policy = policyShape.parse({ version: 1 });

/**
 * The workspace's policy; without a file, the defaults.
 * @throws UsageError for an unknown key or a wrong value, with its place; there is no fallback
 */
export async function loadPolicy(layout: Pick<WorkspaceLayout, 'policy'>): Promise<Policy> {
  return (await readYamlFile<Policy>(layout.policy, policyShape, { noLink: true })) ?? DEFAULT_POLICY;
}

/**
 * As `loadPolicy`, for a process that asks before every write: the file is read each time, and parsed only when its
 * text is another one. What it returns is shared: do not change it.
 */
export function policyReader(layout: Pick<WorkspaceLayout, 'policy'>): () => Promise<Policy> {
  let last: { text: string; policy: Policy } | null = null;
  return async () => {
    const text = await readYamlText(layout.policy, { noLink: true });
    if (text === undefined) return DEFAULT_POLICY;
    if (last?.text !== text) last = { text, policy: parseYaml<Policy>(text, layout.policy, policyShape) };
    return last.policy;
  };
}

/** Flags that decide gates in a name that nobody proves: with approvers in the policy they may not be used. */
const DECIDES_UNSIGNED: readonly string[] = ['yes', 'force'];

/** The part of a policy that the workflow rules by. */
export function policySnapshot(policy: Policy): PolicySnapshot {
  const unsigned = policy.approvers ? DECIDES_UNSIGNED : [];
  const flags = Object.entries(policy.flags).flatMap(([name, may]) => (may && !unsigned.includes(name) ? [name] : []));
  return {
    digest: digestOf(policy),
    maxTasks: policy.maxTasks,
    onDecline: policy.onDecline,
    flags,
    rules: policyRules(policy),
    ...(policy.approvers ? { approvers: policy.approvers.map(({ name, key }) => ({ name, key })) } : {}),
    ...(policy.notify ? { notify: sinkRules(policy.notify) } : {}),
  };
}

/** @throws UsageError where a rule names a skill that there is not: it would never match, and so allow */
export function checkPolicyTools(policy: Policy, tools: Iterable<string>): void {
  const known = new Set(tools);
  const unknown = unknownTools(policyRules(policy), known);
  if (unknown.length === 0) return;
  throw new UsageError(
    `.planwright/policy.yaml is not valid:\n${unknown.map((one) => `  ${one}, which does not exist`).join('\n')}`,
    `There are: ${[...known].sort().join(', ')}.`,
  );
}

/** The text that `init` writes. A test proves that it parses to exactly the defaults. */
export const DEFAULT_POLICY_YAML = `# What Planwright may do in this workspace. Commit this file: it belongs to the project.
# A key that is left out has the value shown here; an unknown key is an error.
version: 1

# Flags that widen what a run may do. false: the flag is refused with exit code 5.
flags:
  # Approve every file of a run of LOW or MEDIUM risk without asking.
  yes: true
  # Pass the gates for HIGH risk and for a replay in a changed environment.
  force: true
  # Write outside the allowlist below. The denylist (git, credentials, keys) always holds.
  allow-all-paths: true
  # Skip external verifiers. The built-in ones always run.
  skip-verify: true
  # Run in a git working tree with uncommitted changes.
  allow-dirty: true

# Most tasks that a plan may have (1 to 10000).
maxTasks: ${DEFAULT_POLICY.maxTasks}

# What happens to the tasks that depend on one whose files were all declined: run or skip.
onDecline: ${DEFAULT_POLICY.onDecline}

limits:
  # Bytes of one generated file; 8 megabytes at most. YAML and Dockerfiles have lower limits of their own.
  fileBytes: ${DEFAULT_POLICY.limits.fileBytes}
  # Files of one task.
  filesPerTask: ${DEFAULT_POLICY.limits.filesPerTask}

# Who decides. The first rule that matches a gate holds, and no flag passes what it asks for; without one, a person is
# asked where the flags of the run say so, and anyone may answer. A rule without a condition matches every gate of its kind.
# rules:
#   - name: workflows            # shown with the gate
#     gates: [file]              # file (the default), tool (before a skill runs), risk (before a run), stuck, budget
#     tools: [github-actions]    # skills
#     paths: ['.github/**']      # for file gates: as under write.allow
#     risk: MEDIUM               # this or higher
#     approvals: 2               # by different people; 0: this needs nobody, and the rules below are not asked
#     by: [ana, ben, cem]        # who may decide; anyone unless told. ana is that user on any machine (ana@laptop)
#     excludeRequester: true     # who asked for the run may not approve it (false)
#     remind: 4h                 # s, m, h, d, or never
#     escalate: { after: 1d, to: [lea] }
#     expire: 3d                 # a gate that expires is rejected
rules: []

# remind, escalate and expire for every gate whose rule does not say otherwise.
# deadlines:
#   expire: 7d
deadlines: {}

# At a limit a person is asked before the next call of a model. --max-tokens can lower the plan's, never raise it.
# budgets:
#   plan: { tokens: 500000, calls: 200 }
#   task: { tokens: 100000, calls: 20 }
budgets: {}

# Times in which nothing is written. A run that would begin in one is refused, or waits; one under way waits before it writes.
# freeze:
#   - { name: year end, from: '2026-12-20T00:00:00Z', until: '2027-01-04T00:00:00Z', run: refuse }
#   - { name: weekend, from: 'fri 16:00', until: 'mon 06:00', run: wait }    # UTC
freeze: []

write:
  # Paths that may be written, as glob patterns. One without a slash matches the file name in any directory.
  allow:
${DEFAULT_ALLOWLIST.map((entry) => `    - ${JSON.stringify(entry)}`).join('\n')}

# Whose decisions count. With this list every decision has to be signed, and --yes and --force are refused, for they
# decide in nobody's name. planwright approvers new makes the keys.
# approvers:
#   - name: ana
#     key: "ed25519:2cs1bOz6p3bnGEZUKvy4pRmB8p3hJX1FKUSR2pVOW9E="

# Who is told when a gate opens, is decided or expires, and when a plan fails, is stuck or finishes. See docs/approvals.md.
# notify:
#   - name: ops
#     url: https://example.org/planwright
#     secretEnv: PLANWRIGHT_OPS_SECRET
`;
