import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { UsageError } from '../../../plan/errors';
import { nearest } from '../../../plan/graph';
import type { TaskGraph } from '../../../plan/types';
import type { PlanView } from '../../../plan/view';
import type { PlanClient } from '../../types';
import { defineCommand, flag, MODEL_OPTIONS, modelFlags, nonEmpty, timeout } from '../command';
import type { Context } from '../context';
import { EXIT } from '../exit-codes';
import { follow } from '../follow';
import { checkGoal, readGoal } from '../goal';
import { planningExit } from '../outcome';
import { checkName, nameFromGoal } from '../plan-ref';
import type { ModelFlags } from '../rooms';
import { applyAndFollow, showEnding } from '../run-plan';
import { failureText } from '../show/failure-text';
import { nextCommands } from '../show/outcome-text';
import { planText } from '../show/plan-text';
import { safe } from '../show/style';

interface Parsed {
  words?: string;
  file?: string;
  graph?: string;
  name?: string;
  model: ModelFlags;
  timeoutMs: number;
  execute: boolean;
  yes: boolean;
}

/** What `plan <word>` is most likely a slip for: a goal of one such word would be no goal. */
const SUBCOMMANDS = ['new', 'list', 'show', 'diff', 'use', 'delete', 'clean', 'export', 'import'];

export const command = defineCommand<Parsed>({
  about:
    'Reads the workspace, makes a plan for the goal and shows it. Nothing is written before `planwright apply`. ' +
    'The goal is the argument, the content of -f FILE (- is stdin), or stdin where it is not a terminal.',
  args: [{ name: 'goal', about: 'what should be there in the end, in quotes' }],
  options: [
    { flags: '-f, --file <file>', about: 'read the goal from a file; - is stdin' },
    { flags: '--graph <file>', about: 'take a task graph (JSON) made elsewhere; no model is asked' },
    { flags: '--name <name>', about: "the plan's name" },
    ...MODEL_OPTIONS,
    { flags: '--timeout <seconds>', about: 'for one call of the model (60)' },
    { flags: '--execute', about: 'apply the plan as soon as it is made' },
    { flags: '--yes', about: 'with --execute: approve every file of a LOW or MEDIUM plan' },
  ],
  examples: [
    'planwright plan "Set up CI/CD with GitHub Actions, a Dockerfile and docker-compose for this Node.js app"',
    'planwright plan -f goal.txt --name release-pipeline',
    'echo "Add a Makefile" | planwright plan --json',
    'planwright plan --graph graph.json --execute --yes',
  ],
  parse(raw) {
    const words = raw.args[0];
    const meant = words === undefined ? null : nearest(words.trim(), SUBCOMMANDS);
    if (meant !== null) {
      throw new UsageError(
        `There is no command \`planwright plan ${safe(words?.trim() ?? '')}\`. Did you mean \`planwright plan ${meant}\`?`,
        'If that is your goal, say a little more. See: planwright plan --help',
      );
    }
    const name = nonEmpty(raw, 'name');
    const yes = flag(raw, 'yes');
    if (yes && !flag(raw, 'execute')) {
      throw new UsageError(
        '--yes approves files, and without --execute nothing is written.',
        'Add --execute, or leave out --yes.',
      );
    }
    return {
      words,
      file: nonEmpty(raw, 'file'),
      graph: nonEmpty(raw, 'graph'),
      name: name === undefined ? undefined : checkName(name),
      model: modelFlags(raw),
      timeoutMs: timeout(raw) ?? 60_000,
      execute: flag(raw, 'execute'),
      yes,
    };
  },
  async run(context, parsed) {
    const { io, show } = context;
    const graph = parsed.graph === undefined ? undefined : await readGraph(context, parsed.graph);
    const goal = await goalOf(context, parsed);
    const settings = await context.settings(parsed.model);
    // What could be refused was refused: from here on the directory is a workspace.
    const made = await io.rooms.initialise(context.layout());
    if (made.length > 0) show.note(`Made ${made.map(safe).join(', ')}.`);
    show.note(
      graph ? `plan: from ${safe(parsed.graph ?? '')}, no model is asked · ${settings.choice}` : settings.choice,
    );
    const client = await context.client();
    const name = parsed.name ?? nameFromGoal(goal);
    const by = io.user();
    const id = await client.create({ goal, name, by, settings: settings.model, graph, timeoutMs: parsed.timeoutMs });
    const ending = await follow({
      client,
      id,
      io,
      show,
      before: null,
      by,
      atGate: 'stay',
      settled: ({ status }) => status !== 'planning',
    });
    if (ending.kind !== 'settled') {
      await client.use(id);
      return showEnding(context, id, ending, null);
    }
    return planned(context, client, ending.view, parsed);
  },
});

async function planned(context: Context, client: PlanClient, view: PlanView, parsed: Parsed): Promise<number> {
  const { show, io } = context;
  if (view.graph.nodes.length === 0) {
    const { failure } = view;
    const { first, rest } = failureText(failure ?? { message: view.reason ?? 'it has no tasks' });
    show.demand([`${show.style.bad('✗')} The plan could not be made: ${first}`, ...rest.map((line) => `  ${line}`)]);
    const code = view.status === 'cancelled' ? EXIT.usage : planningExit(failure);
    const raw = view.raw === null ? [] : [`planwright plan show ${view.id} --raw`];
    show.next(code === EXIT.unreachable ? ['planwright doctor'] : [...raw, 'planwright plan "<goal>"']);
    return code;
  }
  await client.use(view.id);
  show.report((style) => planText(view, style));
  if (parsed.execute) {
    const request = { by: io.user(), yes: parsed.yes, timeoutMs: parsed.timeoutMs };
    return applyAndFollow(context, client, view, request, { detach: false });
  }
  show.next(nextCommands(view));
  return EXIT.done;
}

async function goalOf({ io }: Context, parsed: Parsed): Promise<string> {
  const { words, file, graph } = parsed;
  // With a graph the goal is only a title, so it is not worth waiting for stdin.
  if (graph !== undefined && words === undefined && file === undefined)
    return checkGoal(`Carry out the tasks of ${safe(basename(graph))}`);
  return readGoal({ words, file }, io);
}

async function readGraph({ io }: Context, file: string): Promise<TaskGraph> {
  const path = resolve(io.cwd, file);
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      `The graph cannot be read from ${safe(path)}: ${error.code ?? error.message}.`,
      'Check the path of --graph.',
    );
  });
  try {
    return io.rooms.parseTaskGraph(content);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const advice =
      'A graph is {"nodes": [{"id": "1", "tool": "dockerfile", "description": "…", "input": {}, "deps": []}]}.';
    throw new UsageError(`${safe(file)} is no task graph. ${error.message}`, advice, { cause: error });
  }
}
