import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { providerReport, providersText } from '../providers';

export const command = defineCommand<null>({
  about: 'The providers that Planwright knows, whether their key is there, and which one is in force and why.',
  examples: ['planwright provider list', 'planwright provider list --json'],
  parse: () => null,
  async run({ io, show, layout }) {
    const report = await providerReport(io, layout());
    show.document(report, (style) => providersText(report, style));
    const [missing] = report.providers.filter(({ key }) => key.needed && !key.present);
    show.next([missing ? `planwright provider add ${missing.name}` : 'planwright config set provider <name>']);
    return EXIT.done;
  },
});
