/**
 * Whether a value has the form of a plan file, as far as anything that reads one relies on it. By hand and not by a schema
 * library: every command that connects reads plan files, and loading one takes longer than all of this.
 */
import type { PlanView } from '../plan/view';

type Check = (value: unknown) => boolean;

const isObject = (value: unknown): value is { [key: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text: Check = (value) => typeof value === 'string';
const count: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const shape =
  (keys: { [key: string]: Check }): Check =>
  (value) =>
    isObject(value) && Object.entries(keys).every(([key, check]) => check(value[key]));
const recordOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);

const usage = shape({ promptTokens: count, completionTokens: count, calls: count });
const stat = shape({ added: count, removed: count });
const error = shape({ type: text, message: text, advice: optional(text) });
const decision = shape({ gate: text, kind: text, decision: text, by: text, reason: orNull(text), at: text });
const file = shape({
  ...{ path: text, action: text, sha256: text, bytes: count, preSha256: orNull(text), mode: text },
  ...{ backup: orNull(text), state: text, digest: text, diffStat: stat, risk: text },
});
const verification = shape({
  ...{ verifier: text, version: text, path: text, verdict: text },
  findings: listOf(shape({ rule: text, severity: text, message: text })),
});
const task = shape({
  ...{ number: count, status: text, reason: orNull(text), attempts: count, files: listOf(file), usage },
  ...{ startedAt: orNull(text), completedAt: orNull(text), error: orNull(error), run: orNull(count) },
  ...{ verification: listOf(verification), decisions: listOf(decision), raw: orNull(text), output: isObject },
});
const run = shape({
  ...{ number: count, kind: text, status: text, startedAt: text, finishedAt: orNull(text), by: text },
  ...{ tasks: listOf(text), reason: orNull(text) },
});
const gate = shape({
  ...{ gate: text, kind: text, task: orNull(text), path: orNull(text), digest: orNull(text), risk: text, since: text },
  ...{ diffStat: stat, sha256: orNull(text), preSha256: orNull(text) },
});
const undone = shape({ path: text, outcome: text, reason: orNull(text), advice: orNull(text), backup: orNull(text) });
const undo = shape({
  ...{ number: count, kind: text, status: text, by: text, startedAt: text, finishedAt: orNull(text) },
  ...{ files: listOf(undone), directories: listOf(text), error: orNull(error) },
  directoriesLeft: listOf(shape({ path: text, reason: text })),
});
const node = shape({ id: text, tool: text, description: text, input: isObject, deps: listOf(text) });

const plan = shape({
  ...{ schema: text, id: text, name: text, goal: text, status: text, reason: orNull(text), failure: orNull(error) },
  ...{ risk: text, revision: count, changes: count, createdAt: text, updatedAt: text },
  riskReasons: listOf(shape({ rule: text, level: text, where: text })),
  ...{ provider: text, model: text, temperature: count },
  context: shape({ planwrightVersion: text, policySnapshot: text, toolVersions: isObject, workspace: text }),
  graph: shape({ nodes: listOf(node) }),
  ...{ tasks: recordOf(task), runs: listOf(run), gates: listOf(gate), decisions: listOf(decision), usage },
  undo: optional(undo),
});

/** Words such as a status are not looked at: a newer planwright may have more of them. */
export function isPlanView(value: unknown): value is PlanView {
  return plan(value);
}
