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

/** All commands, in the order of the help. One file each, loaded when it is run. */
export const REGISTRY: readonly Entry[] = [
  {
    path: 'init',
    summary: 'make .planwright/ with settings and policy',
    load: () => (require('./commands/init') as typeof import('./commands/init')).command,
  },
  { path: 'plan', summary: 'make a plan for a goal; also new, list, show, diff, use, delete, clean', load: planNew },
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
    path: 'worker',
    summary: "run the workspace's worker in the foreground",
    load: () => (require('./commands/worker') as typeof import('./commands/worker')).command,
  },
];
