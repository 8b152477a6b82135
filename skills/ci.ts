import type { WorkspaceFacts } from '../plan/types';
import { version } from './filters';
import type { RenderScope } from './types';

/** What a pipeline that runs in containers needs to know: images, what the image lacks, what to cache, what to run. */
export interface Ci {
  /** Versions of the language to test with, oldest first; more than one only for what others install. */
  versions: string[];
  /** The official image for each of them; one of '' where the language is not known. */
  images: { version: string; image: string }[];
  /** The image for checks that run once. */
  image: string;
  /** Commands that bring what the image lacks, before `install`. */
  setup: string[];
  /** The same for lint alone. */
  lintSetup: string[];
  /** What is fetched again and again; null without a lock file, whose content is the key. `$PROJECT` in a value is the checkout. */
  cache: { key: string; folder: string; variables: { name: string; value: string }[] } | null;
  install: string;
  /** '' where there is none, or the test command lints by itself. */
  lint: string;
  /** '' where there is none, or another command is the same. */
  typecheck: string;
  build: string;
  test: string;
}

const SELF_LINTING = /\brun lint |\b(pnpm|yarn) lint /;

export function ciOf(ws: WorkspaceFacts, input: RenderScope['input']): Ci {
  const published = ws.library || ws.cli === true || /package\.json bin|console scripts/.test(ws.start?.source ?? '');
  const asked = Array.isArray(input.versions) ? input.versions.map(String) : [];
  const found = published && ws.testVersions.length > 0 ? ws.testVersions : ws.runtime ? [ws.runtime.version] : [];
  const versions = asked.length > 0 ? asked : found;
  const images = versions.map((one) => ({ version: one, image: imageFor(ws, one) }));
  const testScript = ws.scripts[ws.test?.source.replace('package.json scripts.', '') ?? ''] ?? '';
  const lintedByTest = ws.lint?.source === 'package.json scripts.lint' && SELF_LINTING.test(`${testScript} `);
  const same = [ws.build?.run, ws.lint?.run].includes(ws.typecheck?.run);
  const lint = lintedByTest ? '' : (ws.lint?.run ?? '');
  return {
    versions,
    images: images.length > 0 ? images : [{ version: '', image: imageFor(ws, '') }],
    image: imageFor(ws, ws.runtime?.version ?? versions.at(-1) ?? ''),
    setup: setupOf(ws),
    lintSetup: lintSetupOf(ws, lint),
    cache: cacheOf(ws),
    install: ws.install?.run ?? '',
    lint,
    typecheck: same ? '' : (ws.typecheck?.run ?? ''),
    build: ws.build?.run ?? '',
    test: ws.test?.run ?? '',
  };
}

/** Images by the tags under which the languages' own projects publish them. */
function imageFor(ws: WorkspaceFacts, stated: string): string {
  const manager = ws.packageManager?.name;
  const tag = (fallback: string): string => version(stated, fallback);
  const wrapper = /^\.\//.test(ws.build?.run ?? ws.test?.run ?? '');
  switch (ws.language) {
    case 'node':
      return manager === 'bun' ? 'oven/bun:1' : `node:${tag('lts')}`;
    case 'python':
      return `python:${tag('3')}`;
    case 'go':
      return `golang:${tag('1')}`;
    case 'rust':
      return `rust:${tag('1')}`;
    case 'java':
      if (wrapper) return `eclipse-temurin:${tag('21')}-jdk`;
      return manager === 'maven' ? `maven:3-eclipse-temurin-${tag('21')}` : `gradle:jdk${tag('21')}`;
    default:
      return '';
  }
}

function setupOf(ws: WorkspaceFacts): string[] {
  const manager = ws.packageManager?.name ?? '';
  const major = ws.packageManager?.version?.split('.')[0] ?? '';
  if (ws.language === 'node' && manager === 'pnpm') return [`npm install --global pnpm@${version(major, '10')}`];
  const berry = ws.install?.run.includes('--immutable') || (major !== '' && major !== '1');
  if (ws.language === 'node' && manager === 'yarn' && berry)
    return ['npm install --global corepack@latest', 'corepack enable'];
  if (ws.language === 'python' && ['poetry', 'pdm', 'uv', 'pipenv'].includes(manager))
    return [`pip install ${manager}`];
  return [];
}

function lintSetupOf(ws: WorkspaceFacts, lint: string): string[] {
  if (ws.language === 'rust' && /\bcargo (clippy|fmt)\b/.test(lint)) return ['rustup component add clippy rustfmt'];
  if (ws.language === 'go' && lint.startsWith('golangci-lint'))
    return ['go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.5.0'];
  return [];
}

/** Package manager → the variable that moves its cache, and a folder that no tool takes for sources. */
const CACHES: { [manager: string]: [variable: string, folder: string][] } = {
  npm: [['npm_config_cache', '.npm']],
  pnpm: [['npm_config_store_dir', '.pnpm-store']],
  yarn: [['YARN_CACHE_FOLDER', '.yarn-cache']],
  bun: [['BUN_INSTALL_CACHE_DIR', '.bun-cache']],
  poetry: [['POETRY_CACHE_DIR', '.poetry-cache']],
  uv: [['UV_CACHE_DIR', '.uv-cache']],
  pipenv: [['PIPENV_CACHE_DIR', '.pipenv-cache']],
  go: [['GOMODCACHE', '.go-cache']],
  cargo: [['CARGO_HOME', '.cargo-home']],
};

function cacheOf(ws: WorkspaceFacts): Ci['cache'] {
  const { name, lockfile } = ws.packageManager ?? {};
  const variables = name && Object.hasOwn(CACHES, name) ? CACHES[name] : undefined;
  if (!lockfile || !variables || !/^[\w.-]+$/.test(lockfile)) return null;
  const named = variables.map(([variable, folder]) => ({ name: variable, value: `$PROJECT/${folder}` }));
  // Go's cache is read-only by default, and a runner that cleans up could not remove it.
  if (name === 'go') named.push({ name: 'GOFLAGS', value: '-modcacherw' });
  return { key: lockfile, folder: variables[0]?.[1] ?? '', variables: named };
}
