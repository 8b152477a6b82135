import { taskQueueOf } from '../../../store/layout';
import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import type { StatusReport } from '../rooms';
import type { Style } from '../show/style';
import { elapsed, safe } from '../show/style';

export const command = defineCommand<null>({
  about: 'What runs, where it listens and where its logs are. Starts nothing.',
  examples: ['planwright status', 'planwright status --json'],
  parse: () => null,
  async run(context) {
    const { io, show, globals } = context;
    const { address, namespace, profile } = globals;
    const report = await io.rooms.status(io.env, { address, namespace, profile });
    const taskQueue = taskQueueOf(context.layout().id);
    show.document(document(report, taskQueue), (style) => human(report, taskQueue, io.now(), style));
    const down = report.kind === 'embedded' && !report.running;
    show.next(down ? ['planwright up', 'planwright doctor'] : ['planwright plan list']);
    return EXIT.done;
  },
});

function document(report: StatusReport, taskQueue: string): object {
  const { kind, address, namespace } = report;
  if (report.kind === 'configured')
    return { kind, address, namespace, taskQueue, ui: null, processes: [], failures: [] };
  const { running, ui, processes, failures } = report;
  return { kind, running, address, namespace, taskQueue, ui, processes, failures };
}

function human(report: StatusReport, taskQueue: string, now: number, style: Style): string {
  const rows: [string, string][] = [
    ['Temporal', safe(report.address ?? 'not chosen yet')],
    ['Namespace', safe(report.namespace)],
    ['Task queue', taskQueue],
  ];
  if (report.kind === 'configured') return lines(rows, style);
  rows[0] = [
    'Temporal',
    `${rows[0]?.[1]} · embedded, ${report.running ? style.good('running') : style.warn('not running')}`,
  ];
  // An address at which nothing answers is no help.
  if (report.running && report.ui) rows.push(['Web UI', report.ui]);
  for (const { name, pid, since, log, workspace } of report.processes) {
    const where = workspace ? ` · ${safe(workspace)}` : '';
    rows.push(
      [name, `pid ${pid} · for ${elapsed(now - Date.parse(since))}${where}`],
      ['', style.dim(`log ${safe(log)}`)],
    );
  }
  return lines(rows, style) + report.failures.map((failure) => `${style.bad('✗')} ${safe(failure)}\n`).join('');
}

const lines = (rows: [string, string][], style: Style): string =>
  rows.map(([name, value]) => `${style.dim(name.padEnd(12))}${value}\n`).join('');
