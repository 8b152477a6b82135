import { posix } from 'node:path';
import type { Language } from '../../plan/types';

/** Directories that hold what tools made or fetched: never walked, whatever `.gitignore` says. */
const DERIVED = new Set(
  (
    'node_modules bower_components jspm_packages vendor dist build target coverage .git .hg .svn .planwright .venv venv ' +
    '__pycache__ .tox .nox .eggs .mypy_cache .pytest_cache .ruff_cache site-packages .next .nuxt .output .svelte-kit ' +
    '.nyc_output .gradle .terraform .idea .cache .turbo .parcel-cache .yarn .pnpm-store .ssh .gnupg .aws .kube'
  ).split(' '),
);

export function isDerivedDirectory(name: string): boolean {
  return DERIVED.has(name) || name.endsWith('.egg-info');
}

const SECRET_NAMES = new Set(
  (
    '.npmrc .netrc _netrc .pypirc .pgpass .my.cnf .htpasswd .git-credentials .vault-token .envrc kubeconfig ' +
    'credentials credentials.json id_rsa id_dsa id_ecdsa id_ed25519 terraform.tfstate'
  ).split(' '),
);
const SECRET_ENDING = /\.(pem|key|p12|pfx|jks|keystore|kdbx|ppk|kubeconfig|tfstate|tfstate\..+|tfplan)$/;
/** Cluster credentials and vault passwords under the names that people give their copies. */
const SECRET_COPY = /^(kubeconfig[._-].+|.+[._-]kubeconfig\.ya?ml|\.?vault[_-]?pass(word)?([._-].+)?)$/;
const SECRET_FOLDER = /(^|\/)\.(ssh|gnupg|aws|kube|docker)\//;
const ENV_EXAMPLE = /(^|[.])(example|sample|template|dist)$/;

/**
 * True where a file may hold a secret and its content is therefore never read (threat T16). Its name may be known.
 *
 * @param path relative to the workspace, with `/`
 */
export function isSecret(path: string): boolean {
  const lower = path.toLowerCase();
  const name = posix.basename(lower);
  if (name === '.env' || name.startsWith('.env.')) return !isEnvExample(lower);
  return (
    SECRET_NAMES.has(name) ||
    SECRET_ENDING.test(name) ||
    SECRET_COPY.test(name) ||
    name.endsWith('.env') ||
    SECRET_FOLDER.test(lower) ||
    /^service-?account.*\.json$/.test(name)
  );
}

/** True for `.env.example` and its like, which name variables and hold no secret. */
export function isEnvExample(path: string): boolean {
  const name = posix.basename(path.toLowerCase());
  return name.startsWith('.env.') && ENV_EXAMPLE.test(name);
}

const LANGUAGES: { [extension: string]: Language } = {
  '.js': 'node',
  '.mjs': 'node',
  '.cjs': 'node',
  '.jsx': 'node',
  '.ts': 'node',
  '.mts': 'node',
  '.cts': 'node',
  '.tsx': 'node',
  '.py': 'python',
  '.go': 'go',
  '.rs': 'rust',
  '.java': 'java',
  '.kt': 'java',
};

/** The language that a source file is written in; null where the file is no source of a known language. */
export function languageOf(path: string): Language | null {
  if (path.endsWith('.d.ts') || path.endsWith('.min.js')) return null;
  return LANGUAGES[posix.extname(path)] ?? null;
}

const NOT_PRODUCTION_FOLDER =
  /(^|\/)(tests?|testing|__tests__|__mocks__|specs?|e2e|_?examples?|samples?|demos?|docs?|website|bench(mark)?s?|fixtures?|testdata|scripts|tools|tutorials?|migrations|\.[^/]+)\//i;
const NOT_PRODUCTION_FILE =
  /(\.(test|spec|test-d|bench|stories|config)\.[cm]?[jt]sx?|_test\.(go|py)|(^|\/)(test_[^/]*|conftest|setup|noxfile|tasks|fabfile)\.py|(^|\/)(gruntfile|gulpfile)\.[cm]?js|tests?\.(py|js|rs))$/i;

/** True for source that runs in production: no tests, examples, documentation, benchmarks or build scripts. */
export function isProductionSource(path: string): boolean {
  return languageOf(path) !== null && !NOT_PRODUCTION_FOLDER.test(path) && !NOT_PRODUCTION_FILE.test(path);
}
