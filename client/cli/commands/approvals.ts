import { defineCommand, flag } from '../command';
import { EXIT } from '../exit-codes';
import { decideLine } from '../gates';
import { gateDiff } from '../show/diff';
import { elapsed, safe, short, table } from '../show/style';

export const command = defineCommand<{ plan?: string; diff: boolean }>({
  about: 'Everything that waits for a decision, in one plan or in all of them, with the line that decides it.',
  args: [{ name: 'plan', about: 'only this plan' }],
  options: [{ flags: '--diff', about: 'with the change that each file gate is about; for people only' }],
  examples: ['planwright approvals', 'planwright approvals latest --diff', 'planwright approvals plan-1a2b3c4d --json'],
  parse: (raw) => ({ plan: raw.args[0], diff: flag(raw, 'diff') }),
  async run(context, { plan, diff }) {
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
      // For whom it waits; empty where anyone may decide.
      by: gate.may ?? [],
      rule: gate.rule ?? null,
      approvals: gate.approvals ?? 1,
      votes: gate.votes ?? [],
      about: gate.about ?? null,
      diffStat: gate.diffStat,
      decide: decideLine(gate.plan, gate),
    }));
    const diffs = diff ? await Promise.all(open.map((gate) => gateDiff(client, gate, show.style))) : [];
    show.document(listed, () => {
      if (open.length === 0) return 'Nothing waits for a decision.\n';
      const rows = open.map((gate) => [
        short(gate.name, 24),
        gate.taskNumber === null ? '-' : String(gate.taskNumber),
        gate.kind,
        safe(gate.path ?? '-'),
        `${gate.votes?.length ?? 0}/${gate.approvals ?? 1}`,
        gate.may ? short(gate.may.join(', '), 24) : 'anyone',
        gate.risk,
        `+${gate.diffStat.added} -${gate.diffStat.removed}`,
        elapsed(io.now() - Date.parse(gate.since)),
        gate.until === null ? 'never' : `in ${elapsed(Date.parse(gate.until) - io.now())}`,
      ]);
      const [head, ...lines] = table(
        ['PLAN', 'TASK', 'KIND', 'PATH', 'GIVEN', 'FOR', 'RISK', 'LINES', 'WAITS', 'EXPIRES'],
        rows,
      )
        .trimEnd()
        .split('\n');
      // The line to type stands below its gate: beside it, no terminal is wide enough to copy it from.
      const gates = open.map(
        (gate, index) => `${lines[index]}\n    ${decideLine(gate.plan, gate)}\n${diffs[index] ?? ''}`,
      );
      return `${head}\n${gates.join('')}`;
    });
    const [first] = open;
    const look = diff ? [] : [`planwright approvals${plan === undefined ? '' : ` ${first?.plan}`} --diff`];
    show.next(first ? [...look, decideLine(first.plan, first)] : ['planwright plan list']);
    return EXIT.done;
  },
});
