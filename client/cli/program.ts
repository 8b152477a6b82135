import { Command as Commander, CommanderError, Option } from 'commander';
import { UsageError } from '../../plan/errors';
import { packageVersion } from '../version';
import type { Command, Raw } from './command';
import type { Globals } from './context';
import { makeContext } from './context';
import { exitCodeOf, explainError } from './errors';
import { EXIT } from './exit-codes';
import { GLOBAL_OPTIONS, WITH_VALUE } from './globals';
import { exampleText, helpEnd } from './help';
import type { Io } from './io';
import type { Entry } from './registry';
import { REGISTRY } from './registry';
import { humanShow } from './show/human';
import { jsonShow } from './show/json';
import { makeStyle, plural } from './show/style';
import type { Show } from './show/types';

/**
 * Runs one command line. Errors are shown and become exit codes here, and nowhere else.
 *
 * @param words what stands after the program's name
 * @returns the exit code; the caller must not end the process before the streams are flushed
 */
export async function run(words: readonly string[], io: Io): Promise<number> {
  // `help apply`, as git and npm know it.
  const argv = words[0] === 'help' ? [...words.slice(1), '--help'] : words;
  let code: number = EXIT.done;
  const program = buildProgram(argv, io, async (command, raw, globals) => {
    code = await perform(command, raw, globals, io);
  });
  try {
    // Without a command the help is the answer, and not an error.
    await program.parseAsync(commandWords(argv).length === 0 ? [...argv, '--help'] : [...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    io.stderr.write(explainError(error, makeStyle(colourOf(io, io.stderr, !argv.includes('--no-color')))));
    return exitCodeOf(error);
  }
}

type Perform = (command: Command, raw: Raw, globals: Globals) => Promise<void>;

async function perform(command: Command, raw: Raw, globals: Globals, io: Io): Promise<number> {
  const show = makeShow(globals, io);
  const context = makeContext(io, globals, show);
  try {
    return await command.invoke(context, raw);
  } catch (error) {
    show.close();
    io.stderr.write(explainError(error, show.style));
    return exitCodeOf(error);
  } finally {
    show.close();
    await context.close();
  }
}

function makeShow({ json, quiet, color }: Globals, io: Io): Show {
  const { stdout, stderr } = io;
  if (json) return jsonShow({ stdout, stderr, quiet, version: packageVersion() });
  return humanShow({ io, quiet, colour: { stdout: colourOf(io, stdout, color), stderr: colourOf(io, stderr, color) } });
}

/** NO_COLOR counts when it is set to anything (no-color.org). */
function colourOf(io: Io, stream: Io['stdout'], wanted: boolean): boolean {
  return wanted && !io.env.NO_COLOR && io.env.TERM !== 'dumb' && stream.isTTY === true;
}

/** The tree of commands: names for all of them, options and arguments only for the one that is meant. */
function buildProgram(argv: readonly string[], io: Io, act: Perform): Commander {
  const chosen = chosenPath(argv);
  const program = new Commander('planwright');
  program
    .description('Turns a goal into a plan of tasks and carries it out: durable, verified, approved file by file.')
    .usage('<command> [options]')
    .version(packageVersion(), '--version', 'show the version')
    .addHelpText('after', () => helpEnd());
  for (const [flags, about] of GLOBAL_OPTIONS) {
    const option = new Option(flags, about);
    program.addOption(flags.startsWith('-C ') ? option.argParser(collect) : option);
  }
  const made = new Map<string, Commander>([['', program]]);
  for (const entry of REGISTRY) {
    const words = entry.path.split(' ');
    const parent = made.get(words.slice(0, -1).join(' '));
    if (!parent) continue;
    const command = parent.command(words.at(-1) ?? '').description(entry.summary);
    made.set(entry.path, command);
    if (entry.path === chosen) describe(command, entry, program, act);
  }
  for (const command of made.values()) {
    command.exitOverride().helpCommand(false).helpOption('-h, --help', 'show this help');
    command.configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(`${text.replace(/^error: /, '✗ ').trimEnd()}\n  See: ${helpLine(chosen)}\n`),
    });
    command.showSuggestionAfterError(true).configureHelp({ showGlobalOptions: true });
  }
  return program;
}

function describe(commander: Commander, entry: Entry, program: Commander, act: Perform): void {
  const command = entry.load();
  if (command.about) commander.description(command.about);
  for (const { name, about, required } of command.args ?? []) {
    commander.argument(required ? `<${name}>` : `[${name}]`, about);
  }
  for (const { flags, about } of command.options ?? []) commander.addOption(new Option(flags, about));
  commander.addHelpText('after', () => exampleText(command.examples));
  commander.allowExcessArguments(true).action(async () => {
    const { args } = commander;
    const most = command.args?.length ?? 0;
    if (args.length > most) {
      throw new UsageError(
        `planwright ${entry.path} takes ${most === 0 ? 'no arguments' : plural(most, 'argument')}, and there ${args.length === 1 ? 'is 1' : `are ${args.length}`}.`,
        `Put words that belong together in quotes. See: ${helpLine(entry.path)}`,
      );
    }
    await act(command, { args, options: commander.opts() }, readGlobals(program.opts()));
  });
}

const helpLine = (path: string): string => `planwright ${path === '' ? '' : `${path} `}--help`;

/** An option that may be given several times. */
const collect = (word: string, before: string[] | undefined): string[] => [...(before ?? []), word];

function readGlobals(options: { readonly [name: string]: unknown }): Globals {
  const text = (name: string): string | undefined => {
    const value = options[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const dirs = Array.isArray(options.C) ? options.C.filter((dir) => typeof dir === 'string' && dir !== '') : [];
  return {
    dir: dirs.at(-1),
    ...(dirs.length > 0 ? { dirs } : {}),
    json: options.json === true,
    quiet: options.quiet === true,
    color: options.color !== false,
    address: text('address'),
    namespace: text('namespace'),
    profile: text('profile'),
  };
}

/** The words before any option of a command, at most two: they name the command. */
function commandWords(argv: readonly string[]): string[] {
  const words: string[] = [];
  for (let at = 0; at < argv.length && words.length < 2; at++) {
    const word = argv[at] ?? '';
    if (word === '--') break;
    if (!word.startsWith('-')) words.push(word);
    else if (WITH_VALUE.includes(word)) at += 1;
    // An option of a command: whatever follows is not the name of one.
    else if (!GLOBAL_OPTIONS.some(([flags]) => flags === word)) break;
  }
  return words;
}

/** Which command the words mean, so that only its file is loaded. Commander parses them again, properly. */
function chosenPath(argv: readonly string[]): string {
  const words = commandWords(argv);
  const paths = REGISTRY.map(({ path }) => path);
  return [words.join(' '), words[0] ?? ''].find((path) => paths.includes(path)) ?? '';
}
