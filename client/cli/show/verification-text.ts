import type { Finding, Level } from '../../../audit/report';
import { LEVELS, type Verified } from '../../audit/verify-plan';
import { dateOf } from './history-text';
import { type Style, safe, short } from './style';

/** Enough to see where two lines differ; the whole of them is in the document for programs. */
const SHOWN_CHARS = 400;

export function verificationText(verified: Verified, strict: boolean, style: Style): string {
  const { plan, log, head, levels, repairs, breaks, torn } = verified;
  const lines = [
    `${style.strong(safe(plan))}  ${safe(log)}`,
    `  ${head.size} entries${head.hash ? `, head ${head.hash}` : ''}`,
    '',
  ];
  for (const name of LEVELS) lines.push(...levelLines(name, levels[name], style));
  if (torn) {
    lines.push(
      style.dim(
        `  ${torn.segment}, byte ${torn.offset}: ${torn.bytes} bytes of a line that a killed writer left; the next write keeps and cuts them.`,
      ),
    );
  }
  if (repairs.length > 0) lines.push(style.warn(`! Repaired: entries ${repairs.join(', ')} tell what was found.`));
  for (const { seq, at, lost, quarantine } of breaks) {
    const many = lost === null ? '' : `, ${lost} entries are lost`;
    const line = `Declared break at entry ${seq} (${dateOf(at)})${many}; what stood there is in ${safe(quarantine)}.`;
    lines.push(strict ? style.bad(`✗ ${line}`) : style.warn(`! ${line}`));
  }
  return `${lines.join('\n')}\n`;
}

function levelLines(name: string, { state, findings, notes }: Level, style: Style): string[] {
  const word = `${name.padEnd(10)} ${state}`;
  const head = {
    held: style.good(`✓ ${word}`),
    broken: style.bad(`✗ ${word}`),
    'not to be had': style.dim(`- ${word}`),
  };
  return [
    head[state],
    ...findings.flatMap((finding) => findingLines(finding, style)),
    ...notes.map((note) => style.dim(`    ${safe(note)}`)),
  ];
}

function findingLines({ what, seq, segment, offset, expected, actual }: Finding, style: Style): string[] {
  const where = [seq === null ? null : `entry ${seq}`, segment === null ? null : `${segment}, byte ${offset}`];
  const place = where.filter((part) => part !== null).join(', ');
  return [
    style.bad(`    ${safe(what)}${place === '' ? '' : `: ${place}`}`),
    `      expected  ${short(expected, SHOWN_CHARS)}`,
    `      actual    ${short(actual, SHOWN_CHARS)}`,
  ];
}
