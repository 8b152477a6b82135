import type { GcResult } from '../../../store/gc';
import { defineCommand, duration, flag } from '../command';
import { EXIT } from '../exit-codes';
import { plural, type Style } from '../show/style';

const HOUR_MS = 3_600_000;

interface Parsed {
  dryRun: boolean;
  graceMs: number;
}

export const command = defineCommand<Parsed>({
  about:
    'Removes stored contents that nothing refers to any more: no plan, no recorded call, no journal of a write. Every plan of the\n' +
    'workspace is asked, so it starts the server and the worker where they do not run. What was stored lately stays: a task that\n' +
    'is under way may still come to refer to it.',
  options: [
    { flags: '--dry-run', about: 'say what would be removed, and remove nothing' },
    { flags: '--grace <duration>', about: 'leave what was stored within this time (1h)' },
  ],
  examples: ['planwright gc --dry-run', 'planwright gc', 'planwright gc --grace 2d'],
  parse: (raw) => ({ dryRun: flag(raw, 'dryRun'), graceMs: duration(raw, 'grace') ?? HOUR_MS }),
  async run(context, { dryRun, graceMs }) {
    const { io, show } = context;
    const client = await context.client();
    const references = await client.references();
    const result = await io.rooms.collectGarbage(context.layout(), { references, graceMs, dryRun });
    show.document({ ...result, dryRun }, (style) => gcText(result, dryRun, style));
    show.next(dryRun && result.freed.objects > 0 ? ['planwright gc'] : ['planwright plan list']);
    return EXIT.done;
  },
});

function gcText({ found, freed, young }: GcResult, dryRun: boolean, style: Style): string {
  const lines = [
    freed.objects === 0
      ? `Nothing to remove: ${plural(found.objects, 'object')}, ${sizeText(found.bytes)}.`
      : `${dryRun ? 'Would free' : `${style.good('✓')} Freed`} ${sizeText(freed.bytes)}: ${freed.objects} of ${plural(found.objects, 'object')}.`,
  ];
  if (young.objects > 0) {
    lines.push(
      `${plural(young.objects, 'object')} (${sizeText(young.bytes)}) that nothing refers to yet, too young to be removed.`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function sizeText(bytes: number): string {
  if (bytes < 1024) return plural(bytes, 'byte');
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
