import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { safe } from '../show/style';

export const command = defineCommand<{ sink?: string }>({
  about:
    'Sends a test to the sinks of the policy, or to one of them, and says what each answered. It is sent from here, once, with the ' +
    'variables of this shell; plans are told of by the worker, with the variables that it was started with.',
  args: [{ name: 'sink', about: 'only this one' }],
  examples: ['planwright notify test', 'planwright notify test ops --json'],
  parse: ({ args: [sink] }) => ({ sink }),
  async run({ io, show, layout }, { sink }) {
    const tests = await io.rooms.testSinks({ layout: layout(), env: io.env, sink, now: io.now() });
    show.document(tests, (style) =>
      tests
        .map(({ sink: name, delivered, answer }) => {
          const mark = delivered ? style.good('✓') : style.bad('✗');
          return `${mark} ${safe(name)}: ${safe(answer)}\n`;
        })
        .join(''),
    );
    return tests.every(({ delivered }) => delivered) ? EXIT.done : EXIT.failed;
  },
});
