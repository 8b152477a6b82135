import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { sha256 } from '../../../plan/digest';
import { UsageError } from '../../../plan/errors';
import { defineCommand, flag } from '../command';
import type { Context } from '../context';
import { EXIT } from '../exit-codes';
import { plural, safe } from '../show/style';

interface Parsed {
  file: string;
  plan?: string;
  overwrite: boolean;
}

export const command = defineCommand<Parsed>({
  about:
    'Writes a plan with its generated files into one file, to be imported in another workspace or on another machine: plan and\n' +
    'dry run in one job, approval and apply in another. The file is bound to the files that the plan was made for; it holds\n' +
    'no key, no setting of this machine and no other file of the workspace. Decisions and history stay here.',
  args: [
    { name: 'file', about: 'where to write it; "-" is stdout', required: true },
    { name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' },
  ],
  options: [{ flags: '--overwrite', about: 'replace a file that is there' }],
  examples: ['planwright plan export plan.pwx', 'planwright plan export - latest > plan.pwx'],
  parse: (raw) => ({ file: raw.args[0] ?? '', plan: raw.args[1], overwrite: flag(raw, 'overwrite') }),
  async run(context, { file, plan, overwrite }) {
    const { show } = context;
    checkTarget(context, file);
    const client = await context.client();
    const { view } = await client.show(await client.resolve(plan));
    const { carried, bases, packed } = await context.io.rooms.exportPlan(client, view);
    await deliver(context, file, packed, overwrite);
    const artifacts = carried.tasks.filter(({ artifact }) => artifact !== null).length;
    const digest = sha256(packed);
    const open = carried.tasks.length - artifacts;
    const what = `${plural(carried.tasks.length, 'task')}, ${artifacts} with generated files, ${plural(packed.length, 'byte')}`;
    if (file === '-') show.note(`Exported ${view.id}: ${what}, sha256 ${digest}`);
    else {
      show.document({ plan: view.id, file, sha256: digest, bytes: packed.length, bases }, (style) =>
        [`${style.good('✓')} Exported ${view.id} to ${safe(file)}: ${what}`, `  sha256 ${digest}`, ''].join('\n'),
      );
    }
    if (open > 0) {
      show.note(
        `${plural(open, 'task')} without generated files: where it is imported, the model is asked for them. A dry run before the export makes them: planwright apply ${view.id} --dry-run`,
      );
    }
    if (file !== '-') show.next([`planwright plan import ${safe(file)}`]);
    return EXIT.done;
  },
});

function checkTarget({ io, globals }: Context, file: string): void {
  if (file !== '-') return;
  if (globals.json) throw new UsageError('With "-" stdout is the export itself.', 'Name a file, or leave out --json.');
  if (io.stdout.isTTY) throw new UsageError('An export is no text for a terminal.', 'planwright plan export plan.pwx');
}

async function deliver({ io }: Context, file: string, packed: Buffer, overwrite: boolean): Promise<void> {
  if (file === '-') {
    await new Promise<void>((done, failed) => io.stdout.write(packed, (error) => (error ? failed(error) : done())));
    return;
  }
  const path = resolve(io.cwd, file);
  try {
    const handle = await open(path, overwrite ? 'w' : 'wx');
    try {
      await handle.writeFile(packed);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST')
      throw new UsageError(`${safe(path)} is there already.`, 'Name another, or pass --overwrite.');
    throw new UsageError(`The export cannot be written to ${safe(path)}: ${code}.`, 'Name a file that can be written.');
  }
}
