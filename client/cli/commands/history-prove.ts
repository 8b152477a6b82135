import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { IntegrityError, UsageError } from '../../../plan/errors';
import { desk, PLAN_ARG, planOfLog } from '../audit';
import { defineCommand, flag, nonEmpty } from '../command';
import { deliver, OUTPUT_OPTIONS } from '../deliver';
import { EXIT } from '../exit-codes';
import { auditText } from '../show/audit-text';
import { safe } from '../show/style';

interface Parsed {
  seq?: string;
  plan?: string;
  check?: string;
  key?: string;
  output?: string;
  overwrite: boolean;
}

export const command = defineCommand<Parsed>({
  about:
    'Writes a proof that an entry is in the audit log: the entry, its way to the root of the tree, and the signed root. With --check it reads\n' +
    'such a proof instead, anywhere: no log, no server and no workspace are needed, only the key that must have signed.',
  args: [{ name: 'seq', about: 'number of the entry, as `history audit` shows it' }, PLAN_ARG],
  options: [
    ...OUTPUT_OPTIONS,
    { flags: '--check <file>', about: 'check this proof; "-" is stdin' },
    { flags: '--key <key>', about: 'with --check: the key that must have signed, as the proof spells it' },
  ],
  examples: [
    'planwright history prove 17 -o entry-17.json',
    'planwright history prove --check entry-17.json --key KEY',
  ],
  parse: (raw) => {
    const [seq, plan] = raw.args;
    const check = nonEmpty(raw, 'check');
    const key = nonEmpty(raw, 'key');
    if (check === undefined && seq === undefined)
      throw new UsageError('Which entry?', 'Give its number, as `planwright history audit` shows it.');
    if (check !== undefined && seq !== undefined)
      throw new UsageError('--check reads a proof, and a number makes one.', 'Give one or the other.');
    if (check === undefined && key !== undefined)
      throw new UsageError('--key says who must have signed a proof that is checked.', 'Give it with --check.');
    return { seq, plan, check, key, output: nonEmpty(raw, 'output'), overwrite: flag(raw, 'overwrite') };
  },
  async run(context, { seq = '', plan, check, key, output, overwrite }) {
    const { show, io } = context;
    if (check !== undefined) {
      const { checkProof } = require('../../../audit/prove') as typeof import('../../../audit/prove');
      const shown = checkProof(await proofIn(check === '-' ? io.stdin : resolve(io.cwd, check)), key ?? null);
      if (typeof shown === 'string') throw new IntegrityError(`The proof shows nothing: ${safe(shown)}.`);
      const { entry, size } = shown;
      show.document({ schema: 'planwright.audit-proven/1', ...shown }, (style) =>
        [
          `${style.good('✓')} Entry ${entry.body.seq} of ${safe(entry.body.log)} was among its first ${size} entries when they were signed.`,
          `  ${auditText([entry], style)}  signed by ${safe(shown.key)}`,
          '',
        ].join('\n'),
      );
      if (key === undefined)
        show.demand(['Nobody said whose signature it must be: compare the key, or give it with --key.']);
      return EXIT.done;
    }
    const { entryNumber } = require('../../../audit/prove') as typeof import('../../../audit/prove');
    const number = entryNumber(seq);
    const client = await context.client({ readOnly: true, orDisk: true });
    const id = await planOfLog(context, client, plan);
    const proof = await (await desk(context)).prove(id, number);
    await deliver(context, output, `${JSON.stringify(proof, null, 2)}\n`, overwrite);
    show.note(`Whoever checks it must know the key from elsewhere: ${safe(proof.key)}`);
    if (output !== undefined) show.next([`planwright history prove --check ${safe(output)}`]);
    return EXIT.done;
  },
});

async function proofIn(from: string | NodeJS.ReadableStream): Promise<unknown> {
  const text = typeof from === 'string' ? await fileText(from) : await streamText(from);
  try {
    return JSON.parse(text);
  } catch {
    throw new IntegrityError('The proof is no JSON.');
  }
}

function fileText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The proof ${safe(path)} cannot be read: ${error.code}.`);
  });
}

async function streamText(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk.toString();
  return text;
}
