/** The graphs that are measured, and what each task of them asks for: one call, one file of 2 kB. */

const FILE_BYTES = 2_000;

/** `{ id, deps, factor }`: the model answers after `factor` times the latency. */
const task = (id, deps = [], factor = 1) => ({ id, deps, factor });
const times = (count, make) => Array.from({ length: count }, (_, index) => make(index));

function chain(length, prefix = 't') {
  return times(length, (at) => task(`${prefix}${at}`, at === 0 ? [] : [`${prefix}${at - 1}`]));
}

function lattice(side) {
  return times(side * side, (at) => {
    const [row, column] = [Math.floor(at / side), at % side];
    const deps = [row > 0 ? `t${at - side}` : null, column > 0 ? `t${at - 1}` : null].filter((dep) => dep !== null);
    return task(`t${at}`, deps);
  });
}

/** By name: a function of `small` (for --quick) that gives the tasks. */
export const SHAPES = {
  chain: (small) => chain(small ? 10 : 20),
  wide: (small) => times(small ? 50 : 100, (at) => task(`t${at}`)),
  lattice: (small) => lattice(small ? 6 : 10),
  uneven: (small) => [task('long', [], 10), ...times(small ? 10 : 20, (at) => chain(5, `c${at}-`)).flat()],
};

/** YAML of megabytes is refused by its verifier, which guards its parser; a Makefile has no limit of its own. */
export const pathOf = (id) => (id === 'large' ? 'Makefile' : `.github/workflows/${id}.yml`);

/**
 * What the model is told, by every contender; the server reads all that it needs from this line.
 * @param tag differs in every round, so that no content is found in a store
 */
export const descriptionOf = ({ id, factor }, latencyMs, tag) =>
  `Write ${pathOf(id)} for round ${tag}, answered after ${latencyMs * factor} ms`;

/** The other side of `descriptionOf`; null where a prompt holds no such line. */
export function askedFor(prompt) {
  const match = /Write (Makefile|\.github\/workflows\/([\w-]+)\.yml) for round ([\w-]+), answered after (\d+) ms/.exec(
    prompt,
  );
  return match ? { path: match[1], id: match[2] ?? 'large', tag: match[3], latencyMs: Number(match[4]) } : null;
}

/** A workflow that every verifier passes, of 2 kB. */
export function contentOf(id, tag, bytes = FILE_BYTES) {
  if (id === 'large') return makefileOf(tag, bytes);
  const lines = [
    `name: ${id} of ${tag}`,
    'on: push',
    'permissions:',
    '  contents: read',
    'jobs:',
    '  build:',
    '    runs-on: ubuntu-24.04',
    '    timeout-minutes: 15',
    '    steps:',
    '      - uses: actions/checkout@v4',
  ];
  let length = lines.join('\n').length;
  for (let step = 1; length < bytes - 100; step++) {
    const added = [
      `      - name: step ${step} of ${id}`,
      `        run: echo "step ${step} of round ${tag} has nothing else to do"`,
    ];
    length += added.join('\n').length + 1;
    lines.push(...added);
  }
  return `${lines.join('\n')}\n`;
}

/** The graph as `planwright plan --graph` takes it. */
export function graphOf(tasks, latencyMs, tag) {
  return {
    nodes: tasks.map((one) => ({
      id: one.id,
      tool: one.tool ?? 'github-actions',
      description: descriptionOf(one, latencyMs, tag),
      input: { file: pathOf(one.id) },
      deps: one.deps,
    })),
  };
}

function makefileOf(tag, bytes) {
  const lines = ['.PHONY: help', 'help: ## Say what there is', '\t@echo "nothing but help"'];
  let length = lines.join('\n').length;
  for (let at = 1; length < bytes; at++) {
    const line = `# line ${at} of round ${tag} makes this file larger and does nothing else`;
    length += line.length + 1;
    lines.push(line);
  }
  return `${lines.join('\n')}\n`;
}
