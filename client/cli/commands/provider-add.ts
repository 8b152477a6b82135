import { resolve } from 'node:path';
import { UsageError } from '../../../plan/errors';
import type { NewProvider } from '../../../store/add-provider';
import { defineCommand, flag, nonEmpty, numberBetween, type Raw, wholeNumber } from '../command';
import { EXIT } from '../exit-codes';
import { providerReport, providersText } from '../providers';
import { safe } from '../show/style';

interface Parsed {
  provider: string;
  keyFile?: string;
  /** Null: nothing but a key file was given. */
  entry: NewProvider['entry'] | null;
}

const LARGE = 1_000_000;

export const command = defineCommand<Parsed>({
  about:
    'Describes a provider in your own config: where it is, where its key is found, its models and prices. A key is found in a variable or in a\n' +
    'file of your own; the key itself is stored nowhere, and never in a workspace. What is given replaces what was there.',
  args: [{ name: 'provider', about: 'openai, or a name of your own', required: true }],
  options: [
    { flags: '--base-url <url>', about: 'an OpenAI-compatible server, for example http://localhost:11434/v1' },
    { flags: '--key-env <name>', about: 'the variable that holds the key' },
    { flags: '--key-file <file>', about: 'a file of mode 0600 outside every workspace that holds the key alone' },
    { flags: '--keyless', about: 'the server checks no keys' },
    { flags: '--key-header <name>', about: 'send the key in this header, for example api-key' },
    { flags: '--model <name>', about: 'the model that carries tasks out, and plans unless another is named' },
    { flags: '--planner-model <name>', about: 'the model that plans' },
    { flags: '--price-prompt <number>', about: 'price of a million tokens of prompts' },
    { flags: '--price-completion <number>', about: 'price of a million tokens of answers' },
    { flags: '--max-tokens <n>', about: 'most tokens of one answer' },
  ],
  examples: [
    'planwright provider add openai --key-file ~/.config/planwright/openai.key',
    'planwright provider add local --base-url http://localhost:11434/v1 --keyless --model qwen2.5-coder',
    'planwright provider add team --base-url https://llm.example.com/v1 --key-env TEAM_LLM_KEY --model big --planner-model small',
  ],
  parse: (raw) => {
    const entry = entryOf(raw);
    const keyFile = nonEmpty(raw, 'keyFile');
    const some = Object.values(entry).some((value) => value !== undefined);
    return { provider: raw.args[0] ?? '', keyFile, entry: some ? entry : null };
  },
  async run({ io, show, layout }, { provider, keyFile, entry }) {
    const file = keyFile === undefined ? undefined : resolve(io.cwd, keyFile);
    const place = { layout: layout(), env: io.env };
    let config: string | null = null;
    if (provider === 'openai' && file !== undefined) config = await io.rooms.addKeyFile({ ...place, file });
    if (provider !== 'openai' && !(entry || file)) {
      // Nothing is described: it must be there already.
      const known = await io.rooms.knownProvider(provider, io.env);
      if (known === 'template')
        throw new UsageError('The provider template needs no key.', 'Use it: planwright config set provider template');
    } else if (entry || provider !== 'openai') {
      const keys = provider === 'openai' || file === undefined ? {} : { keyFile: file };
      config = await io.rooms.addProvider({ ...place, provider: { name: provider, entry: { ...entry, ...keys } } });
    }
    const report = await providerReport(io, layout());
    const key = report.providers.find(({ name }) => name === provider)?.key;
    if (key?.needed !== false && !key?.present && (provider === 'openai' || config === null)) {
      throw noKey(provider, key?.fault ?? null);
    }
    show.document({ ...report, config }, (style) => {
      const recorded = config === null ? '' : `Written to ${safe(config)}.\n`;
      return recorded + providersText(report, style);
    });
    if (config !== null && key?.source === 'OPENAI_API_KEY' && file !== undefined) {
      show.note('OPENAI_API_KEY is set and goes before the key file.');
    }
    if (key?.needed && !key.present) show.note(`Its key is not set here: set ${safe(key.variable ?? 'it')}.`);
    show.next([`planwright provider test ${provider}`, `planwright plan "<goal>" --provider ${provider}`]);
    return EXIT.done;
  },
});

function entryOf(raw: Raw): NewProvider['entry'] {
  const executor = nonEmpty(raw, 'model');
  const planner = nonEmpty(raw, 'plannerModel');
  const prompt = numberBetween(raw, 'pricePrompt', 0, LARGE);
  const completion = numberBetween(raw, 'priceCompletion', 0, LARGE);
  if ((prompt === undefined) !== (completion === undefined)) {
    throw new UsageError('A price has two parts.', 'Give --price-prompt and --price-completion.');
  }
  return {
    baseUrl: nonEmpty(raw, 'baseUrl'),
    keyEnv: nonEmpty(raw, 'keyEnv'),
    key: flag(raw, 'keyless') ? 'none' : undefined,
    keyHeader: nonEmpty(raw, 'keyHeader'),
    models: executor === undefined && planner === undefined ? undefined : { executor, planner },
    price: prompt === undefined || completion === undefined ? undefined : { prompt, completion },
    maxTokens: wholeNumber(raw, 'maxTokens', 1),
  };
}

function noKey(provider: string, fault: string | null): UsageError {
  return new UsageError(
    fault ?? `The provider ${provider} has no key yet.`,
    provider === 'openai'
      ? 'Set OPENAI_API_KEY, or write the key alone into a file outside the workspace, run chmod 600 on it, and name it: planwright provider add openai --key-file FILE'
      : `Say where it is: planwright provider add ${provider} --key-env NAME, --key-file FILE or --keyless`,
  );
}
