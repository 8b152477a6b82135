import { createInterface } from 'node:readline';
import type { Input, Output } from './streams';

/** `end`: no more input will come; `interrupt`: Ctrl-C at the prompt; `withdrawn`: the caller's signal fired. */
export type Answer = { kind: 'line'; line: string } | { kind: 'end' } | { kind: 'interrupt' } | { kind: 'withdrawn' };

export interface Prompter {
  /** Asks one question. Nothing but a line that someone typed is ever a `line`. */
  ask(question: string, withdraw: AbortSignal): Promise<Answer>;
}

/** Asks with node:readline; one interface a question, so that the terminal is in its normal mode between two. */
export function terminalPrompter(input: Input, output: Output): Prompter {
  return {
    ask(question, withdraw) {
      return new Promise((resolve) => {
        if (withdraw.aborted) return resolve({ kind: 'withdrawn' });
        const lines = createInterface({ input, output, terminal: input.isTTY === true, historySize: 0 });
        let answered = false;
        const finish = (answer: Answer): void => {
          if (answered) return;
          answered = true;
          withdraw.removeEventListener('abort', withdrawn);
          lines.close();
          resolve(answer);
        };
        // Nobody pressed Enter, so what is shown next would stand on the question's line.
        const without = (kind: 'end' | 'interrupt' | 'withdrawn'): void => {
          if (!answered) output.write('\n');
          finish({ kind });
        };
        const withdrawn = (): void => without('withdrawn');
        lines.on('line', (line) => finish({ kind: 'line', line }));
        lines.on('SIGINT', () => without('interrupt'));
        lines.on('close', () => without('end'));
        withdraw.addEventListener('abort', withdrawn, { once: true });
        lines.setPrompt(question);
        lines.prompt();
      });
    },
  };
}
