import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { sha256 } from '../../../plan/digest';
import { DetachedError, FailedError, UsageError } from '../../../plan/errors';
import { defineCommand, flag, nonEmpty } from '../command';
import type { Context } from '../context';
import { EXIT } from '../exit-codes';
import { follow } from '../follow';
import { checkGoal } from '../goal';
import { checkName } from '../plan-ref';
import { nextCommands } from '../show/outcome-text';
import { planText } from '../show/plan-text';
import { plural, safe } from '../show/style';

/** The longest file that is read at all; the format has a limit of its own. */
const MOST_BYTES = 64 * 1024 * 1024;

interface Parsed {
  file: string;
  name?: string;
  refresh: boolean;
}

export const command = defineCommand<Parsed>({
  about:
    'Makes a plan of an exported one: a new plan here, with the generated files that it brought. The next apply verifies them by\n' +
    'the policy of this workspace, asks what it always asks, and writes exactly those bytes; no model is asked. Refused with\n' +
    'exit 5 where a file that they were made for is another one here.',
  args: [{ name: 'file', about: 'the export; "-" is stdin', required: true }],
  options: [
    { flags: '--name <name>', about: 'another name for the plan' },
    { flags: '--refresh', about: 'import all the same; what was made for other files is generated anew' },
  ],
  examples: ['planwright plan import plan.pwx', 'planwright plan import - < plan.pwx'],
  parse: (raw) => {
    const name = nonEmpty(raw, 'name');
    return { file: raw.args[0] ?? '', name: name && checkName(name), refresh: flag(raw, 'refresh') };
  },
  async run(context, { file, name, refresh }) {
    const { io, show } = context;
    const packed = await readExport(context, file);
    const layout = context.layout();
    const { plan, changed } = await io.rooms.prepareImport(layout, packed, refresh);
    const goal = checkGoal(plan.goal);
    const given = name ?? checkName(plan.name);
    const made = await io.rooms.initialise(layout);
    if (made.length > 0) show.note(`Made ${made.map(safe).join(', ')}.`);
    for (const { path } of changed) show.note(`${safe(path)} is another file here: its task is generated anew.`);
    const client = await context.client();
    const by = io.user();
    const id = await client.import({ ...plan, goal }, given, by);
    await client.use(id);
    const ending = await follow({
      ...{ client, id, io, show, by, before: null, atGate: 'stay' },
      settled: ({ status }) => status !== 'planning',
    });
    if (ending.kind !== 'settled') {
      const code = ending.kind === 'detached' && ending.by === 'SIGINT' ? 130 : 143;
      throw new DetachedError(`Plan ${id} was left while it was imported; it goes on by itself.`, code);
    }
    const { view } = ending;
    if (view.failure) throw new FailedError(`The plan cannot be used here: ${safe(view.failure.message)}`);
    const artifacts = plan.tasks.filter(({ artifact }) => artifact !== null).length;
    show.report((style) => planText(view, style));
    show.note(`sha256 ${sha256(packed)}`);
    show.note(
      `${plural(artifacts, 'task')} of ${plan.tasks.length} brought generated files: the next apply writes exactly those bytes, and asks no model for them.`,
    );
    const { gitHead } = plan.madeWith;
    if (gitHead !== null && view.context.gitHead !== null && gitHead !== view.context.gitHead) {
      show.note(
        `It was made on commit ${safe(gitHead.slice(0, 12))}; here is ${safe(view.context.gitHead.slice(0, 12))}.`,
      );
    }
    show.next([...(artifacts > 0 ? [`planwright plan diff ${id}`] : []), ...nextCommands(view)]);
    return EXIT.done;
  },
});

async function readExport({ io }: Context, file: string): Promise<Buffer> {
  const tooLarge = new UsageError(`The export is larger than ${MOST_BYTES} bytes.`, 'This is no exported plan.');
  if (file !== '-') {
    const path = resolve(io.cwd, file);
    try {
      const { size } = await stat(path);
      if (size > MOST_BYTES) throw tooLarge;
      return await readFile(path);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      const { code = 'unknown' } = error as NodeJS.ErrnoException;
      throw new UsageError(`The export cannot be read from ${safe(path)}: ${code}.`, 'Check its path.');
    }
  }
  if (io.stdin.isTTY) throw new UsageError('There is no export on stdin.', 'planwright plan import - < plan.pwx');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of io.stdin) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MOST_BYTES) throw tooLarge;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
