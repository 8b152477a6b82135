/** Reminders, escalation and expiry of gates: durable timers over the times that the gates carry. */
import { condition } from '@temporalio/workflow';
import { BY_WORKFLOW } from '../plan/facts';
import { type Due, nextDue } from '../plan/rules/deadlines';
import type { PlanContext } from './context';
import { said } from './facts';
import { expire } from './rulings';

/** A timer is set anew after this, so that none is longer than what the server is sure to hold. */
const LONGEST_MS = 30 * 86_400_000;

/**
 * Waits for what comes next over all gates, until `over`. The times stand in the gates: after continue-as-new the next
 * execution waits for the same ones.
 */
export async function keepDeadlines(context: PlanContext, over: () => boolean): Promise<void> {
  const next = (): Due | null => nextDue(context.state.view.gates);
  while (!over()) {
    const due = next();
    if (due === null) {
      await condition(() => over() || next() !== null);
      continue;
    }
    const ms = Date.parse(due.at) - Date.parse(context.at());
    if (ms <= 0) {
      meet(context, due);
      continue;
    }
    const another = (): boolean => {
      const now = next();
      return now === null || now.gate !== due.gate || now.at !== due.at || now.what !== due.what;
    };
    const summary = `${due.what} ${due.gate} at ${due.at}`;
    await condition(() => over() || another(), Math.min(ms, LONGEST_MS), { summary });
  }
}

function meet(context: PlanContext, { gate: id, what }: Due): void {
  const { state } = context;
  const gate = state.view.gates.find((open) => open.gate === id);
  if (!gate) return;
  const at = context.at();
  const { kind, task, path } = gate;
  const fact = { gate: id, kind, task, path, reason: gate.rule ? `rule "${said(gate.rule)}"` : null };
  if (what === 'expire') {
    expire(context, gate);
  } else if (what === 'escalate') {
    gate.escalateAt = null;
    gate.escalatedAt = at;
    const to = gate.escalateTo ?? [];
    if (gate.may) gate.may = [...new Set([...gate.may, ...to])];
    context.record('gate.escalated', BY_WORKFLOW, { ...fact, to: to.map((name) => said(name)) });
  } else {
    gate.remindAt = null;
    gate.remindedAt = at;
    context.record('gate.reminded', BY_WORKFLOW, fact);
  }
  context.changed();
}
