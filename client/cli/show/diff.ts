import { escapeLinesForDisplay } from '../../../plan/display';
import type { GateView } from '../../../plan/view';
import type { PlanClient } from '../../types';
import type { Style } from './style';
import { safe } from './style';

/**
 * The change that a file gate is about, as a unified diff with everything hidden made visible. Contents come from
 * the object store, which re-hashes them: what is shown is what the gate's digest binds.
 *
 * @throws IntegrityError where an object is missing or was changed
 */
export async function gateDiff(client: PlanClient, gate: GateView, style: Style): Promise<string> {
  if (gate.sha256 === null) return 'This gate is not about a file: there is no diff.\n';
  const after = (await client.object(gate.sha256)).toString('utf8');
  const before = gate.preSha256 === null ? '' : (await client.object(gate.preSha256)).toString('utf8');
  return unifiedDiff(gate.path ?? '', gate.preSha256 === null ? null : before, after, style);
}

/** Limits that keep a hostile pair of files from taking minutes. */
const LIMITS = { maxEditLength: 2000, timeout: 2000 };

/** @param before null where the file is new */
export function unifiedDiff(path: string, before: string | null, after: string, style: Style): string {
  const { createTwoFilesPatch } = require('diff') as typeof import('diff');
  const names: [string, string] = [before === null ? '/dev/null' : `a/${safe(path)}`, `b/${safe(path)}`];
  const patch = createTwoFilesPatch(...names, before ?? '', after, undefined, undefined, { context: 3, ...LIMITS });
  if (patch === undefined) {
    return `${style.warn('The two versions differ too much for a diff; this is the new file whole.')}\n${shown(after, style, '')}`;
  }
  return shown(patch.replace(/^=+\n/, ''), style, 'diff');
}

function shown(text: string, style: Style, kind: 'diff' | ''): string {
  const lines = escapeLinesForDisplay(text.replace(/\n$/, '')).split('\n');
  return `${lines.map((line) => (kind === 'diff' ? coloured(line, style) : line)).join('\n')}\n`;
}

function coloured(line: string, style: Style): string {
  if (line.startsWith('+++') || line.startsWith('---')) return style.strong(line);
  if (line.startsWith('@@')) return style.accent(line);
  if (line.startsWith('+')) return style.good(line);
  return line.startsWith('-') ? style.bad(line) : line;
}
