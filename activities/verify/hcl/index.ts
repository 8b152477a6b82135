import { z } from 'zod';
import type { Finding } from '../../../plan/types';
import { libraryVersion } from '../library';
import { MAX_DEPTH } from '../nesting';
import { toolThread } from '../tool-thread';
import type { Outcome, Subject, Verifier, VerifyContext } from '../types';
import { declarations, referenceFindings } from './references';
import { scan } from './scan';

/** 2 M brackets took 1.7 GB in the parser. */
const MAX_LENGTH = 262_144;
const TIMEOUT_MS = 20_000;

/** HashiCorp's parser, a Go program as WebAssembly; it says where and what, and its tree is not needed. */
const hclThread = toolThread(
  'the HCL parser',
  `
const { parse } = require(data.entry);
return async ({ text }) => {
  try {
    await parse('file', text);
    return null;
  } catch (error) {
    return String(error && error.message || error);
  }
};`,
  () => ({ entry: require.resolve('@cdktn/hcl2json') }),
);

/** `parse config: [file:2,6-3,1: Invalid expression; Expected …, and 1 other diagnostic(s)]`. */
function syntaxFinding(said: string): Finding {
  const match = /file:(\d+),(\d+)[-\d,]*: ([\s\S]*)$/.exec(said);
  const message = (match?.[3] ?? said).replace(/\]$/, '');
  return {
    rule: 'hcl-syntax',
    severity: 'error',
    message,
    line: Number(match?.[1] ?? 1),
    column: Number(match?.[2] ?? 1),
  };
}

function depth(text: string): number {
  let open = 0;
  let deepest = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x28 || code === 0x5b || code === 0x7b) {
      open++;
      if (open > deepest) deepest = open;
    } else if ((code === 0x29 || code === 0x5d || code === 0x7d) && open > 0) open--;
  }
  return deepest;
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

async function run({ text, path }: Subject, context: VerifyContext): Promise<Outcome> {
  if (text.length > MAX_LENGTH) return refuse('too-large', `The file is longer than ${MAX_LENGTH} characters.`);
  if (depth(text) > 2 * MAX_DEPTH) return refuse('too-deep', `Nested deeper than ${2 * MAX_DEPTH} levels.`);
  if (/^[ \t]*[-!~]{200}|[!-]{500}/m.test(text)) return refuse('too-deep', 'A run of hundreds of operators.');
  const asked = await hclThread.call({ text }, TIMEOUT_MS, context.signal);
  if ('reason' in asked) return { findings: [], inconclusive: asked.reason };
  const said = z.string().nullable().parse(asked.answer);
  if (said !== null) return { findings: [syntaxFinding(said)] };
  if (!/\.tf$/i.test(path)) return { findings: [] };
  const own = scan(text);
  const others = [...context.siblings].filter(
    ([other, content]) =>
      other !== path && /\.tf$/i.test(other) && folderOf(other) === folderOf(path) && content.length <= MAX_LENGTH,
  );
  const declared = declarations([own, ...others.map(([, content]) => scan(content))]);
  return { findings: referenceFindings(own, declared) };
}

function refuse(rule: string, message: string): Outcome {
  return { findings: [{ rule, severity: 'error', message }] };
}

/** Terraform and other HCL by HashiCorp's parser; in .tf files our own checks of references across the folder's files. */
export const hclVerifier: Verifier = {
  id: 'hcl',
  version: libraryVersion('@cdktn/hcl2json', require.resolve('@cdktn/hcl2json')),
  applies: (path) => /\.(?:tf|tfvars|hcl)$/i.test(path),
  run,
};
