/** `provider add`: describes a provider in the user's own config. */
import { UsageError } from '../plan/errors';
import { editConfig } from './config-file';
import { readKeyFile } from './key-file';
import type { WorkspaceLayout } from './layout';
import type { ProviderEntry } from './providers';

export interface NewProvider {
  name: string;
  entry: Omit<ProviderEntry, 'price'> & { price?: { prompt: number; completion: number; currency?: string } };
}

/**
 * What is given replaces what the entry had under that name; the rest of it stays. A key file is read once, to see that it can be, and
 * the key is kept nowhere.
 *
 * @returns the path of the config file
 * @throws UsageError where the entry would not be valid, or as `readKeyFile`; nothing is written then
 */
export async function addProvider(
  env: NodeJS.ProcessEnv,
  layout: Pick<WorkspaceLayout, 'root'>,
  { name, entry }: NewProvider,
): Promise<string> {
  if (name === 'template') {
    throw new UsageError('The provider template needs no key.', 'Use it: planwright config set provider template');
  }
  if (entry.keyFile !== undefined) readKeyFile(entry.keyFile, layout.root);
  const given = Object.entries(entry).filter(([, value]) => value !== undefined);
  const keys = ['keyEnv', 'keyFile', 'key'];
  return editConfig({ kind: 'user', env }, (document) => {
    // One way to the key at a time: a new one takes the place of the old.
    const there = document.hasIn(['providers', name]);
    if (there && given.some(([key]) => keys.includes(key)))
      for (const key of keys) document.deleteIn(['providers', name, key]);
    for (const [key, value] of given) {
      const parts = typeof value === 'object' ? Object.entries(value).filter(([, one]) => one !== undefined) : null;
      if (!parts) document.setIn(['providers', name, key], value);
      else for (const [inner, one] of parts) document.setIn(['providers', name, key, inner], one);
    }
  });
}
