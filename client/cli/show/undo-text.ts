import { escapeLinesForDisplay } from '../../../plan/display';
import type { UndoneFile } from '../../../plan/steps';
import type { PlanView, UndoView } from '../../../plan/view';
import { failureText } from './failure-text';
import type { Style } from './style';
import { plural, safe } from './style';

const LEFT: readonly UndoneFile['outcome'][] = ['changed', 'refused', 'failed'];

/** What a rollback or a clean did with each file, what it left and why, and the count. */
export function undoText(view: PlanView, undo: UndoView, style: Style): string {
  const done = undo.files.filter(({ outcome }) => !LEFT.includes(outcome));
  const left = undo.files.filter(({ outcome }) => LEFT.includes(outcome));
  const verb = undo.kind === 'rollback' ? 'Rolling back' : 'Cleaning';
  const lines = [`${verb} ${style.strong(`${view.id} (${safe(view.name)})`)}`, ''];
  lines.push(...done.flatMap((file) => doneLines(file, undo, style)));
  lines.push(...undo.directories.map((path) => `${style.good('✓')} Removed the empty directory: ${safe(path)}`));
  lines.push(...left.flatMap((file) => leftLines(file, style)));
  lines.push(...undo.directoriesLeft.map(({ reason }) => `${style.bad('✗')} ${safe(reason)}`));
  if (undo.error) {
    const { first, rest } = failureText(undo.error);
    lines.push(`${style.bad('✗')} ${first}`, ...rest.map((line) => `  ${line}`));
  }
  return `${lines.join('\n')}\n\n${summary(undo, style)}\n`;
}

function doneLines(file: UndoneFile, { kind }: UndoView, style: Style): string[] {
  const path = safe(file.path);
  const tick = style.good('✓');
  const lines = {
    deleted: `${tick} ${kind === 'rollback' ? 'Deleted' : 'Removed'}: ${path}`,
    restored: `${tick} Restored: ${path}`,
    gone: `${style.dim('=')} Already gone: ${path}`,
    original: `${style.dim('=')} Nothing of the plan stands there: ${path}`,
  };
  const line = lines[file.outcome as keyof typeof lines];
  return [line, ...keptLines(file), ...backupLines(file, kind)];
}

function backupLines({ backup }: UndoneFile, kind: UndoView['kind']): string[] {
  if (backup === null) return [];
  return [
    kind === 'clean'
      ? `  What stood there before the plan stays in ${safe(backup)}.`
      : `  ${safe(backup)} was changed since the plan made it, and stays.`,
  ];
}

function leftLines(file: UndoneFile, style: Style): string[] {
  const word = { changed: 'Kept', refused: 'Refused', failed: 'Failed' }[file.outcome as 'changed'];
  const lines = (text: string | null): string[] => (text === null ? [] : escapeLinesForDisplay(text).split('\n'));
  return [
    `${style.bad('✗')} ${word}: ${safe(file.path)}`,
    ...[...lines(file.reason), ...lines(file.advice)].map((line) => `  ${line}`),
    ...keptLines(file),
    ...(file.backup === null ? [] : [`  What stood there before the plan is in ${safe(file.backup)}.`]),
  ];
}

function keptLines({ kept }: UndoneFile): string[] {
  if (kept === null) return [];
  return [`  Its changed content is kept as .planwright/objects/${kept.slice(0, 2)}/${kept.slice(2)}`];
}

function summary(undo: UndoView, style: Style): string {
  const count = (...outcomes: UndoneFile['outcome'][]): number =>
    undo.files.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const left = count(...LEFT);
  const name = undo.kind === 'rollback' ? 'Rollback' : 'Clean';
  const told = [
    `${plural(count('deleted'), 'file')} ${undo.kind === 'rollback' ? 'deleted' : 'removed'}`,
    ...(undo.kind === 'rollback' ? [`${count('restored')} restored`] : []),
    ...(left > 0 ? [`${left} left as ${left === 1 ? 'it is' : 'they are'}`] : []),
  ].join(', ');
  if (undo.status === 'completed') return `${style.good(`${name} complete`)}: ${told}.`;
  return `${style.bad(undo.status === 'failed' ? `${name} failed` : `${name} incomplete`)}: ${told}.`;
}
