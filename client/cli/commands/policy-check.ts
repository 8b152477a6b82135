import { UsageError } from '../../../plan/errors';
import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { policyText } from '../show/policy-text';

export const command = defineCommand<{ plan?: string }>({
  about:
    'Checks .planwright/policy.yaml, and explains task by task which rule a plan meets: who decides, and how many of them. ' +
    'Exits 2 for a policy that is not valid.',
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' }],
  examples: ['planwright policy check', 'planwright policy check plan-1a2b3c4d --json'],
  parse: (raw) => ({ plan: raw.args[0] }),
  async run(context, { plan }) {
    const { io, show } = context;
    const place = { layout: context.layout(), env: io.env };
    const at = new Date(io.now()).toISOString();
    // A policy that is not valid is told before anything is started for a plan.
    await io.rooms.policyReport(null, place, at);
    const client = await context.client({ readOnly: true });
    const id = await client.resolve(plan).catch((error: unknown) => {
      if (plan === undefined && error instanceof UsageError) return null;
      throw error;
    });
    const view = id === null ? null : (await client.show(id)).view;
    const report = await io.rooms.policyReport(view, place, at);
    const { path, digest, rules, frozen, approvers, sinks } = report;
    show.document(
      { path, digest, valid: true, plan: id, frozen, ...rules, approvers, sinks, ruling: report.plan },
      (style) => policyText(report, view, style),
    );
    show.next([id === null ? 'planwright plan list' : `planwright apply ${id}`]);
    return EXIT.done;
  },
});
