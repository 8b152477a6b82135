import { UsageError } from '../../../plan/errors';
import type { Json } from '../../../plan/types';
import { defineCommand, nonEmpty, text } from '../command';
import { selectGates } from '../gates';
import { safe } from '../show/style';
import { signerOf } from '../signer';
import { KEY_OPTION, sendDecisions, takes } from './decisions';

interface Parsed {
  plan?: string;
  gate: string;
  decision: string;
  value?: Json;
  reason?: string;
  as?: string;
  key?: string;
}

export const command = defineCommand<Parsed>({
  about:
    'Takes any decision that a gate knows: approve, reject, request-changes (file, tool), approve, reject (risk, drift), ' +
    'retry, skip, stop (stuck), raise with --value, stop (budget).',
  args: [
    { name: 'plan', about: 'id, unique prefix, name or "latest"', required: true },
    { name: 'decision', about: 'one word', required: true },
  ],
  options: [
    { flags: '--gate <id>', about: 'the gate; see planwright approvals' },
    { flags: '--value <value>', about: 'for raise: the new budget (JSON, or text)' },
    { flags: '--reason <text>', about: 'why; for request-changes: what should be different' },
    { flags: '--as <who>', about: 'who decides (your user name, or whose key it is)' },
    KEY_OPTION,
  ],
  examples: [
    'planwright decide latest --gate g-1f approve',
    'planwright decide latest --gate g-1f request-changes --reason "Use Alpine"',
  ],
  parse(raw) {
    const gate = nonEmpty(raw, 'gate');
    if (gate === undefined) {
      throw new UsageError('--gate is missing: which gate is decided?', 'See the open ones: planwright approvals');
    }
    const [plan, decision = ''] = raw.args;
    const reason = nonEmpty(raw, 'reason');
    if (decision === 'request-changes' && reason === undefined) {
      throw new UsageError('request-changes needs --reason: it is what the next generation is told.');
    }
    return {
      plan,
      gate,
      decision,
      value: jsonOrText(text(raw, 'value')),
      reason,
      as: nonEmpty(raw, 'as'),
      key: nonEmpty(raw, 'key'),
    };
  },
  async run(context, parsed) {
    const client = await context.client();
    const id = await client.resolve(parsed.plan);
    const open = (await client.gates(id)).filter(({ outcome }) => outcome === null);
    const gates = selectGates(open, { gate: parsed.gate }, safe(id));
    for (const gate of gates) takes(gate, parsed.decision);
    const { decision, reason, value } = parsed;
    const signer = await signerOf(context, parsed);
    return sendDecisions(context, id, gates, { decision, reason, value, by: signer.by }, signer);
  },
});

function jsonOrText(given: string | undefined): Json | undefined {
  if (given === undefined) return undefined;
  try {
    const value: Json = JSON.parse(given);
    return value;
  } catch {
    return given;
  }
}
