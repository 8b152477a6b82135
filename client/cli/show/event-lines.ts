import type { ComparisonLine, PlanView, TaskView } from '../../../plan/view';
import type { StreamEvent } from '../../events';
import { failureText } from './failure-text';
import type { Style } from './style';
import { elapsed, plural, safe } from './style';

/**
 * An event as lines for people. With a live region, what it shows already is left out.
 * The files of a run are in its closing report, on stdout, and therefore not here.
 */
export function eventLines(event: StreamEvent, view: PlanView, style: Style, live: boolean): string[] {
  const task = event.task === undefined ? undefined : view.tasks[event.task];
  const tool = view.graph.nodes.find((node) => node.id === event.task)?.tool ?? event.task ?? '';
  const title = `Task ${task?.number ?? '?'} ${safe(tool)}`;
  switch (event.type) {
    case 'plan_created':
      return view.status === 'planning' ? [style.dim(`Plan ${event.plan} is being made.`)] : [];
    case 'run_started':
      return [
        `${style.strong(`Run ${event.run}`)} of ${event.plan} · ${scope(event, view)}`,
        ...stayLines(event, view, style),
      ];
    case 'task_started':
      return live ? [] : [`→ ${title}: ${safe(event.description)}`];
    case 'artifact':
      return live ? [] : [style.dim(`  ${title} generated ${event.files.map(({ path }) => safe(path)).join(', ')}`)];
    case 'verification':
      return verificationLines(event.verdict, title, task?.verification ?? [], style, live);
    case 'comparison':
      return comparisonLines(event.lines, view, style);
    case 'gate_opened':
      return live
        ? []
        : [
            `${style.warn('◆')} ${subject(event.path, event.kind)} waits for a decision${event.task ? ` · ${title}` : ''}`,
          ];
    case 'gate_decided':
      return [decidedLine(event, task, style)];
    case 'task_completed':
      return [`${style.good('✓')} ${title} · ${completion(view, event.task ?? '', event.tokens)}`];
    case 'task_failed':
      return failureLines(event, title, style);
    case 'task_skipped':
    case 'task_declined':
    case 'task_cancelled':
      return [`${style.warn('○')} ${title} ${event.type.slice(5)}${event.reason ? `: ${safe(event.reason)}` : ''}`];
    case 'plan_ready':
    case 'plan_failed':
    case 'file_written':
    case 'run_finished':
      return [];
  }
}

/** What a run set out to do: `apply · 3 tasks`, or the one task that was asked for. */
function scope(event: StreamEvent & { type: 'run_started' }, view: PlanView): string {
  const only = event.kind === 'task' ? view.tasks[event.tasks[0] ?? ''] : undefined;
  return only ? `task ${only.number} alone` : `${event.kind} · ${plural(event.tasks.length, 'task')}`;
}

/** Of a run that goes on where another ended: the tasks that are done, for which nothing is asked or written again. */
function stayLines(event: StreamEvent & { type: 'run_started' }, view: PlanView, style: Style): string[] {
  if (event.kind !== 'resume' && event.kind !== 'retry') return [];
  const done = view.graph.nodes.filter(({ id }) => view.tasks[id]?.status === 'completed' && !event.tasks.includes(id));
  return done.map(({ id, tool }) =>
    style.dim(`= Task ${view.tasks[id]?.number ?? '?'} ${safe(tool)} is completed already and stays as it is`),
  );
}

/** A replay shows every line; any other run only what changed since the plan was made. */
function comparisonLines(lines: ComparisonLine[], view: PlanView, style: Style): string[] {
  const replay = view.runs.at(-1)?.kind === 'replay';
  const head = replay ? 'The record and the environment now:' : 'Changed since the plan was made:';
  const rows = lines.map(({ what, expected, actual, matches }) => {
    const values = matches ? digestShort(expected) : `expected ${digestShort(expected)}, actual ${digestShort(actual)}`;
    return `  ${matches ? style.good('✓') : style.warn('!')} ${safe(what)}: ${values}`;
  });
  return [replay ? head : `${style.warn('!')} ${head}`, ...rows];
}

const digestShort = (value: string): string => (/^[0-9a-f]{64}$/.test(value) ? value.slice(0, 12) : safe(value));

const subject = (path: string | null, kind: string): string => (path === null ? `The ${kind} gate` : safe(path));

function decidedLine(event: StreamEvent & { type: 'gate_decided' }, task: TaskView | undefined, style: Style): string {
  const mark = event.decision === 'approve' ? style.good('✓') : style.warn('○');
  const path = task?.decisions.find(({ gate }) => gate === event.gate)?.path ?? null;
  const reason = event.reason ? `: ${safe(event.reason)}` : '';
  const what = path === null ? `gate ${safe(event.gate)}` : safe(path);
  return `  ${mark} ${what}: ${safe(event.decision ?? 'decided')} by ${safe(event.by ?? 'someone')}${reason}`;
}

function completion(view: PlanView, id: string, tokens: number): string {
  const task = view.tasks[id];
  const files = plural(task?.files.filter(({ state }) => state === 'written').length ?? 0, 'file');
  const took = task?.startedAt && task.completedAt ? Date.parse(task.completedAt) - Date.parse(task.startedAt) : 0;
  return `${files} · ${elapsed(took)}${tokens > 0 ? ` · ${tokens} tokens` : ''}`;
}

function failureLines(event: StreamEvent & { type: 'task_failed' }, title: string, style: Style): string[] {
  if (!event.error) return [`${style.bad('✗')} ${title} failed.`];
  const { first, rest } = failureText(event.error);
  return [`${style.bad('✗')} ${title} failed: ${first}`, ...rest.map((line) => `  ${line}`)];
}

function verificationLines(
  verdict: string,
  title: string,
  checks: PlanView['tasks'][string]['verification'],
  style: Style,
  live: boolean,
): string[] {
  const findings = checks.flatMap((check) =>
    check.findings
      .filter(({ severity }) => severity !== 'info')
      .map(({ rule, message, path, line }) => {
        const where = `${safe(path ?? check.path)}${line ? `:${line}` : ''}`;
        return `    ${where} ${safe(message)} ${style.dim(`(${safe(check.verifier)} ${safe(rule)})`)}`;
      }),
  );
  if (verdict === 'passed' || verdict === 'skipped') {
    return live && findings.length === 0 ? [] : [style.dim(`  ${title} verification ${verdict}`), ...findings];
  }
  return [`  ${style.warn('!')} ${title} verification ${verdict}`, ...findings];
}
