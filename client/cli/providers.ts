import type { WorkspaceLayout } from '../../store/layout';
import type { Io } from './io';
import { whyProvider } from './rooms';
import type { Style } from './show/style';
import { safe, table } from './show/style';

/** What is known of one provider. Never a key. */
export interface ProviderInfo {
  name: string;
  about: string;
  inForce: boolean;
  key: { needed: boolean; present: boolean; source: string | null; file: string | null; fault: string | null };
}

export interface ProviderReport {
  inForce: string;
  why: string;
  providers: ProviderInfo[];
}

/** @throws UsageError as the settings do, for a bad file or value */
export async function providerReport(io: Io, layout: WorkspaceLayout): Promise<ProviderReport> {
  const settings = await io.rooms.settingsInForce({ layout, env: io.env });
  const { provider, sources, apiKeyPresent, key } = settings;
  const { source, file, fault } = key;
  return {
    inForce: provider,
    why: whyProvider(provider, sources.provider, apiKeyPresent),
    providers: [
      {
        name: 'openai',
        about: 'OpenAI, or any server that speaks its protocol (OPENAI_BASE_URL)',
        inForce: provider === 'openai',
        key: { needed: true, present: apiKeyPresent, source, file, fault: fault?.message ?? null },
      },
      {
        name: 'template',
        about: 'built-in rules and templates: no model, no network',
        inForce: provider === 'template',
        key: { needed: false, present: false, source: null, file: null, fault: null },
      },
    ],
  };
}

export function providersText({ inForce, why, providers }: ProviderReport, style: Style): string {
  const rows = providers.map((one) => [one.inForce ? '*' : '', one.name, keyText(one.key), one.about]);
  const faults = providers.flatMap(({ key }) => (key.fault === null ? [] : [`${style.bad('✗')} ${safe(key.fault)}\n`]));
  return `${table(['', 'PROVIDER', 'KEY', 'WHAT IT IS'], rows)}${faults.join('')}In force: ${inForce} (${safe(why)})\n`;
}

function keyText({ needed, present, source, file, fault }: ProviderInfo['key']): string {
  if (!needed) return 'none needed';
  if (fault !== null) return 'file unusable';
  if (!present) return 'missing';
  return file === null ? `from ${source}` : `from ${safe(file)}`;
}
