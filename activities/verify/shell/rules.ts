import type { Finding } from '../../../plan/types';

interface Rule {
  rule: string;
  severity: Finding['severity'];
  /** On one logical line without comments; bounded, so that a hostile line costs linear time. */
  pattern: RegExp;
  message: string;
}

/** `$X`, `${X}` or `"$X"` without a default or a check (`${X:?}`, `${X:-y}`). */
const BARE_VARIABLE = String.raw`["']?\$(?:\w{1,60}|\{\w{1,60}\})["']?`;

const RULES: readonly Rule[] = [
  {
    rule: 'rm-variable',
    severity: 'error',
    pattern: new RegExp(
      String.raw`\brm[ \t]+(?:-{1,2}[\w-]{1,20}[ \t]+){1,4}(?:--[ \t]+)?${BARE_VARIABLE}/\*?["']?(?:[ \t;&|]|$)`,
    ),
    message: 'Where the variable is empty, this removes the root directory; write `${NAME:?}`.',
  },
  {
    rule: 'rm-root',
    severity: 'error',
    pattern: /\brm[ \t]+(?:-{1,2}[\w-]{1,20}[ \t]+){1,4}(?:--no-preserve-root[ \t]+)?\/(?:\*)?(?:[ \t;&|]|$)/,
    message: 'This removes the root directory.',
  },
  {
    rule: 'download-to-shell',
    severity: 'warning',
    pattern: /\b(?:curl|wget)\b[^|;&]{0,400}\|[ \t]*(?:sudo[ \t]+(?:-\w+[ \t]+)?)?(?:ba|da|z|k)?sh\b/,
    message: 'What a server sends is run unseen; download, check a digest, then run.',
  },
  {
    rule: 'world-writable',
    severity: 'warning',
    pattern: /\bchmod[ \t]+(?:-\w+[ \t]+)?(?:0?777|a\+rwx|ugo\+rwx)\b/,
    message: 'Everybody may write there; give the owner or a group the right.',
  },
  {
    rule: 'insecure-download',
    severity: 'warning',
    pattern: /\bcurl\b[^|;&]{0,300}[ \t](?:-k|--insecure)(?:[ \t]|$)|\bwget\b[^|;&]{0,300}--no-check-certificate/,
    message: 'The server is not checked; leave the flag out.',
  },
  {
    rule: 'fork-bomb',
    severity: 'error',
    pattern: /(\S{1,20})[ \t]*\(\)[ \t]*\{[ \t]*\1[ \t]*\|[ \t]*\1[ \t]*&[ \t]*\}/,
    message: 'A function that starts itself without end.',
  },
  {
    rule: 'device-overwrite',
    severity: 'error',
    pattern:
      /\bdd\b[^;|&]{0,200}\bof=\/dev\/(?:sd|nvme|hd|vd|xvd|mmcblk)|>[ \t]*\/dev\/(?:sd|nvme|hd|vd|xvd)|\bmkfs(?:\.\w{1,10})?[ \t]+(?:-\S{1,20}[ \t]+){0,6}\/dev\//,
    message: 'This overwrites a disk.',
  },
  {
    rule: 'test-assignment',
    severity: 'error',
    pattern:
      /(?:^|[;&|][ \t]*|\b(?:if|while|until|elif)[ \t]+(?:![ \t]+)?)\[[ \t]+[^\s\]=!<>]{1,60}=[^\s\]=]{1,60}[ \t]+\](?:[ \t]*(?:;|&&|\|\|)|[ \t]*$)/,
    message: 'Without spaces around "=" the test is always true.',
  },
];

/** Lines with a shellcheck pragma say what their author wanted unseen. */
const PRAGMA = /#[ \t]*shellcheck[ \t]+disable=/;

/** Rules on single lines: what destroys, what is run unseen, what silences a check. */
export function shellRules(text: string, path: string): Finding[] {
  const findings: Finding[] = [];
  const lines = text.split('\n');
  const quiet = hereDocumentLines(lines);
  let pragma = 0;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (PRAGMA.test(line)) {
      pragma++;
      if (pragma === 1) {
        const message = 'A comment turns checks off; external verifiers are told to ignore it where they can.';
        findings.push({ rule: 'pragma', severity: 'info', message, line: index + 1, column: 1 });
      }
    }
    if (quiet.has(index) || /^\s*#/.test(line)) continue;
    for (const { rule, severity, pattern, message } of RULES) {
      const match = pattern.exec(line.slice(0, 4000));
      if (match) findings.push({ rule, severity, message, line: index + 1, column: match.index + 1 });
    }
  }
  if (wantsErrexit(text, path)) {
    const message = 'The script goes on after a command that failed; begin with `set -eu` (bash: `set -euo pipefail`).';
    findings.push({ rule: 'no-errexit', severity: 'warning', message, line: 1, column: 1 });
  }
  return findings;
}

/** Zero-based lines inside here-documents: what stands there is text. */
function hereDocumentLines(lines: readonly string[]): Set<number> {
  const quiet = new Set<number>();
  let end: string | null = null;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (end !== null) {
      quiet.add(index);
      if (line.trim() === end) end = null;
      continue;
    }
    end =
      /(?<!<)<<-?[ \t]*(?:"(\w{1,60})"|'(\w{1,60})'|\\?(\w{1,60}))/.exec(line.slice(0, 4000))?.slice(1).find(Boolean) ??
      null;
  }
  return quiet;
}

function wantsErrexit(text: string, path: string): boolean {
  if (!text.startsWith('#!') || /(?:^|\/)\.?(?:profile|bashrc|completion)[^/]*$/.test(path)) return false;
  const commands = text.split('\n').filter((line) => line.trim() !== '' && !/^\s*#/.test(line));
  return (
    commands.length > 2 && !/^#!.*\s-\w*e|^[ \t]*set[ \t]+(?:-\w{0,20}e|-o[ \t]+errexit)|\|\|\s*exit\b/m.test(text)
  );
}
