import { UsageError } from '../../../plan/errors';
import type { ApplyRequest } from '../../../plan/view';
import type { ModelFlags } from '../command';
import { defineCommand, duration, flag, MODEL_OPTIONS, modelFlags, nonEmpty, timeout, wholeNumber } from '../command';
import { taskIdOf } from '../plan-ref';
import { applyAndFollow } from '../run-plan';
import { takeUp } from '../take-up';

interface Parsed {
  plan?: string;
  task?: string;
  request: Omit<ApplyRequest, 'by' | 'task' | 'settings'>;
  model: ModelFlags;
  detach: boolean;
  waitMs?: number;
}

export const command = defineCommand<Parsed>({
  about:
    'Carries a plan out: generates each file, verifies it, asks for approval and writes it. ' +
    'Ctrl-C only detaches; the plan goes on. Where no terminal is there to ask, the command prints what to type ' +
    'elsewhere and exits 8.',
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' }],
  options: [
    { flags: '--yes', about: 'approve every file of a plan whose risk is LOW or MEDIUM' },
    { flags: '--resume', about: 'go on with a plan that ended partial, failed or cancelled: what is pending' },
    { flags: '--retry', about: 'with --resume: also what failed, and what that blocked' },
    { flags: '--task <task>', about: 'only this task (again), by number or id' },
    { flags: '--instruct <text>', about: 'with --task: one more instruction for it, kept in the plan' },
    ...MODEL_OPTIONS.map((option) => ({ ...option, about: `${option.about}; for this run only` })),
    { flags: '--timeout <seconds>', about: 'for one call of the model (60)' },
    { flags: '--concurrency <n>', about: 'how many tasks may run at a time' },
    { flags: '--allow-all-paths', about: "lift the policy's allowlist of paths; never the path rules" },
    { flags: '--detach', about: 'hand the run over and return at once' },
    { flags: '--wait <duration>', about: 'without a terminal: wait this long at a gate (30m), then exit 8' },
  ],
  examples: [
    'planwright apply',
    'planwright apply --yes',
    'planwright apply plan-1a2b3c4d --resume --retry',
    'planwright apply --task 2 --instruct "Use Alpine"',
    'planwright apply --json --wait 30m',
  ],
  parse(raw) {
    const task = nonEmpty(raw, 'task');
    const instruct = nonEmpty(raw, 'instruct');
    if (instruct !== undefined && task === undefined) {
      throw new UsageError(
        '--instruct is for one task.',
        'Say which: planwright apply --task 2 --instruct "Use Alpine"',
      );
    }
    if (flag(raw, 'retry') && !flag(raw, 'resume')) {
      throw new UsageError('--retry goes with --resume.', 'planwright apply --resume --retry');
    }
    if (task !== undefined && flag(raw, 'resume')) {
      throw new UsageError('--task runs one task alone, and --resume the rest of the plan.', 'Give one of them.');
    }
    const waitMs = duration(raw, 'wait');
    if (waitMs !== undefined && flag(raw, 'detach')) {
      throw new UsageError('--detach does not wait, and --wait does.', 'Give one of them.');
    }
    return {
      plan: raw.args[0],
      task,
      request: {
        yes: flag(raw, 'yes'),
        resume: flag(raw, 'resume'),
        retry: flag(raw, 'retry'),
        timeoutMs: timeout(raw),
        concurrency: wholeNumber(raw, 'concurrency', 1),
        allowAllPaths: flag(raw, 'allowAllPaths'),
        instruct,
      },
      model: modelFlags(raw),
      detach: flag(raw, 'detach'),
      waitMs,
    };
  },
  async run(context, parsed) {
    const client = await context.client();
    const shown = await client.show(await client.resolve(parsed.plan));
    const view = shown.lost ? await takeUp(context, client, shown.view, parsed.request.resume) : shown.view;
    const request: ApplyRequest = { ...parsed.request, by: context.io.user() };
    if (parsed.task !== undefined) request.task = taskIdOf(view, parsed.task);
    if (Object.values(parsed.model).some((given) => given !== undefined)) {
      // The plan's own provider stands unless a flag says otherwise; asking for the settings checks the flags.
      const settings = await context.settings({ ...parsed.model, provider: parsed.model.provider ?? view.provider });
      request.settings = parsed.model;
      context.show.note(`For this run only: ${settings.choice}`);
    }
    return applyAndFollow(context, client, view, request, { detach: parsed.detach, waitMs: parsed.waitMs });
  },
});
