import type { Finding } from '../../plan/types';
import { lineColumn, MAX_FINDINGS } from './findings';
import type { Subject, Verifier, VerifyContext } from './types';

/** One MiB unless the policy says otherwise: no DevOps file written by hand comes near it, and every parser here stays quick below it. */
const MAX_FILE_BYTES = 1_048_576;

/** Rules whose finding means that the content is not fit for any parser. */
export const UNUSABLE_RULES: ReadonlySet<string> = new Set(['too-large', 'not-utf8', 'nul']);

interface Suspect {
  rule: string;
  what: string;
}

/**
 * Characters that make a text read differently from what a machine does with it: CVE-2021-42574 ("Trojan Source") for
 * the bidirectional ones, U+E0000–E007F for text hidden from people and shown to models.
 */
const SUSPECT =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  /[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\u{e0000}-\u{e007f}]/gu;

function classify(code: number): Suspect {
  if (code === 0) return { rule: 'nul', what: 'a NUL byte' };
  if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return { rule: 'control-character', what: 'a control character' };
  const bidi = code === 0x61c || code === 0x200e || code === 0x200f;
  if (bidi || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) {
    return { rule: 'bidi-character', what: 'a character that changes the direction of the text' };
  }
  return { rule: 'invisible-character', what: 'an invisible character' };
}

function run({ bytes, text }: Subject, { fileBytes = MAX_FILE_BYTES }: VerifyContext): { findings: Finding[] } {
  if (bytes.length > fileBytes) {
    const message = `The file has ${bytes.length} bytes; at most ${fileBytes} are accepted.`;
    return { findings: [{ rule: 'too-large', severity: 'error', message }] };
  }
  const findings: Finding[] = [];
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const at = text.indexOf('\ufffd');
    const message = 'The content is not valid UTF-8.';
    findings.push({ rule: 'not-utf8', severity: 'error', message, ...lineColumn(text, Math.max(0, at)) });
  }
  for (const match of text.matchAll(SUSPECT)) {
    if (findings.length > MAX_FINDINGS) break;
    const code = match[0].codePointAt(0) ?? 0;
    // A joiner inside an emoji (for example a family) is how that emoji is spelled.
    if (
      code === 0x200d &&
      /(?:\p{Extended_Pictographic}|\ufe0f|[\u{1f3fb}-\u{1f3ff}])$/u.test(
        text.slice(Math.max(0, match.index - 2), match.index),
      )
    ) {
      continue;
    }
    const { rule, what } = classify(code);
    const isByteOrderMark = code === 0xfeff && match.index === 0;
    findings.push({
      rule: isByteOrderMark ? 'byte-order-mark' : rule,
      severity: isByteOrderMark ? 'warning' : 'error',
      message: isByteOrderMark
        ? 'The file begins with a byte order mark; leave it out.'
        : `The file holds ${what} (U+${code.toString(16).toUpperCase().padStart(4, '0')}); write it as an escape or leave it out.`,
      ...lineColumn(text, match.index),
    });
  }
  return { findings };
}

/** UTF-8, size, control, bidirectional and invisible characters (T08); runs on every file, before all others. */
export const textVerifier: Verifier = { id: 'text', version: 'planwright/1', applies: () => true, run };
