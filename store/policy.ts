import { z } from 'zod';
import { digestOf } from '../plan/digest';
import { DEFAULT_ALLOWLIST } from '../plan/paths';
import type { PolicySnapshot } from '../plan/types';
import type { WorkspaceLayout } from './layout';
import { approversShape } from './policy-approvers';
import { sinkRules, sinksShape } from './policy-notify';
import { parseYaml, readYamlFile, readYamlText } from './yaml-file';

const KiB = 1024;
const MiB = 1024 * KiB;
/** What a policy can allow at most for one generated file, in bytes. */
export const MOST_FILE_BYTES = 8 * MiB;

const count = (fallback: number, most: number) => z.number().int().min(1).max(most).default(fallback);
const allowed = z.boolean().default(true);
const pattern = z
  .string()
  .min(1)
  .max(500)
  .refine((text) => !/^[!/]|\\|\.\./.test(text), {
    error: 'a pattern is relative to the workspace, without "..", "\\" or a leading "!" or "/"',
  });

/** `.planwright/policy.yaml`; every key but `version` may be left out. */
export const policyShape = z.strictObject({
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
  /** Who may decide. With it, every decision has to be signed with the key of one of them. */
  approvers: approversShape.optional(),
  /** Who is told what happens. */
  notify: sinksShape.optional(),
});

export type Policy = z.output<typeof policyShape>;

/** What holds where there is no `policy.yaml`. */
export const DEFAULT_POLICY: Policy = policyShape.parse({ version: 1 });

/**
 * The workspace's policy; without a file, the defaults.
 * @throws UsageError for an unknown key or a wrong value, with its place; there is no fallback
 */
export async function loadPolicy(layout: Pick<WorkspaceLayout, 'policy'>): Promise<Policy> {
  return (await readYamlFile<Policy>(layout.policy, policyShape)) ?? DEFAULT_POLICY;
}

/**
 * As `loadPolicy`, for a process that asks before every write: the file is read each time, and parsed only when its
 * text is another one. What it returns is shared: do not change it.
 */
export function policyReader(layout: Pick<WorkspaceLayout, 'policy'>): () => Promise<Policy> {
  let last: { text: string; policy: Policy } | null = null;
  return async () => {
    const text = await readYamlText(layout.policy);
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
    ...(policy.approvers ? { approvers: policy.approvers.map(({ name, key }) => ({ name, key })) } : {}),
    ...(policy.notify ? { notify: sinkRules(policy.notify) } : {}),
  };
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

write:
  # Paths that may be written, as glob patterns. One without a slash matches the file name in any directory.
  allow:
${DEFAULT_ALLOWLIST.map((entry) => `    - ${JSON.stringify(entry)}`).join('\n')}

# Whose decisions count. With this list every decision has to be signed, and --yes and --force are refused, for they
# decide in nobody's name. planwright approvers new makes the keys.
# approvers:
#   - name: ana
#     key: "ed25519:<44 characters>"

# Who is told when a gate opens, is decided or expires, and when a plan fails, is stuck or finishes. See docs/approvals.md.
# notify:
#   - name: ops
#     url: https://example.org/planwright
#     secretEnv: PLANWRIGHT_OPS_SECRET
`;
