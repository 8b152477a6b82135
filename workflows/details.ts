/** What people read of a plan in Temporal's own tools: a Markdown table of tasks and gates. */
import type { PlanView } from '../plan/view';

const SHOWN_TASKS = 40;
const SHOWN_GATES = 20;

/** Keeps a cell on one line and inside its cell. */
const cell = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ')
    .replaceAll('|', '\\|')
    .slice(0, 120);

/** The workflow's current details, Markdown. */
export function details(view: PlanView): string {
  const head = `**${cell(view.name)}**: ${view.status}, risk ${view.risk}${view.reason ? ` (${cell(view.reason)})` : ''}`;
  const nodes = view.graph.nodes.slice(0, SHOWN_TASKS);
  const rows = nodes.map((node) => {
    const task = view.tasks[node.id];
    return `| ${task?.number ?? ''} | ${cell(node.tool)} | ${task?.status ?? ''} | ${cell(task?.reason ?? node.description)} |`;
  });
  const more = view.graph.nodes.length - nodes.length;
  const gates = view.gates
    .slice(0, SHOWN_GATES)
    .map(
      (gate) =>
        `- ${gate.kind} gate for ${cell(gate.path ?? view.name)}: \`planwright approve ${view.id} --gate ${gate.gate}\``,
    );
  return [
    head,
    '',
    ...(rows.length > 0 ? ['| task | skill | state | what |', '|---|---|---|---|', ...rows] : []),
    ...(more > 0 ? [`… and ${more} more tasks`] : []),
    ...(gates.length > 0 ? ['', `Waiting for ${view.gates.length} decision(s):`, ...gates] : []),
  ].join('\n');
}
