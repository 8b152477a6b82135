import type { Command } from './command';

/** A command before it is loaded: enough for the list of commands. */
export interface Entry {
  /** Words to type: `plan list`. */
  path: string;
  summary: string;
  load(): Command;
}

const clean = (): Command => (require('./commands/clean') as typeof import('./commands/clean')).command;
const planNew = (): Command => (require('./commands/plan-new') as typeof import('./commands/plan-new')).command;

const group = (name: string, verbs: string[]) => (): Command =>
  (require('./commands/group') as typeof import('./commands/group')).groupCommand(name, verbs);

/** All commands, in the order of the help. One file each, loaded when it is run. */
export const REGISTRY: readonly Entry[] = [
  {
    path: 'init',
    summary: 'make .planwright/ with settings and policy',
    load: () => (require('./commands/init') as typeof import('./commands/init')).command,
  },
  {
    path: 'plan',
    summary: 'make a plan for a goal; also new, list, show, diff, use, delete, clean, export, import',
    load: planNew,
  },
  { path: 'plan new', summary: 'make a plan for a goal', load: planNew },
  {
    path: 'plan list',
    summary: 'all plans of the workspace',
    load: () => (require('./commands/plan-list') as typeof import('./commands/plan-list')).command,
  },
  {
    path: 'plan show',
    summary: 'a plan, or one of its tasks',
    load: () => (require('./commands/plan-show') as typeof import('./commands/plan-show')).command,
  },
  {
    path: 'plan diff',
    summary: 'the files of a plan against what they replace',
    load: () => (require('./commands/plan-diff') as typeof import('./commands/plan-diff')).command,
  },
  {
    path: 'plan use',
    summary: 'make a plan the active one',
    load: () => (require('./commands/plan-use') as typeof import('./commands/plan-use')).command,
  },
  {
    path: 'plan delete',
    summary: 'delete a plan; its files stay',
    load: () => (require('./commands/plan-delete') as typeof import('./commands/plan-delete')).command,
  },
  {
    path: 'plan clean',
    summary: 'delete all completed and archived plans',
    load: () => (require('./commands/plan-clean') as typeof import('./commands/plan-clean')).command,
  },
  {
    path: 'plan export',
    summary: 'a plan with its generated files as one file, for another workspace',
    load: () => (require('./commands/plan-export') as typeof import('./commands/plan-export')).command,
  },
  {
    path: 'plan import',
    summary: 'make a plan of an exported one',
    load: () => (require('./commands/plan-import') as typeof import('./commands/plan-import')).command,
  },
  {
    path: 'validate',
    summary: "check a plan's tasks again",
    load: () => (require('./commands/validate') as typeof import('./commands/validate')).command,
  },
  {
    path: 'explain',
    summary: 'a plan in plain language',
    load: () => (require('./commands/explain') as typeof import('./commands/explain')).command,
  },
  {
    path: 'apply',
    summary: 'carry a plan out',
    load: () => (require('./commands/apply') as typeof import('./commands/apply')).command,
  },
  {
    path: 'watch',
    summary: 'follow a plan',
    load: () => (require('./commands/watch') as typeof import('./commands/watch')).command,
  },
  {
    path: 'approvals',
    summary: 'everything that waits for a decision',
    load: () => (require('./commands/approvals') as typeof import('./commands/approvals')).command,
  },
  {
    path: 'approve',
    summary: 'approve a file or another gate',
    load: () => (require('./commands/approve') as typeof import('./commands/approve')).command,
  },
  {
    path: 'reject',
    summary: 'reject a file or another gate',
    load: () => (require('./commands/reject') as typeof import('./commands/reject')).command,
  },
  {
    path: 'decide',
    summary: 'any decision of any kind of gate',
    load: () => (require('./commands/decide') as typeof import('./commands/decide')).command,
  },
  { path: 'approvers', summary: 'keys of those who decide; new, show', load: group('approvers', ['new', 'show']) },
  {
    path: 'approvers new',
    summary: 'make a key for somebody who decides',
    load: () => (require('./commands/approvers-new') as typeof import('./commands/approvers-new')).command,
  },
  {
    path: 'approvers show',
    summary: 'the line of the policy for a key',
    load: () => (require('./commands/approvers-show') as typeof import('./commands/approvers-show')).command,
  },
  { path: 'notify', summary: 'who is told what happens; test', load: group('notify', ['test']) },
  {
    path: 'notify test',
    summary: 'send a test to the sinks of the policy',
    load: () => (require('./commands/notify-test') as typeof import('./commands/notify-test')).command,
  },
  {
    path: 'pause',
    summary: 'let nothing more of a run begin',
    load: () => (require('./commands/pause') as typeof import('./commands/pause')).command,
  },
  {
    path: 'unpause',
    summary: 'let a paused run go on',
    load: () => (require('./commands/unpause') as typeof import('./commands/unpause')).command,
  },
  {
    path: 'cancel',
    summary: 'stop the run of a plan',
    load: () => (require('./commands/cancel') as typeof import('./commands/cancel')).command,
  },
  {
    path: 'rollback',
    summary: 'put back what stood there before a plan',
    load: () => (require('./commands/rollback') as typeof import('./commands/rollback')).command,
  },
  { path: 'clean', summary: "remove a plan's files; .bak files stay", load: clean },
  { path: 'destroy', summary: 'clean by another name', load: clean },
  {
    path: 'history',
    summary: 'what was done here; list, show, audit, verify, repair, prove, export, check',
    load: group('history', ['list', 'show', 'audit', 'verify', 'repair', 'prove', 'export', 'check']),
  },
  {
    path: 'history list',
    summary: 'every plan of the workspace, with status and date',
    load: () => (require('./commands/history-list') as typeof import('./commands/history-list')).command,
  },
  {
    path: 'history show',
    summary: 'a plan with its tasks, runs, decisions, files, checks and tokens',
    load: () => (require('./commands/history-show') as typeof import('./commands/history-show')).command,
  },
  {
    path: 'history audit',
    summary: 'the audit log of a plan, entry by entry',
    load: () => (require('./commands/history-audit') as typeof import('./commands/history-audit')).command,
  },
  {
    path: 'history verify',
    summary: 'check an audit log against all evidence that can be had',
    load: () => (require('./commands/history-verify') as typeof import('./commands/history-verify')).command,
  },
  {
    path: 'history repair',
    summary: 'make an audit log whole again',
    load: () => (require('./commands/history-repair') as typeof import('./commands/history-repair')).command,
  },
  {
    path: 'history prove',
    summary: 'prove offline that an entry is in the log, or check such a proof',
    load: () => (require('./commands/history-prove') as typeof import('./commands/history-prove')).command,
  },
  {
    path: 'history export',
    summary: 'the audit log or the event history as files',
    load: () => (require('./commands/history-export') as typeof import('./commands/history-export')).command,
  },
  {
    path: 'history check',
    summary: "replay a plan's event history on today's code",
    load: () => (require('./commands/history-check') as typeof import('./commands/history-check')).command,
  },
  {
    path: 'up',
    summary: 'start the embedded server and the worker',
    load: () => (require('./commands/up') as typeof import('./commands/up')).command,
  },
  {
    path: 'down',
    summary: 'stop what `up` started',
    load: () => (require('./commands/down') as typeof import('./commands/down')).command,
  },
  {
    path: 'status',
    summary: 'what runs, and where',
    load: () => (require('./commands/status') as typeof import('./commands/status')).command,
  },
  {
    path: 'doctor',
    summary: 'what is missing, and what to do about it',
    load: () => (require('./commands/doctor') as typeof import('./commands/doctor')).command,
  },
  {
    path: 'gc',
    summary: 'remove stored contents that nothing refers to',
    load: () => (require('./commands/gc') as typeof import('./commands/gc')).command,
  },
  {
    path: 'worker',
    summary: "run the workspace's worker in the foreground",
    load: () => (require('./commands/worker') as typeof import('./commands/worker')).command,
  },
  { path: 'policy', summary: 'who decides what; check', load: group('policy', ['check']) },
  {
    path: 'policy check',
    summary: 'check the policy, and which rules a plan meets',
    load: () => (require('./commands/policy-check') as typeof import('./commands/policy-check')).command,
  },
  { path: 'config', summary: 'settings; get, set', load: group('config', ['get', 'set']) },
  {
    path: 'config get',
    summary: 'a setting in force, and where it comes from',
    load: () => (require('./commands/config-get') as typeof import('./commands/config-get')).command,
  },
  {
    path: 'config set',
    summary: 'change a setting in a config file',
    load: () => (require('./commands/config-set') as typeof import('./commands/config-set')).command,
  },
  {
    path: 'provider',
    summary: 'who answers for the model; list, add, test',
    load: group('provider', ['list', 'add', 'test']),
  },
  {
    path: 'provider list',
    summary: 'the providers, their keys, and which is in force',
    load: () => (require('./commands/provider-list') as typeof import('./commands/provider-list')).command,
  },
  {
    path: 'provider add',
    summary: 'say where the key of a provider is found',
    load: () => (require('./commands/provider-add') as typeof import('./commands/provider-add')).command,
  },
  {
    path: 'provider test',
    summary: 'ask a provider one tiny question',
    load: () => (require('./commands/provider-test') as typeof import('./commands/provider-test')).command,
  },
  {
    path: 'skills',
    summary: 'what tasks are carried out by; list, show, new, validate',
    load: group('skills', ['list', 'show', 'new', 'validate']),
  },
  {
    path: 'skills list',
    summary: 'the built-in skills, and your own',
    load: () => (require('./commands/skills-list') as typeof import('./commands/skills-list')).command,
  },
  {
    path: 'skills show',
    summary: 'a skill: its input, output, paths, checks and digest',
    load: () => (require('./commands/skills-show') as typeof import('./commands/skills-show')).command,
  },
  {
    path: 'skills new',
    summary: 'begin a skill of your own',
    load: () => (require('./commands/skills-new') as typeof import('./commands/skills-new')).command,
  },
  {
    path: 'skills validate',
    summary: 'check your own skills',
    load: () => (require('./commands/skills-validate') as typeof import('./commands/skills-validate')).command,
  },
  {
    path: 'codec',
    summary: 'keys that encrypt what Temporal stores; new-key, use-key, show',
    load: group('codec', ['new-key', 'use-key', 'show']),
  },
  {
    path: 'codec new-key',
    summary: 'make a key, or add one to a file of keys',
    load: () => (require('./commands/codec-new-key') as typeof import('./commands/codec-new-key')).command,
  },
  {
    path: 'codec use-key',
    summary: 'let another key of a file seal',
    load: () => (require('./commands/codec-use-key') as typeof import('./commands/codec-use-key')).command,
  },
  {
    path: 'codec show',
    summary: 'whether payloads are encrypted, and by which keys',
    load: () => (require('./commands/codec-show') as typeof import('./commands/codec-show')).command,
  },
  {
    path: 'codec-server',
    summary: "plaintext for Temporal's web UI and command line",
    load: () => (require('./commands/codec-server') as typeof import('./commands/codec-server')).command,
  },
  {
    path: 'completion',
    summary: 'completion of commands for bash, zsh or fish',
    load: () => (require('./commands/completion') as typeof import('./commands/completion')).command,
  },
];
