import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { decideLine } from '../gates';
import { elapsed, safe, short, table } from '../show/style';

export const command = defineCommand<{ plan?: string }>({
  about: 'Everything that waits for a decision, in one plan or in all of them, with the line that decides it.',
  args: [{ name: 'plan', about: 'only this plan' }],
  examples: ['planwright approvals', 'planwright approvals plan-1a2b3c4d --json'],
  parse: (raw) => ({ plan: raw.args[0] }),
  async run(context, { plan }) {
    const { io, show } = context;
    const client = await context.client({ readOnly: true });
    const gates = await client.gates(plan === undefined ? undefined : await client.resolve(plan));
    const open = gates.filter(({ outcome }) => outcome === null);
    const listed = open.map((gate) => ({
      gate: gate.gate,
      plan: gate.plan,
      name: gate.name,
      kind: gate.kind,
      task: gate.task,
      path: gate.path,
      digest: gate.digest,
      risk: gate.risk,
      since: gate.since,
      until: gate.until,
      // Who has decided so far: nobody, as long as one decision settles a gate.
      by: [],
      diffStat: gate.diffStat,
      decide: decideLine(gate.plan, gate),
    }));
    show.document(listed, () => {
      if (open.length === 0) return 'Nothing waits for a decision.\n';
      const rows = open.map((gate) => [
        short(gate.name, 24),
        gate.taskNumber === null ? '-' : String(gate.taskNumber),
        gate.kind,
        safe(gate.path ?? '-'),
        gate.risk,
        `+${gate.diffStat.added} -${gate.diffStat.removed}`,
        elapsed(io.now() - Date.parse(gate.since)),
        decideLine(gate.plan, gate),
      ]);
      return table(['PLAN', 'TASK', 'KIND', 'PATH', 'RISK', 'LINES', 'WAITS', 'DECIDE WITH'], rows);
    });
    show.next(open[0] ? [decideLine(open[0].plan, open[0])] : ['planwright plan list']);
    return EXIT.done;
  },
});
