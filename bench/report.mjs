/** Figures as text. Ratios first: milliseconds belong to one machine on one day. */

/** Aim of issue 4, as multiples of plain promises: chain, wide, lattice, uneven. */
const AIMS = {
  500: { chain: 1.1, wide: 2.5, lattice: 1.2, uneven: 1.03 },
  50: { chain: 1.6, wide: 8, lattice: 2.2, uneven: 1.5 },
};

/** The middle of some numbers; of an even count the mean of both. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const ms = (value) => (value === undefined ? '' : `${value < 100 ? value.toFixed(1) : Math.round(value)}`);
const ratio = (of, to) => (of === undefined || to === undefined ? '' : (of / to).toFixed(2));

function table(head, rows) {
  const all = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  return all.map((row) => row.map((text, column) => text.padStart(widths[column])).join('  ')).join('\n');
}

export function shapesText(rows) {
  const head = [
    'shape',
    'tasks',
    'model ms',
    'promises ms',
    'planwright ms',
    'x promises',
    'aim',
    'untuned x promises',
    'langgraph x promises',
  ];
  const lines = rows.map(({ shape, tasks, latencyMs, medians }) => {
    const { planwright, promises, untuned, langgraph } = medians;
    const aim = AIMS[latencyMs]?.[shape] ?? '';
    const times = [ratio(planwright, promises), aim, ratio(untuned, promises), ratio(langgraph, promises)];
    return [shape, tasks, latencyMs, ms(promises), ms(planwright), ...times];
  });
  return table(head, lines);
}

export function figuresText({ figures, scale, left }) {
  const lines = Object.entries(left).map(([name, why]) => `left out: ${name} (${why})`);
  for (const [title, group] of [
    ['Figures', figures],
    ['Scale of one plan', scale],
  ]) {
    if (group)
      lines.push(
        '',
        title,
        table(
          ['what', 'value', 'unit'],
          group.map(({ what, value, unit }) => [what, shown(value), unit]),
        ),
      );
  }
  return lines.join('\n');
}

const shown = (value) => (value === null ? 'n/a' : Number(value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)));
