import { UsageError } from '../../../plan/errors';
import { defineCommand, MODEL_OPTIONS, modelFlags } from '../command';
import { EXIT } from '../exit-codes';
import { providerReport } from '../providers';
import type { ModelFlags, ProviderTest } from '../rooms';
import { plural, type Style, safe } from '../show/style';

interface Parsed {
  provider?: string;
  model: ModelFlags;
}

export const command = defineCommand<Parsed>({
  about:
    'Asks a provider one tiny question and says what worked: the key, the way there, the model, the form of its answer. It costs a\n' +
    'few dozen tokens. Exit 4 where it fails. The key is never shown.',
  args: [{ name: 'provider', about: 'openai, template, or a name of your config; the one in force unless given' }],
  options: MODEL_OPTIONS.filter(({ flags }) => !/^--(provider|fallback)/.test(flags)),
  examples: ['planwright provider test', 'planwright provider test openai --model gpt-4o-mini'],
  parse: (raw) => {
    const { provider: _, fallback: __, ...model } = modelFlags(raw);
    return { provider: raw.args[0], model };
  },
  async run({ io, show, layout }, { provider, model }) {
    if (provider !== undefined) await io.rooms.knownProvider(provider, io.env);
    const report = await providerReport(io, layout());
    const name = provider ?? report.inForce;
    if (name === 'template' && model.model !== undefined) {
      throw new UsageError('The provider template has no models.', 'planwright provider test openai --model NAME');
    }
    const key = report.providers.find((one) => one.name === name)?.key;
    const result = await io.rooms.testProvider({
      layout: layout(),
      env: io.env,
      flags: { ...model, provider: name, fallback: 'none' },
    });
    const source = key?.needed === false ? null : (key?.file ?? key?.source ?? null);
    show.document(result === null ? { provider: name, ok: true } : { ...result, ok: true, key: source }, (style) =>
      result === null
        ? `${style.good('✓')} template: built-in rules and templates. There is nobody to ask, so it always works.\n`
        : testText(result, source, style),
    );
    show.next(['planwright plan "<goal>"']);
    return EXIT.done;
  },
});

function testText(result: NonNullable<ProviderTest>, source: string | null, style: Style): string {
  const { provider, baseUrl, model, answeredBy, ms, promptTokens, completionTokens, form } = result;
  const good = style.good('✓');
  const warn = style.warn('!');
  const both = result.temperature && result.seed;
  const lacks = [...(result.temperature ? [] : ['a temperature']), ...(result.seed ? [] : ['a seed'])].join(' and ');
  const lines = [
    `${good} key: ${source === null ? 'none needed' : `from ${safe(source)}`}, accepted`,
    `${good} ${provider} at ${safe(baseUrl)} answered in ${(ms / 1000).toFixed(1)} s`,
    `${good} model ${safe(model)}${answeredBy === model ? '' : ` (names itself ${safe(answeredBy)})`}: ${promptTokens} + ${plural(completionTokens, 'token')}`,
    form === 'kept'
      ? `${good} its answer has the form that plans need`
      : `${warn} its answer does not have the form that plans need: plans with this model will fail often`,
    both ? `${good} takes a temperature and a seed` : `${warn} refuses ${lacks}: a replay may differ from the record`,
  ];
  return `${lines.join('\n')}\n`;
}
