/** The people of a round: they look at the plan about ten times a second and decide every gate, whatever else happens. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { TemporalPlanClient } from '../../client/plan-client';
import type { GateView, PlanView } from '../../plan/view';
import { workspaceLayout } from '../../store/layout';
import type { Installation } from '../e2e/installation';
import { decisionOn } from './job';

const LOOK_MS = 100;
/** After this long without an answer a person types a command, which starts again what is dead. */
const PATIENCE_MS = 6_000;

export class Person {
  private link: { client: TemporalPlanClient; connection: Connection } | null = null;
  private lastAnswer = Date.now();
  /** Called at each answer of the plan's workflow, with the time at which it was asked. */
  onAnswer: (askedAt: number) => void = () => undefined;

  constructor(private readonly installation: Installation) {}

  private async connected(): Promise<TemporalPlanClient> {
    if (this.link) return this.link.client;
    const { address, namespace } = await this.installation.server();
    const connection = await Connection.connect({ address, connectTimeout: '2s' });
    const client = new Client({ connection, namespace });
    const link = { client, address, revive: async () => undefined, close: () => connection.close() };
    this.link = { connection, client: new TemporalPlanClient(workspaceLayout(this.installation.workspace), link, '') };
    return this.link.client;
  }

  async disconnect(): Promise<void> {
    await this.link?.connection.close();
    this.link = null;
  }

  /** The plan as its workflow says it is; null where nobody answers. */
  async look(plan: string): Promise<PlanView | null> {
    const askedAt = Date.now();
    try {
      const { view, source } = await (await this.connected()).show(plan);
      if (source !== 'workflow') return null;
      this.lastAnswer = Date.now();
      this.onAnswer(askedAt);
      return view;
    } catch {
      return null;
    }
  }

  /** Decides gates as they open, until told to stop. @returns the plan as it was seen last */
  async attend(plan: string, stop: AbortSignal): Promise<PlanView | null> {
    let last: PlanView | null = null;
    this.lastAnswer = Date.now();
    while (!stop.aborted) {
      const view = await this.look(plan);
      last = view ?? last;
      for (const gate of view?.gates ?? []) await this.decide(plan, gate);
      if (Date.now() - this.lastAnswer > PATIENCE_MS) {
        await this.disconnect();
        await this.installation.run(['up']);
        this.lastAnswer = Date.now();
      }
      await sleep(LOOK_MS);
    }
    return last;
  }

  /** The first gate of a plan is decided by a command, the others as the commands do it: through the same client. */
  private async decide(plan: string, gate: GateView): Promise<void> {
    const said = decisionOn(gate);
    if (gate.path?.endsWith('/a.yml')) {
      await this.installation.run(['approve', plan, '--gate', gate.gate, '--as', said.by]);
      return;
    }
    const digest = gate.digest ?? undefined;
    // What did not arrive is said again at the next look; what did is answered the same.
    await (await this.connected()).decide(plan, { gate: gate.gate, digest, ...said }).catch(() => undefined);
  }
}
