import { hint } from '../near';
import { isRecord, list, text } from '../values';
import { BLOCK, MODULES, PARAMETERS, REQUIRED, STATES, TASK } from './keys';
import type { Report } from './report';

const MAX_DEPTH = 30;

/** @param handlers names that `notify` may use; null where some are elsewhere */
export function taskFindings(
  tasks: readonly unknown[],
  at: (string | number)[],
  report: Report,
  handlers: ReadonlySet<string> | null,
): void {
  if (at.length > 2 * MAX_DEPTH) return;
  tasks.forEach((task, index) => {
    const path = [...at, index];
    if (!isRecord(task)) {
      report('structure', 'error', 'A task is a mapping.', path);
      return;
    }
    for (const name of [task.notify].flat()) {
      if (typeof name === 'string' && handlers && !handlers.has(name) && !name.includes('{{')) {
        report('unknown-handler', 'error', `There is no handler "${name.slice(0, 80)}".${hint(name, handlers)}`, [
          ...path,
          'notify',
        ]);
      }
    }
    for (const condition of [task.when].flat()) {
      if (typeof condition === 'string' && /^\s*\{\{[\s\S]*\}\}\s*$/.test(condition))
        report('when', 'warning', '`when` is an expression already; leave the braces out.', [...path, 'when']);
    }
    const parts = ['block', 'rescue', 'always'].filter((key) => task[key] !== undefined);
    if (parts.length > 0) {
      for (const key of Object.keys(task)) {
        if (!BLOCK.has(key))
          report('unknown-keyword', 'error', `A block has no keyword "${key.slice(0, 60)}".${hint(key, BLOCK)}`, [
            ...path,
            key,
          ]);
      }
      if (task.block === undefined) report('structure', 'error', '`rescue` and `always` need a `block`.', path);
      for (const part of parts) {
        if (Array.isArray(task[part])) taskFindings(list(task[part]), [...path, part], report, handlers);
        else report('structure', 'error', `\`${part}\` is a list of tasks.`, [...path, part]);
      }
      return;
    }
    oneTask(task, path, report);
  });
}

function oneTask(task: Record<string, unknown>, path: (string | number)[], report: Report): void {
  const rest = Object.keys(task).filter((key) => !TASK.has(key) && !/^with_\w+$/.test(key));
  const actions = [...rest, ...['action', 'local_action'].filter((key) => task[key] !== undefined)];
  if (actions.length === 0) {
    // A handler or a task that only names itself does nothing.
    report('no-action', 'error', 'The task names no module.', path);
    return;
  }
  if (actions.length > 1) {
    const slip = actions.find((key) => !known(key) && hint(key, TASK) !== '') ?? actions.find((key) => !known(key));
    const message =
      slip === undefined
        ? `The task names several modules: ${actions.slice(0, 3).join(', ')}.`
        : `A task has no keyword "${slip.slice(0, 60)}".${hint(slip, TASK)}`;
    report('unknown-keyword', 'error', message, [...path, slip ?? actions[1] ?? '']);
    return;
  }
  const [name = ''] = rest;
  if (name === '') return;
  if (!known(name)) {
    const near = hint(name.replace(/^ansible\.(?:builtin|legacy)\./, ''), [...MODULES, ...TASK]);
    report(
      'unknown-module',
      near === '' ? 'warning' : 'error',
      `"${name.slice(0, 60)}" is none of the modules that are known here.${near || ' Write its full name.'}`,
      [...path, name],
    );
    return;
  }
  if (task.loop !== undefined && Object.keys(task).some((key) => key.startsWith('with_')))
    report('loop', 'error', '`loop` and `with_…` exclude each other.', [...path, 'loop']);
  parameters(name, task, path, report);
}

function known(module: string): boolean {
  const builtin = /^ansible\.(?:builtin|legacy)\.(\w+)$/.exec(module)?.[1];
  return builtin !== undefined ? MODULES.has(builtin) : module.split('.').length >= 3 || MODULES.has(module);
}

function parameters(module: string, task: Record<string, unknown>, path: (string | number)[], report: Report): void {
  const short = module.replace(/^ansible\.(?:builtin|legacy)\./, '');
  const given = task[module];
  if (['command', 'shell'].includes(short) && (given === null || given === undefined || given === ''))
    report('parameters', 'error', `\`${short}\` needs a command.`, [...path, module]);
  if (!isRecord(given)) return;
  const allowed = Object.hasOwn(PARAMETERS, short) ? PARAMETERS[short] : undefined;
  for (const key of Object.keys(given)) {
    if (allowed && !allowed.has(key))
      report(
        'unknown-parameter',
        'error',
        `The module "${short}" has no parameter "${key.slice(0, 60)}".${hint(key, allowed)}`,
        [...path, module, key],
      );
  }
  const all = { ...(isRecord(task.args) ? task.args : {}), ...given };
  for (const choice of (Object.hasOwn(REQUIRED, short) ? REQUIRED[short] : undefined) ?? []) {
    if (!choice.some((key) => all[key] !== undefined))
      report('parameters', 'error', `The module "${short}" needs \`${choice.join('` or `')}\`.`, [...path, module]);
  }
  const states = Object.hasOwn(STATES, short) ? STATES[short] : undefined;
  const state = text(all.state);
  if (states && state !== '' && !state.includes('{{') && !states.has(state))
    report('parameters', 'error', `"${state.slice(0, 40)}" is no state of "${short}".${hint(state, states)}`, [
      ...path,
      module,
      'state',
    ]);
  const mode = given.mode;
  if (typeof mode === 'number' && ['copy', 'file', 'template'].includes(short))
    report('mode', 'warning', "Write the mode with quotes, as '0644': YAML reads a number.", [...path, module, 'mode']);
}
