import type { Finding } from '../../plan/types';
import { libraryVersion } from './library';
import { bracketDepth, MAX_DEPTH } from './nesting';
import type { Subject, Verifier } from './types';

async function run({ text }: Subject): Promise<{ findings: Finding[] }> {
  if (bracketDepth(text) > MAX_DEPTH) {
    const message = `Arrays or tables are nested deeper than ${MAX_DEPTH} levels.`;
    return { findings: [{ rule: 'too-deep', severity: 'error', message }] };
  }
  // Its types are ESM only, which a CommonJS module may only import so.
  const { parse, TomlError } = await import('smol-toml');
  try {
    parse(text);
    return { findings: [] };
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    const place = error instanceof TomlError ? { line: error.line, column: error.column } : {};
    return { findings: [{ rule: 'toml-syntax', severity: 'error', message, ...place }] };
  }
}

export const tomlVerifier: Verifier = {
  id: 'toml',
  version: libraryVersion('smol-toml', require.resolve('smol-toml')),
  applies: (path) => /\.toml$/i.test(path),
  run,
};
