import { fileDigest, sha256 } from '../../../plan/digest';
import type { TaskStatus } from '../../../plan/types';
import type { FileView, GateView, PlanView, RunView, TaskView } from '../../../plan/view';

const AT = '2026-01-01T00:00:00.000Z';

export function fileView(path: string, content: string, over: Partial<FileView> = {}): FileView {
  const bound = { path, sha256: sha256(content), preSha256: over.preSha256 ?? null, mode: '0644' };
  return {
    ...bound,
    action: bound.preSha256 === null ? 'create' : 'modify',
    bytes: content.length,
    backup: null,
    state: 'proposed',
    digest: fileDigest(bound),
    diffStat: { added: content.split('\n').length - 1, removed: 0 },
    risk: 'LOW',
    ...over,
  };
}

export function taskView(number: number, status: TaskStatus, over: Partial<TaskView> = {}): TaskView {
  const settled = ['completed', 'failed', 'declined', 'skipped', 'cancelled'].includes(status);
  return {
    number,
    status,
    reason: null,
    attempts: status === 'pending' || status === 'skipped' ? 0 : 1,
    startedAt: status === 'pending' || status === 'skipped' ? null : AT,
    completedAt: settled ? '2026-01-01T00:00:04.000Z' : null,
    skill: null,
    files: [],
    verification: [],
    decisions: [],
    usage: { promptTokens: 0, completionTokens: 0, calls: 0 },
    modelReturned: null,
    output: {},
    error: null,
    raw: null,
    run: status === 'pending' ? null : 1,
    ...over,
  };
}

export function runView(over: Partial<RunView> = {}): RunView {
  return {
    number: 1,
    kind: 'apply',
    status: 'running',
    startedAt: AT,
    finishedAt: null,
    by: 'ada',
    yes: false,
    tasks: ['docker', 'ci'],
    reason: null,
    ...over,
  };
}

export function gateView(task: string, file: FileView, over: Partial<GateView> = {}): GateView {
  return {
    gate: `g-${file.path}`,
    kind: 'file',
    task,
    path: file.path,
    digest: file.digest,
    risk: file.risk,
    riskReasons: [{ rule: 'an ordinary file', level: file.risk, where: file.path }],
    since: AT,
    until: null,
    diffStat: file.diffStat,
    sha256: file.sha256,
    preSha256: file.preSha256,
    outcome: null,
    ...over,
  };
}

/** A plan of two tasks, `docker` (1) and `ci` (2, depends on 1). */
export function planView(over: Partial<PlanView> = {}): PlanView {
  return {
    schema: 'planwright.plan/1',
    id: 'plan-1a2b3c4d',
    name: 'release',
    goal: 'Set up CI',
    status: 'ready',
    reason: null,
    failure: null,
    risk: 'MEDIUM',
    riskReasons: [{ rule: 'CI and monitoring', level: 'MEDIUM', where: 'task 2, tool' }],
    revision: 1,
    changes: 1,
    createdAt: AT,
    updatedAt: AT,
    provider: 'template',
    model: 'template',
    temperature: 0.2,
    context: { planwrightVersion: '0.1.0', policySnapshot: '', toolVersions: {}, gitHead: null, workspace: '' },
    graph: {
      nodes: [
        { id: 'docker', tool: 'dockerfile', description: 'Write a Dockerfile', input: {}, deps: [] },
        { id: 'ci', tool: 'github-actions', description: 'Write a workflow', input: {}, deps: ['docker'] },
      ],
    },
    tasks: { docker: taskView(1, 'pending'), ci: taskView(2, 'pending') },
    runs: [],
    gates: [],
    decisions: [],
    usage: { promptTokens: 0, completionTokens: 0, calls: 0 },
    raw: null,
    ...over,
  };
}

export const dockerfile = fileView('Dockerfile', 'FROM node:22\n');
export const workflow = fileView('.github/workflows/ci.yml', 'on: push\n');

/** The plan while its first task waits for a decision about the Dockerfile. */
export function atGate(over: Partial<GateView> = {}): PlanView {
  const gate = gateView('docker', dockerfile, over);
  return planView({
    status: 'waiting',
    runs: [runView()],
    tasks: { docker: taskView(1, 'awaiting_approval', { files: [dockerfile] }), ci: taskView(2, 'pending') },
    gates: [gate],
  });
}

/** The plan when both tasks have written their file. */
export function completed(over: Partial<PlanView> = {}): PlanView {
  const written = { state: 'written' } as const;
  return planView({
    status: 'completed',
    runs: [runView({ status: 'completed', finishedAt: AT })],
    tasks: {
      docker: taskView(1, 'completed', { files: [{ ...dockerfile, ...written }] }),
      ci: taskView(2, 'completed', { files: [{ ...workflow, ...written, action: 'modify' }] }),
    },
    ...over,
  });
}
