import { shownUrl } from '../../store/base-url';
import type { WorkspaceLayout } from '../../store/layout';
import type { Price } from '../../store/providers';
import type { Context } from './context';
import type { Io } from './io';
import { whyProvider } from './rooms';
import type { Prices } from './show/cost-text';
import type { Style } from './show/style';
import { safe, table } from './show/style';

/** What is known of one provider. Never a key. */
export interface ProviderInfo {
  name: string;
  about: string;
  inForce: boolean;
  key: {
    needed: boolean;
    present: boolean;
    source: string | null;
    file: string | null;
    fault: string | null;
    /** The variable that would hold it. */
    variable: string | null;
  };
  /** Without credentials; null: the provider's own. */
  baseUrl: string | null;
  models: { planner: string | null; executor: string | null };
  /** Of a million tokens. */
  price: Price | null;
}

export interface ProviderReport {
  inForce: string;
  why: string;
  /** Who is asked where the one in force cannot answer. */
  fallback: string | null;
  providers: ProviderInfo[];
}

/** @throws UsageError as the settings do, for a bad file or value */
export async function providerReport(io: Io, layout: WorkspaceLayout): Promise<ProviderReport> {
  const settings = await io.rooms.settingsInForce({ layout, env: io.env });
  const { provider, sources, apiKeyPresent, fallback } = settings;
  const noModels = { planner: null, executor: null };
  const noKey = { needed: false, present: false, source: null, file: null, fault: null, variable: null };
  const infos = Object.entries(settings.providers).map(([name, known]): ProviderInfo => {
    const { key: found, needed, present } = known.key;
    const { source, file, fault } = found;
    return {
      name,
      about: known.baseUrl === null ? OPENAI : shownUrl(known.baseUrl),
      inForce: provider === name,
      key: { needed, present, source, file, fault: fault?.message ?? null, variable: known.keyEnv },
      baseUrl: known.baseUrl === null ? null : shownUrl(known.baseUrl),
      models: known.models,
      price: known.price,
    };
  });
  const template: ProviderInfo = {
    name: 'template',
    about: 'built-in rules and templates: no model, no network',
    inForce: provider === 'template',
    key: noKey,
    baseUrl: null,
    models: noModels,
    price: null,
  };
  return {
    inForce: provider,
    why: whyProvider(provider, sources.provider, apiKeyPresent),
    fallback: fallback?.provider ?? null,
    providers: [...infos, template],
  };
}

const OPENAI = 'OpenAI, or any server that speaks its protocol (OPENAI_BASE_URL)';

export function providersText({ inForce, why, fallback, providers }: ProviderReport, style: Style): string {
  const rows = providers.map((one) => [
    one.inForce ? '*' : '',
    one.name,
    keyText(one.key),
    safe([...new Set([one.models.planner, one.models.executor])].filter((model) => model !== null).join(', ')),
    safe(one.about),
  ]);
  const faults = providers.flatMap(({ key }) => (key.fault === null ? [] : [`${style.bad('✗')} ${safe(key.fault)}\n`]));
  const head = ['', 'PROVIDER', 'KEY', 'MODELS', 'WHAT IT IS'];
  const other = fallback === null ? '' : `Falls back to: ${safe(fallback)}\n`;
  return `${table(head, rows)}${faults.join('')}In force: ${safe(inForce)} (${safe(why)})\n${other}`;
}

function keyText({ needed, present, source, file, fault }: ProviderInfo['key']): string {
  if (!needed) return 'none needed';
  if (fault !== null) return 'file unusable';
  if (!present) return 'missing';
  return file === null ? `from ${source}` : `from ${safe(file)}`;
}

/** Prices of the user's config; none where it cannot be read: what is shown does not depend on it. */
export async function pricesInForce({ io, layout }: Pick<Context, 'io' | 'layout'>): Promise<Prices> {
  const settings = await io.rooms.settingsInForce({ layout: layout(), env: io.env }).catch(() => null);
  const known = Object.entries(settings?.providers ?? {});
  return Object.fromEntries(known.flatMap(([name, { price }]) => (price === null ? [] : [[name, price]])));
}
