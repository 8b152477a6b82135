/** What people read of a plan in Temporal's own tools: a Markdown table of tasks and gates, with the line to type. */
import { DECISIONS } from '../plan/gates';
import type { GateView, PlanView } from '../plan/view';

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
  const { paused, frozen, gates } = view;
  const head = `**${cell(view.name)}**: ${view.status}, risk ${view.risk}${view.reason ? ` (${cell(view.reason)})` : ''}`;
  const nodes = view.graph.nodes.slice(0, SHOWN_TASKS);
  const rows = nodes.map((node) => {
    const task = view.tasks[node.id];
    const what = task?.held ?? task?.reason ?? node.description;
    return `| ${task?.number ?? ''} | ${cell(node.tool)} | ${task?.status ?? ''} | ${cell(what)} |`;
  });
  const more = view.graph.nodes.length - nodes.length;
  const shown = gates.slice(0, SHOWN_GATES);
  return [
    head,
    ...(paused ? [`Paused by ${cell(paused.by)} since ${paused.at}: \`planwright unpause ${view.id}\``] : []),
    ...(frozen ? [`Nothing is written until ${frozen.until}: freeze window "${cell(frozen.window)}"`] : []),
    '',
    ...(rows.length > 0 ? ['| task | skill | state | what |', '|---|---|---|---|', ...rows] : []),
    ...(more > 0 ? [`… and ${more} more tasks`] : []),
    ...(shown.length > 0
      ? [
          '',
          `Waiting for ${gates.length} decision(s):`,
          '',
          '| gate | about | given | for | since | expires | decide |',
          '|---|---|---|---|---|---|---|',
          ...shown.map((gate) => gateRow(view, gate)),
        ]
      : []),
    ...(gates.length > shown.length ? [`… and ${gates.length - shown.length} more gates`] : []),
  ].join('\n');
}

function gateRow(view: PlanView, gate: GateView): string {
  const { kind, path, about, votes = [], approvals = 1, may, since, until } = gate;
  const given = `${votes.length} of ${approvals}${votes.length > 0 ? `: ${votes.map(({ by }) => by).join(', ')}` : ''}`;
  const cells = [kind, path ?? about ?? view.name, given, may ? may.join(', ') : 'anyone', since, until ?? 'never'];
  return `| ${cells.map(cell).join(' | ')} | ${lineToType(view.id, gate)} |`;
}

/** Ids are ours: letters, digits and dashes. */
function lineToType(plan: string, { kind, gate, signed }: GateView): string {
  const [first = ''] = DECISIONS[kind];
  const key = signed ? ' --key FILE' : '';
  if (first === 'approve') return `\`planwright approve ${plan} --gate ${gate}${key}\``;
  return `\`planwright decide ${plan} --gate ${gate} ${first}${first === 'raise' ? ' --value LIMIT' : ''}${key}\``;
}
