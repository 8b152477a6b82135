import type { PlanView, RunView } from '../../plan/view';
import type { PlanClient } from '../types';
import type { Context } from './context';
import { EXIT } from './exit-codes';
import { exitOf } from './outcome';
import { changesOf, diffText, type FileChange } from './show/artifact-diff';
import { firstLine } from './show/failure-text';
import { statText } from './show/file-list';
import { outcomeText } from './show/outcome-text';
import { numberOf } from './show/plan-text';
import type { Style } from './show/style';
import { plural, safe } from './show/style';

/** Shows what a dry run came to: each file with its diff and its backup, then the count. @returns the exit code */
export async function showDryRun(
  { show, globals }: Context,
  client: PlanClient,
  view: PlanView,
  runNumber: number | null,
  detailed: boolean,
): Promise<number> {
  const run = view.runs.find(({ number }) => number === runNumber);
  const code = exitOf(view, run);
  if (!run || run.status === 'cancelled') {
    show.report((style) => outcomeText(view, run, style));
    return code;
  }
  // Programs have had the files as events; the diffs are for people.
  const changes = globals.json ? [] : await previewed(client, view, run);
  show.report((style) => text(view, run, changes, style));
  if (code === EXIT.done) show.next([`planwright apply ${view.id}`, `planwright plan diff ${view.id}`]);
  else show.next([`planwright plan show ${view.id}`, `planwright apply ${view.id} --dry-run`]);
  const something = run.tasks.some((id) => view.tasks[id]?.files.some(({ action }) => action !== 'unchanged'));
  return code === EXIT.done && detailed && something ? EXIT.changes : code;
}

async function previewed(client: PlanClient, view: PlanView, run: RunView): Promise<FileChange[]> {
  const changes: FileChange[] = [];
  for (const id of run.tasks) {
    if (run.previews?.[id]?.result === 'generated') {
      changes.push(...(await changesOf(client, id, view.tasks[id]?.files ?? [])));
    }
  }
  return changes;
}

function text(view: PlanView, run: RunView, changes: readonly FileChange[], style: Style): string {
  const parts = [`Dry run of ${style.strong(`${view.id} (${safe(view.name)})`)}: nothing is written.`];
  for (const id of run.tasks) {
    const { result = 'skipped', reason } = run.previews?.[id] ?? {};
    const tool = view.graph.nodes.find((node) => node.id === id)?.tool ?? id;
    const title = `Task ${numberOf(view, id)} ${safe(tool)}`;
    if (result === 'generated') {
      const own = changes.filter(({ task }) => task === id);
      parts.push([style.strong(title), ...own.map((change) => fileText(view, change, style))].join('\n'));
    } else {
      parts.push(`${style.bad('✗')} ${title} ${result}${reason ? `: ${firstLine(reason)}` : ''}`);
    }
  }
  const count = (action: FileChange['action']): number => changes.filter((change) => change.action === action).length;
  const unchanged = count('unchanged') > 0 ? `, ${count('unchanged')} unchanged` : '';
  parts.push(
    `Summary: ${plural(count('create'), 'file')} would be created, ${count('modify')} modified${unchanged}. ` +
      'No files were written; the next apply writes exactly these bytes.',
  );
  return `${parts.join('\n\n')}\n`;
}

function fileText(view: PlanView, change: FileChange, style: Style): string {
  const path = safe(change.path);
  if (change.action === 'unchanged') return `  = ${path} is as it would be written`;
  const file = view.tasks[change.task]?.files.find((one) => one.path === change.path);
  const stat = file ? statText(file.diffStat, style) : '';
  const asked = file?.risk === 'HIGH' ? ` · risk ${style.risk('HIGH')}` : '';
  const backup = change.backup === null ? '' : `, backup ${safe(change.backup)}`;
  const head =
    change.action === 'create'
      ? `  ${style.good('+')} Would create: ${path}${stat}${asked}`
      : `  ${style.warn('~')} Would modify: ${path}${stat}${asked}${backup}`;
  const diff = diffText(change, style).trimEnd();
  return `${head}\n${diff
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')}`;
}
