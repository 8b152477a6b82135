import { posix } from 'node:path';
import type { EcosystemFacts } from './finding';
import { compareVersions, versionNumbers } from './ranges';
import type { Tree } from './tree';
import { GO_CURRENT } from './versions';

const isMain = (text: string): boolean => /^package main\b/m.test(text) && /^func main\(/m.test(text);

/** Imports that bring go-sqlite3, which needs a C compiler, also where go.mod calls it indirect. */
const SQLITE =
  /"(?:github\.com\/mattn\/go-sqlite3|github\.com\/jinzhu\/gorm\/dialects\/sqlite|gorm\.io\/driver\/sqlite)"/;

/** Directories that `./...` passes over (`go help packages`): what stands there is no part of the module. */
const OUTSIDE_MODULE = /(^|\/)(?:[_.][^/]*|testdata)\//;

/** Facts of a Go module, from go.mod and its `package main` directories. Null without go.mod. */
export function goFacts(tree: Tree): EcosystemFacts | null {
  const text = tree.text('go.mod');
  if (text === undefined) return null;
  const module = /^module\s+"?([^\s"]+)/m.exec(text)?.[1] ?? tree.name;
  const stated = /^go\s+(\d+\.\d+)/m.exec(text)?.[1];
  const toolchain = /^toolchain\s+go(\d+\.\d+)/m.exec(text)?.[1];
  const old = stated !== undefined && compareVersions(versionNumbers(stated), [1, 21]) < 0;
  const version = toolchain ?? (old ? GO_CURRENT : stated);
  const versionSource = toolchain
    ? 'go.mod toolchain'
    : old
      ? `current release (go.mod states only go ${stated})`
      : 'go.mod go';
  const mains = tree.sources.filter(
    (path) => path.endsWith('.go') && !OUTSIDE_MODULE.test(path) && isMain(tree.text(path) ?? ''),
  );
  const folders = [...new Set(mains.map((path) => posix.dirname(path)))];
  const name =
    module
      .replace(/\/v\d+$/, '')
      .split('/')
      .at(-1) ?? module;
  // The root comes first, then the command that has the module's name, then the first under cmd/.
  const main = ['.', `cmd/${name}`].find((folder) => folders.includes(folder)) ?? folders.sort()[0];
  const entry = mains.find((path) => posix.dirname(path) === main);
  const linted = tree.paths.some((path) => /^\.golangci\.(ya?ml|toml|json)$/.test(path));
  const target = main === '.' ? '.' : `./${main}`;
  return {
    name,
    library: main === undefined,
    runtime: version ? { version, source: versionSource } : null,
    testVersions: version ? [version] : [],
    engines: stated ? `>=${stated}` : null,
    packageManager: { name: 'go', version: null, lockfile: tree.has('go.sum') ? 'go.sum' : null },
    install: { run: 'go mod download', source: 'go.mod' },
    build: { run: 'go build ./...', source: 'go.mod' },
    test: { run: 'go test ./...', source: 'go.mod' },
    lint: linted ? { run: 'golangci-lint run', source: '.golangci' } : { run: 'go vet ./...', source: 'go.mod' },
    start: main === undefined ? null : { run: `go run ${target}`, source: entry ?? `${target} package main` },
    entryPoint: entry ?? null,
    dependencies: [
      ...(tree.sources.some((path) => SQLITE.test(tree.text(path) ?? '')) ? ['github.com/mattn/go-sqlite3'] : []),
      ...[...text.matchAll(/^\s*(?:require\s+)?([\w.-]+\.[\w.-]+\/\S+)\s+v\S+(?!.*\/\/ indirect)/gm)].map(
        (m) => m[1] ?? '',
      ),
    ],
  };
}
