import { z } from 'zod';
import type { Finding } from '../../../plan/types';
import { libraryVersion } from '../library';
import { MAX_DEPTH } from '../nesting';
import { toolThread } from '../tool-thread';
import type { Outcome, Subject, Verifier, VerifyContext } from '../types';
import { shellRules } from './rules';

/** The parser is recursive, and takes 1 s for a megabyte. */
const MAX_LENGTH = 262_144;
const TIMEOUT_MS = 20_000;

const faultSchema = z.union([z.null(), z.object({ message: z.string(), line: z.number(), column: z.number() })]);

/** mvdan/sh, a Go program as WebAssembly; it is compiled once, and gets a fresh instance a file. */
const shellThread = toolThread(
  'the shell parser',
  `
const { readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { getProcessor, LangVariant } = require(data.entry);
const compiled = WebAssembly.compile(readFileSync(join(dirname(dirname(data.entry)), 'main.wasm')));
const parse = getProcessor(async (imports) => new WebAssembly.Instance(await compiled, imports));
return async ({ text, posix }) => {
  try {
    await parse(text, { filepath: 'script', variant: posix ? LangVariant.LangPOSIX : LangVariant.LangBash });
    return null;
  } catch (error) {
    if (!error || !error.Pos) throw error;
    return { message: String(error.Text), line: Number(error.Pos.Line) || 1, column: Number(error.Pos.Col) || 1 };
  }
};`,
  () => ({ entry: require.resolve('sh-syntax') }),
);

/** What the first line says: the shell's name, or null where it names none. */
export function interpreter(text: string): string | null {
  const line = /^#![ \t]*([^\r\n]{1,200})/.exec(text)?.[1] ?? '';
  const [program = '', ...rest] = line.trim().split(/[ \t]+/);
  const name = program.replace(/^.*\//, '');
  const named = name === 'env' ? (rest.find((word) => !word.startsWith('-') && !word.includes('=')) ?? '') : name;
  return named === '' ? null : named.replace(/^.*\//, '');
}

const SHELLS = new Set(['sh', 'bash', 'dash', 'ash', 'ksh']);

/** Groups are opened by `(`, `{`, `$(` and the words of compounds; the parser takes one level of the stack for each. */
function depth(text: string): number {
  let open = 0;
  let deepest = 0;
  for (const match of text.matchAll(/[({]|[)}]|\b(?:if|case|for|while|until)\b|\b(?:fi|esac|done)\b|`/g)) {
    const token = match[0];
    if (token === ')' || token === '}' || token === 'fi' || token === 'esac' || token === 'done')
      open = Math.max(0, open - 1);
    else if (token !== '`') open++;
    if (open > deepest) deepest = open;
  }
  return deepest;
}

async function run({ text, path }: Subject, context: VerifyContext): Promise<Outcome> {
  if (text.length > MAX_LENGTH) return refuse('too-large', `The script is longer than ${MAX_LENGTH} characters.`);
  if (depth(text) > 5 * MAX_DEPTH)
    return refuse('too-deep', `The script is nested deeper than ${5 * MAX_DEPTH} levels.`);
  const shell = interpreter(text);
  if (shell !== null && !SHELLS.has(shell)) {
    return { findings: [], inconclusive: `"${shell.slice(0, 40)}" is not a shell that the parser knows` };
  }
  // Without a first line, people run it by bash or source it; the wider language is the safe guess.
  const posix = shell === 'sh' || shell === 'dash' || shell === 'ash';
  const asked = await shellThread.call({ text, posix }, TIMEOUT_MS, context.signal);
  const findings: Finding[] = shellRules(text, path);
  if ('reason' in asked) return { findings, inconclusive: asked.reason };
  const fault = faultSchema.parse(asked.answer);
  // `$((cmd) 2>&1)` is a substitution to bash and arithmetic to the parser.
  if (fault && /arithmetic/.test(fault.message))
    return { findings, inconclusive: `the parser does not understand line ${fault.line}` };
  if (fault) findings.unshift({ rule: 'shell-syntax', severity: 'error', ...fault });
  return { findings };
}

function refuse(rule: string, message: string): Outcome {
  return { findings: [{ rule, severity: 'error', message }] };
}

/** Shell scripts by the parser of shfmt, and our own rules on what destroys. Nothing is run. */
export const shellVerifier: Verifier = {
  id: 'shell',
  version: libraryVersion('sh-syntax', require.resolve('sh-syntax')),
  applies: (path, text) =>
    /\.(?:sh|bash)$/i.test(path) ||
    (!/\.[A-Za-z0-9]+$/.test(path) && text.startsWith('#!') && SHELLS.has(interpreter(text) ?? '')),
  run,
};
