import type { FileView } from '../../../plan/view';
import type { Style } from './style';
import { plural, safe } from './style';

type Shown = Pick<FileView, 'path' | 'action' | 'state' | 'diffStat' | 'backup'>;

/** Files with `+` create, `~` change, where the old content is kept, and what became of the others. */
export function fileLines(files: readonly Shown[], style: Style): string[] {
  return files.map(({ path, action, state, diffStat, backup }) => {
    const mark = { create: style.good('+'), modify: style.warn('~'), unchanged: style.dim('=') }[action];
    const note = state === 'written' ? '' : style.dim(` (${state}, not written)`);
    const stat = action === 'unchanged' ? style.dim(' (unchanged)') : statText(diffStat, style);
    const kept = state === 'written' && backup !== null ? style.dim(`, backup ${safe(backup)}`) : '';
    return `${mark} ${safe(path)}${stat}${kept}${note}`;
  });
}

export function statText({ added, removed }: FileView['diffStat'], style: Style): string {
  return ` ${style.good(`+${added}`)} ${style.bad(`-${removed}`)}`;
}

/** The closing count. Nothing that an apply does deletes a file, and saying so is part of the answer. */
export function countLine(files: readonly Shown[]): string {
  const written = files.filter(({ state }) => state === 'written');
  const created = written.filter(({ action }) => action === 'create').length;
  const changed = written.filter(({ action }) => action === 'modify').length;
  return `${plural(created, 'file')} created, ${changed} changed, 0 deleted.`;
}
