import type { FoundCommand } from '../../plan/types';
import { type PackageManager, runScript } from './node-package-manager';

type Scripts = { [name: string]: string };

const NAMES = {
  test: ['test', 'test:ci', 'test-ci', 'test:run', 'test:unit', 'unit', 'tests'],
  lint: ['lint', 'lint:check', 'lint:ci', 'eslint', 'lint:js', 'lint:code'],
  build: ['build', 'build:prod', 'build:production', 'compile', 'prestart:prod', 'prestart'],
  typecheck: [
    'typecheck',
    'type-check',
    'check-types',
    'check:types',
    'types:check',
    'typecheck:ci',
    'tsc',
    'ts:check',
    'types',
  ],
} as const;

/** What `npm init` writes where there are no tests, and what people write by hand for the same. */
function isPlaceholder(script: string): boolean {
  return (
    /no tests? (specified|yet|defined)/i.test(script) ||
    /^(echo\b[^&|;]*|exit \d|true|:)?\s*(&&\s*exit \d)?$/.test(script.trim())
  );
}

/** A script that watches never ends, and would hang in CI. */
function watches(script: string): boolean {
  return /(^|\s)(--watch(All)?|-w)(?=\s|$)(?!=false)/.test(script) && !/--watch(All)?=false/.test(script);
}

const LINTS = /\b(?:npm|pnpm|yarn)\s+(?:run\s+)?lint\b/;

function testsOnly(scripts: Scripts, name: string): boolean {
  const script = Object.hasOwn(scripts, name) ? (scripts[name] ?? '') : '';
  // One that only measures coverage of "npm test" would lint again.
  return script !== '' && !LINTS.test(script) && !/\b(?:npm|pnpm|yarn)\s+(?:run\s+)?test(?![\w:-])/.test(script);
}

/** The command for one purpose, or null where package.json has no script for it. */
export function nodeScript(
  purpose: keyof typeof NAMES,
  scripts: Scripts,
  manager: PackageManager,
): FoundCommand | null {
  const name = NAMES[purpose].find((candidate) => {
    const script = Object.hasOwn(scripts, candidate) ? scripts[candidate] : undefined;
    if (script === undefined || isPlaceholder(script) || watches(script)) return false;
    // A hook of the start script is the build only where it compiles.
    if (candidate.startsWith('prestart'))
      return /\b(tsc|swc|babel|esbuild|tsup|webpack|rollup|nest build)\b/.test(script);
    // Where CI has a test script of its own because the everyday one lints as well, that is the one for CI.
    if (candidate === 'test' && LINTS.test(script) && ['test:ci', 'test-ci'].some((own) => testsOnly(scripts, own)))
      return false;
    // A script "types" may as well generate declarations.
    return candidate !== 'types' || /--noEmit/i.test(script);
  });
  return name ? { run: runScript(manager, name), source: `package.json scripts.${name}` } : null;
}

/** Starts a workbench for people (a watcher, a component gallery), not the service itself. */
const WORKBENCH =
  /\b(storybook|start-storybook|styleguidist|docz|docusaurus|tsdx|microbundle|webpack-dev-server|webpack serve|rollup -)/;

/** The script that starts the service. Null where there is none, or where it only helps with development. */
export function startScript(scripts: Scripts): { name: string; script: string } | null {
  for (const name of ['start:prod', 'start:production', 'start', 'serve:prod']) {
    const script = Object.hasOwn(scripts, name) ? scripts[name] : undefined;
    if (script && !isPlaceholder(script) && !WORKBENCH.test(script) && !watches(script)) return { name, script };
  }
  return null;
}

/** The file that a start script runs, as it is written there: "node --enable-source-maps dist/server" → "dist/server". */
export function fileOfScript(script: string): string | null {
  const last = script.split(/&&|;/).at(-1)?.trim() ?? '';
  const match = /(?:^|\s)(?:node|nodemon|ts-node|ts-node-dev|tsx|bun|pm2-runtime(?: start)?)\s+(.*)$/.exec(last);
  const words = (match?.[1] ?? '').split(/\s+/).filter((word) => word !== '' && word !== 'run' && word !== 'watch');
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (/^(-r|--require|--import|--loader|--exec|-x|--env-file)$/.test(word)) index += 1;
    else if (!word.startsWith('-')) return word.replace(/^["']|["']$/g, '').replace(/^\.\//, '') || '.';
  }
  return null;
}
