/** The figures of a workspace's plan files, read again only where a file changed. */
import { stat } from 'node:fs/promises';
import type { WorkspaceLayout } from '../store/layout';
import { planFileIds, planFilePath, readPlanFile } from '../store/plan-file';
import { figuresOf, type PlanFigures } from './plan-metrics';

export class PlanFiguresReader {
  private known = new Map<string, { stamp: string; figures: PlanFigures | null }>();

  constructor(private readonly layout: WorkspaceLayout) {}

  /** A file that cannot be read is left out: it is only a copy, and is written anew. */
  async read(): Promise<PlanFigures[]> {
    const now: typeof this.known = new Map();
    for (const id of await planFileIds(this.layout)) {
      const found = await stat(planFilePath(this.layout, id)).catch(() => null);
      if (!found) continue;
      const stamp = `${found.mtimeMs}/${found.size}/${found.ino}`;
      const before = this.known.get(id);
      now.set(id, before?.stamp === stamp ? before : { stamp, figures: await this.one(id) });
    }
    this.known = now;
    return [...now.values()].flatMap(({ figures }) => figures ?? []);
  }

  private async one(id: string): Promise<PlanFigures | null> {
    const view = await readPlanFile(this.layout, id).catch(() => null);
    return view && figuresOf(view);
  }
}
