import { PassThrough } from 'node:stream';
import { terminalPrompter } from '../../../client/cli/prompter';
import { Recorder, settle } from './world';

function terminal(isTTY = true) {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = new Recorder(isTTY);
  return { input, output, prompter: terminalPrompter(input, output) };
}

const never = (): AbortSignal => new AbortController().signal;

describe('the terminal prompter', () => {
  it('gives the line that was typed, and asks a second time on the same terminal', async () => {
    const { input, output, prompter } = terminal();
    const first = prompter.ask('Approve? ', never());
    input.write('y\n');
    expect(await first).toEqual({ kind: 'line', line: 'y' });
    const second = prompter.ask('Really? ', never());
    input.write('n\n');
    expect(await second).toEqual({ kind: 'line', line: 'n' });
    expect(output.text).toContain('Approve? ');
    // A question that is over hears nothing more, and echoes nothing.
    expect(input.listenerCount('keypress')).toBe(0);
    expect(output.text.slice(output.text.indexOf('Really? ')).match(/n/g)).toHaveLength(1);
  });

  it('end of input is no answer', async () => {
    const { input, prompter } = terminal();
    const answer = prompter.ask('Approve? ', never());
    input.end();
    expect(await answer).toEqual({ kind: 'end' });
  });

  it('Ctrl-D and Ctrl-C at a terminal are no answers', async () => {
    const ended = terminal();
    const end = ended.prompter.ask('Approve? ', never());
    ended.input.write('\u0004');
    expect(await end).toEqual({ kind: 'end' });
    const stopped = terminal();
    const interrupt = stopped.prompter.ask('Approve? ', never());
    stopped.input.write('y\u0003');
    expect(await interrupt).toEqual({ kind: 'interrupt' });
  });

  it('a question that was withdrawn takes no answer any more', async () => {
    const { input, prompter } = terminal();
    const withdraw = new AbortController();
    const answer = prompter.ask('Approve? ', withdraw.signal);
    withdraw.abort();
    input.write('y\n');
    await settle();
    expect(await answer).toEqual({ kind: 'withdrawn' });
    expect(await prompter.ask('Approve? ', withdraw.signal)).toEqual({ kind: 'withdrawn' });
  });
});
