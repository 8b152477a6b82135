import { UsageError } from '../../../plan/errors';
import { LEVELS, type LevelName, type Verified } from '../../audit/verify-plan';
import { absolute, desk, HISTORY_OPTION, historyFiles, PLAN_ARG, planOfLog } from '../audit';
import { defineCommand, flag, list, type Raw } from '../command';
import { EXIT } from '../exit-codes';
import { safe } from '../show/style';
import { verificationText } from '../show/verification-text';

interface Parsed {
  plan?: string;
  /** Undefined: all that can be had. */
  levels?: LevelName[];
  files: string[];
  strict: boolean;
}

export const command = defineCommand<Parsed>({
  about:
    "Checks a plan's audit log against all evidence that can be had: the log itself (structure), what is known of its end elsewhere\n" +
    '(head: checkpoint, witness, workflow), the event history in Temporal or an exported one (history), and the files of the workspace (files).\n' +
    'Each level is held, broken, or not to be had. Exit 0; 3 where one is broken; 4 where one that --level asks for cannot be had.',
  args: [PLAN_ARG],
  options: [
    { flags: '--level <levels>', about: 'only these, and each must be had: structure, head, history, files' },
    { flags: '--strict', about: 'a break that somebody declared counts as broken (exit 3)' },
    HISTORY_OPTION,
  ],
  examples: ['planwright history verify', 'planwright history verify latest --level head,history --strict --json'],
  parse: (raw) => ({
    plan: raw.args[0],
    levels: levelsOf(raw),
    files: historyFiles(raw),
    strict: flag(raw, 'strict'),
  }),
  async run(context, { plan, levels, files, strict }) {
    const { show, io } = context;
    const client = await context.client({ readOnly: true, orDisk: true });
    const id = await planOfLog(context, client, plan);
    const verified = await (await desk(context)).verify(id, client, {
      levels: levels ?? LEVELS,
      files: absolute(context, files),
      now: io.now,
    });
    const code = codeOf(verified, levels ?? [], strict);
    show.document({ ...verified, strict, exitCode: code }, (style) => verificationText(verified, strict, style));
    if (code === EXIT.integrity) show.next([`planwright history audit ${id}`, `planwright history repair ${id}`]);
    return code;
  },
});

function levelsOf(raw: Raw): LevelName[] | undefined {
  return list(raw, 'level')?.map((given) => {
    const known = LEVELS.find((level) => level === given);
    if (known) return known;
    throw new UsageError(`There is no level "${safe(given)}".`, `The levels are ${LEVELS.join(', ')}.`);
  });
}

/** Broken before missing: what is wrong is certain, whatever else could have been looked at. */
function codeOf(
  { broken, unavailable, breaks, head }: Verified,
  required: readonly LevelName[],
  strict: boolean,
): number {
  if (broken.length > 0 || (strict && breaks.length > 0)) return EXIT.integrity;
  // Where nobody knows of a single entry there was nothing to verify.
  const isNothing = head.size === 0 && unavailable.includes('structure');
  return isNothing || required.some((level) => unavailable.includes(level)) ? EXIT.unreachable : EXIT.done;
}
