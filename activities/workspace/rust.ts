import { type EcosystemFacts, released } from './finding';
import { expandPackages } from './packages';
import { at, dictAt, parseToml, stringAt, stringsAt } from './shape';
import type { Tree } from './tree';

/** Facts of a Cargo package or workspace. Null without a readable Cargo.toml. */
export function rustFacts(tree: Tree): EcosystemFacts | null {
  const manifest = parseToml(tree.text('Cargo.toml'));
  if (!manifest) return null;
  const packages = expandPackages(tree, stringsAt(manifest, 'workspace', 'members'), 'Cargo.toml');
  const channel =
    stringAt(parseToml(tree.text('rust-toolchain.toml')), 'toolchain', 'channel') ??
    tree.text('rust-toolchain')?.trim();
  const pinned = /^\d+\.\d+/.exec(channel ?? '')?.[0];
  const stated =
    stringAt(manifest, 'package', 'rust-version') ?? stringAt(manifest, 'workspace', 'package', 'rust-version');
  const binaries = at(manifest, 'bin');
  const declared = Array.isArray(binaries) ? stringAt(binaries[0], 'path') : null;
  const entryPoint =
    declared ?? ['src/main.rs', ...packages.map((folder) => `${folder}/src/main.rs`)].find(tree.has) ?? null;
  const locked = tree.has('Cargo.lock') ? ' --locked' : '';
  const source = 'Cargo.toml';
  return {
    name: stringAt(manifest, 'package', 'name') ?? tree.name,
    ...released(stringAt(manifest, 'package', 'version')),
    library: entryPoint === null,
    // The images' tag "1" is the newest stable release: Rust keeps old code compiling.
    runtime: pinned
      ? { version: pinned, source: 'rust-toolchain' }
      : { version: '1', source: 'newest stable (the project pins none)' },
    testVersions: pinned ? [pinned] : [...(stated ? [stated] : []), '1'],
    engines: stated ? `>=${stated}` : null,
    packageManager: { name: 'cargo', version: null, lockfile: locked ? 'Cargo.lock' : null },
    install: { run: `cargo fetch${locked}`, source },
    build: { run: `cargo build --release${locked}`, source },
    test: { run: `cargo test${locked}`, source },
    lint: { run: 'cargo clippy --all-targets', source },
    start: entryPoint ? { run: 'cargo run --release', source: entryPoint } : null,
    entryPoint,
    buildOutput: 'target/release',
    packages,
    dependencies: Object.entries(dictAt(manifest, 'dependencies')).flatMap(([name, value]) => [
      name,
      // sqlx and diesel choose their database by a feature.
      ...stringsAt(value, 'features').map((feature) => `${name}/${feature}`),
    ]),
  };
}
