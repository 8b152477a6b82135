import type { WorkspaceFacts } from '../../plan/types';

/** What an ecosystem's reader finds; what it leaves out is absent. */
export type EcosystemFacts = Partial<
  Pick<
    WorkspaceFacts,
    | 'name'
    | 'version'
    | 'typescript'
    | 'library'
    | 'cli'
    | 'runtime'
    | 'testVersions'
    | 'engines'
    | 'packageManager'
    | 'install'
    | 'build'
    | 'test'
    | 'lint'
    | 'start'
    | 'typecheck'
    | 'scripts'
    | 'entryPoint'
    | 'buildOutput'
    | 'packages'
    | 'runtimeDependencies'
    | 'prismaSchema'
  >
> & {
  /** Names of the dependencies that production needs. */
  dependencies: string[];
};

/** The version of a manifest, where it is one that was or will be released: "0.0.0" and its like stand for none. */
export function released(version: string | null): { version?: string } {
  return version && /^\d+\.\d+[\w.+-]{0,40}$/.test(version) && !/^0\.0\.0/.test(version) ? { version } : {};
}

/** A line of a text, counted from 1, for a position in it. */
export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

/**
 * Matches of an expression that do not stand in a comment line. The expression needs the flag `g`, and bounds on what it
 * repeats: the text is not ours, and may be made to be slow (threat T20).
 */
export function* codeMatches(text: string, expression: RegExp): Generator<RegExpMatchArray & { index: number }> {
  for (const match of text.matchAll(expression)) {
    const start = text.lastIndexOf('\n', match.index) + 1;
    const before = text.slice(start, Math.min(match.index + 2, start + 400)).trimStart();
    if (!/^(\/\/|\/\*|\*|#(?!\[))/.test(before)) yield match;
  }
}
