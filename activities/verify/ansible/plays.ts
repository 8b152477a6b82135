import { hint } from '../near';
import { isRecord, list, text } from '../values';
import { PLAY } from './keys';
import type { Report } from './report';
import { taskFindings } from './tasks';

/** The plays of a playbook. */
export function playFindings(plays: readonly unknown[], report: Report): void {
  plays.forEach((play, index) => {
    if (!isRecord(play)) {
      report('structure', 'error', 'A play is a mapping.', [index]);
      return;
    }
    if (
      play.import_playbook !== undefined ||
      play['ansible.builtin.import_playbook'] !== undefined ||
      play.include !== undefined
    )
      return;
    if (play.hosts === undefined || play.hosts === null || play.hosts === '')
      report('no-hosts', 'error', 'The play does not say `hosts`.', [index]);
    for (const key of Object.keys(play)) {
      if (!PLAY.has(key) && !/^with_/.test(key))
        report('unknown-keyword', 'error', `A play has no keyword "${key.slice(0, 60)}".${hint(key, PLAY)}`, [
          index,
          key,
        ]);
    }
    const handlers = handlerNames(list(play.handlers));
    // Handlers of roles and of included files are not here.
    const open =
      list(play.roles).length > 0 ||
      JSON.stringify(play).includes('_role') ||
      /(?:include|import)_tasks/.test(JSON.stringify(play.handlers ?? ''));
    for (const section of ['pre_tasks', 'tasks', 'post_tasks', 'handlers']) {
      const value = play[section];
      if (value === undefined || value === null) continue;
      if (!Array.isArray(value)) report('structure', 'error', `\`${section}\` is a list.`, [index, section]);
      else taskFindings(value, [index, section], report, open ? null : handlers);
    }
    if (play.roles !== undefined && play.roles !== null && !Array.isArray(play.roles))
      report('structure', 'error', '`roles` is a list.', [index, 'roles']);
  });
}

function handlerNames(handlers: readonly unknown[]): Set<string> {
  const names = new Set<string>();
  for (const handler of handlers) {
    if (!isRecord(handler)) continue;
    for (const name of [handler.name, ...[handler.listen].flat()]) if (text(name) !== '') names.add(text(name));
    for (const name of handlerNames(list(handler.block))) names.add(name);
  }
  return names;
}
