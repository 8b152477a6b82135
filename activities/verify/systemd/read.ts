import type { Finding } from '../../../plan/types';

export interface Entry {
  section: string;
  key: string;
  value: string;
  line: number;
}

/** Reads a unit file as systemd.syntax(7) has it: comments, sections, assignments, a backslash at a line's end. */
export function readUnit(text: string): {
  entries: Entry[];
  heads: { name: string; line: number }[];
  findings: Finding[];
} {
  const entries: Entry[] = [];
  const heads: { name: string; line: number }[] = [];
  const findings: Finding[] = [];
  const lines = text.split(/\r?\n/);
  let section: string | null = null;
  for (let index = 0; index < lines.length; index++) {
    const start = index + 1;
    const first = (lines[index] ?? '').trim();
    if (first === '' || first.startsWith('#') || first.startsWith(';')) continue;
    const parts: string[] = [];
    for (let line = lines[index] ?? ''; ; line = lines[++index] ?? '') {
      // Comments between continued lines are skipped.
      const comment = parts.length > 0 && /^\s*[#;]/.test(line);
      if (!comment) parts.push(line.replace(/\\$/, ' '));
      if (!(comment || line.endsWith('\\')) || index + 1 >= lines.length) break;
    }
    const whole = parts.join('').trim();
    const head = /^\[([^\]]*)\]$/.exec(whole);
    const at = { line: start, column: 1 };
    if (head) {
      section = head[1] ?? '';
      heads.push({ name: section, line: start });
      continue;
    }
    const assignment = /^([^=\s]+)\s*=\s*([\s\S]*)$/.exec(whole);
    if (!assignment) {
      findings.push({
        rule: 'syntax',
        severity: 'error',
        message: 'The line is neither a section nor `Key=value`.',
        ...at,
      });
    } else if (section === null) {
      findings.push({
        rule: 'syntax',
        severity: 'error',
        message: 'An assignment stands before the first section.',
        ...at,
      });
    } else entries.push({ section, key: assignment[1] ?? '', value: (assignment[2] ?? '').trim(), line: start });
  }
  return { entries, heads, findings };
}
