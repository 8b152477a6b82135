import { resolve } from 'node:path';
import { UsageError } from '../../../plan/errors';
import { defineCommand, flag, list, text } from '../command';
import { EXIT } from '../exit-codes';
import { safe } from '../show/style';

const DEFAULT_LISTEN = '127.0.0.1:7243';

interface Parsed {
  host: string;
  port: number;
  tokenFile: string | null;
  noAuth: boolean;
  origins: string[];
  namespaces: string[] | null;
}

export const command = defineCommand<Parsed>({
  about:
    'Shows the plaintext of encrypted payloads to those who may see it: endpoints /decode and /encode for the web UI of Temporal and for\n' +
    '`temporal … --codec-endpoint`. Requests bring the token that stands in --token-file or in PLANWRIGHT_CODEC_TOKEN. It runs until Ctrl-C;\nits log is on stdout, one JSON object a line, and holds neither keys nor plaintext. See docs/encryption.md.',
  options: [
    { flags: '--listen <host:port>', about: `where to listen (${DEFAULT_LISTEN}); port 0: any free one` },
    { flags: '--token-file <file>', about: 'file of mode 0600 with the token that requests must bring' },
    { flags: '--no-auth', about: 'ask for no token; on a loopback address only' },
    { flags: '--origin <urls>', about: "the web UI's origins, separated by commas, such as http://localhost:8233" },
    { flags: '--namespaces <names>', about: 'namespaces to serve, separated by commas; the connection’s unless given' },
  ],
  examples: [
    'planwright codec-server --token-file ~/.config/planwright/codec-token',
    'planwright codec-server --no-auth --origin http://localhost:8233',
  ],
  parse(raw) {
    const listen = text(raw, 'listen') ?? DEFAULT_LISTEN;
    const [, host, port] = /^(.+):(\d{1,5})$/.exec(listen) ?? [];
    if (host === undefined || port === undefined || Number(port) > 65_535) {
      throw new UsageError(`--listen ${listen} is not HOST:PORT.`);
    }
    return {
      host: host.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port),
      tokenFile: text(raw, 'tokenFile') ?? null,
      // Commander reads --no-x as x: false.
      noAuth: raw.options.auth === false || flag(raw, 'noAuth'),
      origins: list(raw, 'origin') ?? [],
      namespaces: list(raw, 'namespaces') ?? null,
    };
  },
  async run(context, { tokenFile, ...parsed }) {
    const { io, show, globals } = context;
    const { address, namespace, profile } = globals;
    await io.rooms.codecServer({
      ...parsed,
      tokenFile: tokenFile === null ? null : resolve(io.cwd, tokenFile),
      layout: context.layout(),
      env: io.env,
      flags: { address, namespace, profile },
      ready: (url, names) => show.note(`The codec server listens on ${url} for ${names.map(safe).join(', ')}.`),
    });
    return EXIT.done;
  },
});
