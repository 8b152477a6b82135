/** What every refusal of the command line owes to the person, and graphs to be refused. */
import type { Finished, Installation } from './installation';

export const KEY = 'sk-test-key-0123456789';

export function node(id: string, tool: string, deps: string[] = [], input: object = {}): object {
  return { id, tool, description: `Write the ${tool} files`, input, deps };
}

export const graphText = (...nodes: object[]): string => JSON.stringify({ nodes });

/** A mark, words instead of a stack, and no control characters. */
export function expectClear({ stderr }: Finished): void {
  expect(stderr).toContain('✗');
  expect(stderr).not.toMatch(/has a bug|\n\s+at .+:\d+:\d+|undefined|\[object/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
}

/** Runs a command that must be refused with this exit code and these words, clearly. */
export type Refused = (
  args: string[],
  code: number,
  says: RegExp,
  options?: { input?: string; env?: NodeJS.ProcessEnv },
) => Promise<Finished>;

export async function refusedBy(
  installation: Installation,
  ...[args, code, says, options]: Parameters<Refused>
): Promise<Finished> {
  const finished = await installation.run(args, options);
  expect(`${finished.code} ${finished.stderr}`).toMatch(new RegExp(`^${code} `));
  expect(finished.stderr).toMatch(says);
  expectClear(finished);
  return finished;
}
