import { UsageError } from '../../../plan/errors';
import type { ArtifactFile } from '../../../plan/types';
import type { PlanView } from '../../../plan/view';
import { defineCommand, flag, list, nonEmpty } from '../command';
import { EXIT } from '../exit-codes';
import { taskIdOf } from '../plan-ref';
import { attemptChanges, changeDocument, changesOf, diffText, type FileChange } from '../show/artifact-diff';
import { numberOf } from '../show/plan-text';
import type { Style } from '../show/style';
import { plural, safe } from '../show/style';

interface Parsed {
  plan?: string;
  task?: string;
  attempts?: [number, number];
  detailedExitcode: boolean;
}

export const command = defineCommand<Parsed>({
  about:
    "Shows the files of a plan's artifacts, proposed or written, against what they replace, from the object store:\n" +
    'also when the workspace has moved on since.',
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' }],
  options: [
    { flags: '--task <task>', about: 'one task, by number or id' },
    { flags: '--attempts <a,b>', about: 'with --task: what changed from one generation to another' },
    { flags: '--detailed-exitcode', about: 'exit 0 where nothing changes, 2 where something does, 1 on an error' },
  ],
  examples: ['planwright plan diff', 'planwright plan diff --task 2', 'planwright plan diff --task 2 --attempts 1,2'],
  parse(raw) {
    const task = nonEmpty(raw, 'task');
    const attempts = attemptNumbers(list(raw, 'attempts'));
    if (attempts && task === undefined) {
      throw new UsageError('--attempts is for one task.', 'Say which: planwright plan diff --task 2 --attempts 1,2');
    }
    return { plan: raw.args[0], task, attempts, detailedExitcode: flag(raw, 'detailedExitcode') };
  },
  async run(context, { plan, task, attempts, detailedExitcode }) {
    const { show } = context;
    const client = await context.client({ readOnly: true });
    const { view } = await client.show(await client.resolve(plan));
    const ids = task === undefined ? view.graph.nodes.map(({ id }) => id) : [taskIdOf(view, task)];
    const files: FileChange[] = [];
    for (const id of ids) {
      if (attempts) {
        const [before, after] = attempts.map((number) => artifactOf(view, id, number));
        files.push(...(await attemptChanges(client, id, before ?? [], after ?? [])));
      } else {
        files.push(...(await changesOf(client, id, view.tasks[id]?.files ?? [])));
      }
    }
    const document = { plan: view.id, attempts: attempts ?? null, files: files.map(changeDocument) };
    show.document(document, (style) => text(view, files, style));
    if (files.length === 0) show.next([`planwright apply ${view.id} --dry-run`]);
    return detailedExitcode && files.some(changes) ? EXIT.changes : EXIT.done;
  },
});

const changes = ({ sha256, preSha256 }: FileChange): boolean => sha256 !== preSha256;

function attemptNumbers(given: string[] | undefined): [number, number] | undefined {
  if (given === undefined) return undefined;
  const [a, b, ...rest] = given.map(Number);
  if (rest.length === 0 && isNumber(a) && isNumber(b)) return [a, b];
  throw new UsageError(
    '--attempts takes two numbers of generations, separated by a comma.',
    'For example: --attempts 1,2',
  );
}

const isNumber = (value: number | undefined): value is number => Number.isSafeInteger(value) && (value ?? 0) > 0;

/** @throws UsageError naming the generations that are kept */
function artifactOf(view: PlanView, id: string, generation: number): readonly ArtifactFile[] {
  const task = view.tasks[id];
  const kept = new Map<number, readonly ArtifactFile[]>(
    (task?.earlier ?? []).map((one) => [one.generation, one.files]),
  );
  if (task && task.files.length > 0) kept.set(task.attempts, task.files);
  const found = kept.get(generation);
  if (found) return found;
  throw new UsageError(
    `Task ${numberOf(view, id)} has no artifact of generation ${generation}.`,
    kept.size > 0
      ? `It has: ${[...kept.keys()].join(', ')}.`
      : 'It has none at all yet: planwright apply --dry-run makes one.',
  );
}

function text(view: PlanView, files: readonly FileChange[], style: Style): string {
  if (files.length === 0) return `Plan ${view.id} has no artifacts yet.\n`;
  const parts = files.map((file) => {
    const state = file.state === null ? '' : style.dim(` (${file.state})`);
    const head = `Task ${numberOf(view, file.task)} ${safe(file.path)}${state}`;
    return changes(file) ? `${head}\n${diffText(file, style)}` : `${head}: unchanged\n`;
  });
  const changed = files.filter(changes).length;
  return `${parts.join('\n')}\n${plural(changed, 'file')} changed, ${files.length - changed} unchanged.\n`;
}
