import { escapeForDisplay } from '../../../plan/display';
import { UsageError } from '../../../plan/errors';
import { defineCommand } from '../command';
import { CONFIG_KEYS, type ConfigKey } from '../config-keys';
import { EXIT } from '../exit-codes';
import { safe, table } from '../show/style';

export const command = defineCommand<{ key: ConfigKey | null }>({
  about: 'The settings in force, each with where it comes from: a flag, a variable, a file, or the default.',
  args: [{ name: 'key', about: `one of ${CONFIG_KEYS.join(', ')}; all unless given`, values: CONFIG_KEYS }],
  examples: ['planwright config get', 'planwright config get model', 'planwright config get --json'],
  parse: ({ args: [word] }) => ({ key: word === undefined ? null : knownKey(word) }),
  async run({ io, show, layout }, { key }) {
    const settings = await io.rooms.settingsInForce({ layout: layout(), env: io.env });
    const keys = key === null ? CONFIG_KEYS : [key];
    const entries = keys.map((name) => ({ key: name, value: settings[name], source: settings.sources[name] }));
    show.document(key === null ? entries : entries[0], () =>
      table(
        ['KEY', 'VALUE', 'FROM'],
        entries.map((entry) => [entry.key, safe(shown(entry.value)), safe(entry.source)]),
      ),
    );
    show.next(['planwright config set <key> <value>']);
    return EXIT.done;
  },
});

const shown = (value: string | number | null): string => (value === null ? "the provider's own" : String(value));

function knownKey(word: string): ConfigKey {
  const key = CONFIG_KEYS.find((name) => name === word);
  if (key) return key;
  throw new UsageError(`There is no setting "${escapeForDisplay(word)}".`, `There are: ${CONFIG_KEYS.join(', ')}.`);
}
