import { resolve } from 'node:path';
import { UsageError } from '../../../plan/errors';
import { defineCommand, nonEmpty } from '../command';
import { EXIT } from '../exit-codes';
import { providerReport, providersText } from '../providers';
import { safe } from '../show/style';

interface Parsed {
  provider: string;
  keyFile?: string;
}

export const command = defineCommand<Parsed>({
  about:
    'Says where the key of a provider is found: in OPENAI_API_KEY, or in a file of your own. The key itself is stored nowhere, and never in a workspace.',
  args: [{ name: 'provider', about: 'openai', required: true, values: ['openai'] }],
  options: [
    { flags: '--key-file <file>', about: 'a file of mode 0600 outside every workspace that holds the key alone' },
  ],
  examples: [
    'planwright provider add openai',
    'planwright provider add openai --key-file ~/.config/planwright/openai.key',
  ],
  parse: (raw) => ({ provider: raw.args[0] ?? '', keyFile: nonEmpty(raw, 'keyFile') }),
  async run({ io, show, layout }, { provider, keyFile }) {
    if (io.rooms.knownProvider(provider) === 'template') {
      throw new UsageError('The provider template needs no key.', 'Use it: planwright config set provider template');
    }
    let config: string | null = null;
    if (keyFile !== undefined) {
      config = await io.rooms.addKeyFile({ layout: layout(), env: io.env, file: resolve(io.cwd, keyFile) });
    }
    const report = await providerReport(io, layout());
    const key = report.providers.find(({ name }) => name === provider)?.key;
    if (!key?.present) throw noKey(key?.fault ?? null);
    show.document({ ...report, config }, (style) => {
      const recorded = config === null ? '' : `The key file is named in ${safe(config)}.\n`;
      return recorded + providersText(report, style);
    });
    if (config !== null && key.source === 'OPENAI_API_KEY') {
      show.note('OPENAI_API_KEY is set and goes before the key file.');
    }
    show.next(['planwright plan "<goal>"']);
    return EXIT.done;
  },
});

function noKey(fault: string | null): UsageError {
  return new UsageError(
    fault ?? 'The provider openai has no key yet.',
    'Set OPENAI_API_KEY, or write the key alone into a file outside the workspace, run chmod 600 on it, and name it: planwright provider add openai --key-file FILE',
  );
}
