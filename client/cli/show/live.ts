import type { PlanView, TaskView } from '../../../plan/view';
import { tokensOf } from '../../events';
import type { Io } from '../io';
import type { Style } from './style';
import { elapsed, short } from './style';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const ACTIVE: { [status: string]: string } = { generating: 'generating', verifying: 'verifying', writing: 'writing' };
/** Milliseconds between two frames. */
const BEAT = 120;

/** The lines at the bottom of a terminal that show what runs now; redrawn in place, never scrolled. */
export class LiveRegion {
  private view: PlanView | null = null;
  private drawn = 0;
  private frame = 0;
  private suspended = false;
  private stop: (() => void) | null = null;

  constructor(
    private readonly io: Io,
    private readonly style: Style,
  ) {}

  update(view: PlanView): void {
    this.view = view;
    this.stop ??= this.io.every(BEAT, () => {
      this.frame += 1;
      this.draw();
    });
    this.draw();
  }

  /** Writes text that stays, above the region. */
  above(text: string): void {
    this.clear();
    this.io.stderr.write(text);
    this.draw();
  }

  clear(): void {
    if (this.drawn > 0) this.io.stderr.write(`\u001b[${this.drawn}A\u001b[J`);
    this.drawn = 0;
  }

  suspend(): void {
    this.clear();
    this.suspended = true;
  }

  resume(): void {
    this.suspended = false;
    this.draw();
  }

  close(): void {
    this.stop?.();
    this.stop = null;
    this.clear();
    this.view = null;
  }

  private draw(): void {
    if (this.suspended || !this.view) return;
    const lines = liveLines(this.view, this.io.now(), (this.io.stderr.columns || 80) - 1);
    if (lines.length === 0 && this.drawn === 0) return;
    this.clear();
    const mark = this.style.accent(FRAMES[this.frame % FRAMES.length] ?? '');
    this.io.stderr.write(lines.map((line) => `${mark} ${line}\n`).join(''));
    this.drawn = lines.length;
  }
}

/** One line for each task that runs, cut to the width so that it never wraps. `now` in ms since the epoch. */
export function liveLines(view: PlanView, now: number, width: number): string[] {
  if (view.status === 'planning') {
    const written = view.live?.[''] ?? 0;
    return [
      `planning  ${elapsed(now - Date.parse(view.createdAt))}${written > 0 ? ` · ${written} tokens so far` : ''}`,
    ];
  }
  return Object.entries(view.tasks)
    .filter(([, task]) => ACTIVE[task.status] !== undefined)
    .sort(([, a], [, b]) => a.number - b.number)
    .slice(0, 12)
    .map(([id, task]) => short(liveLine(view, id, task, now), width - 2));
}

function liveLine(view: PlanView, id: string, task: TaskView, now: number): string {
  const tool = view.graph.nodes.find((node) => node.id === id)?.tool ?? id;
  const since = task.startedAt ? ` · ${elapsed(now - Date.parse(task.startedAt))}` : '';
  const written = view.live?.[id] ?? 0;
  const counted = tokensOf(task) > 0 ? ` · ${tokensOf(task)} tokens` : '';
  const tokens = written > 0 ? ` · ${written} tokens so far` : counted;
  const again = task.attempts > 1 ? ` · attempt ${task.attempts}` : '';
  return `Task ${task.number} ${tool} · ${ACTIVE[task.status]}${since}${tokens}${again}`;
}
