import { EXIT_CODES } from './exit-codes';

const EXAMPLES = [
  'planwright plan "Set up CI/CD with GitHub Actions and a Dockerfile"',
  'planwright apply',
  'planwright apply --yes --json > run.ndjson',
  'planwright approvals',
];

/** What stands at the end of `planwright --help`. */
export function helpEnd(): string {
  const width = Math.max(...EXIT_CODES.map(([code]) => code.length));
  const codes = EXIT_CODES.map(([code, meaning]) => `  ${code.padEnd(width)}  ${meaning}`);
  return [exampleText(EXAMPLES), '', 'Exit codes:', ...codes].join('\n');
}

/** What stands at the end of a command's own help. */
export function exampleText(examples: readonly string[]): string {
  return ['', 'Examples:', ...examples.map((example) => `  ${example}`)].join('\n');
}
