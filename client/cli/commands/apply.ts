import { UsageError } from '../../../plan/errors';
import type { ModelSettings } from '../../../plan/types';
import type { ApplyRequest } from '../../../plan/view';
import {
  defineCommand,
  duration,
  flag,
  list,
  MODEL_OPTIONS,
  modelFlags,
  nonEmpty,
  type Raw,
  timeout,
  wholeNumber,
} from '../command';
import { taskIdOf, taskIdsOf } from '../plan-ref';
import type { ModelFlags } from '../rooms';
import { applyAndFollow } from '../run-plan';
import { signerOf } from '../signer';
import { takeUp } from '../take-up';

interface Parsed {
  plan?: string;
  task?: string;
  only?: string[];
  exclude?: string[];
  request: Omit<ApplyRequest, 'by' | 'task' | 'only' | 'exclude' | 'settings'>;
  model: ModelFlags;
  detach: boolean;
  detailedExitcode: boolean;
  waitMs?: number;
  key?: string;
}

/** @throws UsageError */
function onFailure(raw: Raw): ApplyRequest['onFailure'] {
  const given = nonEmpty(raw, 'onFailure');
  if (given === undefined || given === 'stop' || given === 'wait') return given;
  throw new UsageError(`--on-failure is stop or wait; this is "${given}".`);
}

export const command = defineCommand<Parsed>({
  about:
    'Carries a plan out: generates each file, verifies it, asks for approval and writes it. ' +
    'Ctrl-C only detaches; the plan goes on. Where no terminal is there to ask, the command prints what to type ' +
    'elsewhere and exits 8.',
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' }],
  options: [
    { flags: '--yes', about: 'approve every file of a plan whose risk is LOW or MEDIUM' },
    {
      flags: '--dry-run',
      about: 'generate and verify, show what would be written, write nothing; the next apply writes that',
    },
    {
      flags: '--detailed-exitcode',
      about: 'with --dry-run: exit 0 where nothing would change, 2 where something would',
    },
    { flags: '--refresh', about: 'generate anew what a dry run made for files that changed since' },
    { flags: '--resume', about: 'go on with a plan that ended partial, failed or cancelled: what is pending' },
    { flags: '--retry', about: 'with --resume: also what failed, and what that blocked' },
    { flags: '--task <task>', about: 'only this task (again), by number or id' },
    { flags: '--instruct <text>', about: 'with --task: one more instruction for it, kept in the plan' },
    { flags: '--only <tasks>', about: 'only these tasks (1,3) and what they need' },
    { flags: '--exclude <tasks>', about: 'all tasks but these and what needs them' },
    {
      flags: '--replay',
      about: 'run again what is on record, at temperature 0, and compare; refused where anything differs',
    },
    { flags: '--recorded', about: 'with --replay: write the recorded artifacts again and ask no model' },
    ...MODEL_OPTIONS.map((option) => ({ ...option, about: `${option.about}; for this run only` })),
    { flags: '--timeout <seconds>', about: 'for one call of the model (60)' },
    { flags: '--concurrency <n>', about: 'how many tasks may run at a time' },
    { flags: '--allow-dirty', about: 'run in a git working tree with uncommitted changes' },
    {
      flags: '--force',
      about: "--allow-dirty, and pass the gate of a HIGH plan and a replay's comparison; never a policy",
    },
    { flags: '--skip-verify', about: 'leave out external verifiers; the built-in ones always run' },
    { flags: '--allow-all-paths', about: "lift the policy's allowlist of paths; never the path rules" },
    {
      flags: '--max-tokens <n>',
      about: "most tokens of the plan, earlier runs included; the policy's budget where it is smaller",
    },
    {
      flags: '--on-failure <what>',
      about: 'stop (the default), or wait: a task that failed for good waits for a person (retry, skip, stop)',
    },
    {
      flags: '--key <file>',
      about: 'at a terminal: signs what is decided here with this private key; for a policy that names approvers',
    },
    { flags: '--detach', about: 'hand the run over and return once it begins, or is refused' },
    { flags: '--wait <duration>', about: 'without a terminal: wait this long at a gate (30m), then exit 8' },
  ],
  examples: [
    'planwright apply',
    'planwright apply --yes',
    'planwright apply --dry-run',
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
    if (flag(raw, 'detailedExitcode') && !flag(raw, 'dryRun')) {
      throw new UsageError(
        '--detailed-exitcode goes with --dry-run.',
        'planwright apply --dry-run --detailed-exitcode',
      );
    }
    const waitMs = duration(raw, 'wait');
    if (waitMs !== undefined && flag(raw, 'detach')) {
      throw new UsageError('--detach does not wait, and --wait does.', 'Give one of them.');
    }
    return {
      plan: raw.args[0],
      task,
      only: list(raw, 'only'),
      exclude: list(raw, 'exclude'),
      request: {
        yes: flag(raw, 'yes'),
        dryRun: flag(raw, 'dryRun'),
        refresh: flag(raw, 'refresh'),
        resume: flag(raw, 'resume'),
        retry: flag(raw, 'retry'),
        replay: flag(raw, 'replay'),
        recorded: flag(raw, 'recorded'),
        force: flag(raw, 'force'),
        allowDirty: flag(raw, 'allowDirty'),
        timeoutMs: timeout(raw),
        concurrency: wholeNumber(raw, 'concurrency', 1),
        allowAllPaths: flag(raw, 'allowAllPaths'),
        skipVerify: flag(raw, 'skipVerify'),
        instruct,
        maxTokens: wholeNumber(raw, 'maxTokens', 1),
        onFailure: onFailure(raw),
      },
      model: modelFlags(raw),
      detach: flag(raw, 'detach'),
      detailedExitcode: flag(raw, 'detailedExitcode'),
      waitMs,
      key: nonEmpty(raw, 'key'),
    };
  },
  async run(context, parsed) {
    const client = await context.client();
    const shown = await client.show(await client.resolve(parsed.plan));
    const view = shown.lost ? await takeUp(context, client, shown.view, parsed.request.resume) : shown.view;
    const request: ApplyRequest = { ...parsed.request, by: context.io.user() };
    if (parsed.task !== undefined) request.task = taskIdOf(view, parsed.task);
    if (parsed.only) request.only = taskIdsOf(view, parsed.only);
    if (parsed.exclude) request.exclude = taskIdsOf(view, parsed.exclude);
    if (Object.values(parsed.model).some((given) => given !== undefined)) {
      // The plan's own provider stands unless a flag says otherwise; asking for the settings checks the flags.
      const settings = await context.settings({ ...parsed.model, provider: parsed.model.provider ?? view.provider });
      request.settings = runSettings(parsed.model, settings.model);
      context.show.note(`For this run only: ${settings.choice}`);
    }
    const { detach, waitMs, detailedExitcode } = parsed;
    const signer = parsed.key === undefined ? undefined : await signerOf(context, { key: parsed.key });
    return applyAndFollow(context, client, view, request, { detach, waitMs, detailedExitcode, signer });
  },
});

/** What flags say, and with a provider the model that it has; what they leave open stays the plan's. */
function runSettings(
  { provider, model, temperature, fallback }: ModelFlags,
  found: ModelSettings,
): ApplyRequest['settings'] {
  const told = { provider, model: model ?? (provider === undefined ? undefined : found.model), temperature };
  const given = Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
  const anew = provider !== undefined || fallback !== undefined;
  return {
    ...given,
    ...(anew && (found.fallback || fallback !== undefined) ? { fallback: found.fallback ?? null } : {}),
  };
}
