import { posix } from 'node:path';
import { type EcosystemFacts, released } from './finding';
import { nodeBuildOutput, nodeKind } from './node-kind';
import { nodeInstall, nodePackageManager, workspaceGlobs } from './node-package-manager';
import { nodeRuntime } from './node-runtime';
import { nodeScript } from './node-scripts';
import { expandPackages } from './packages';
import { type Dict, dictAt, parseJson, stringAt, stringMapAt } from './shape';
import type { Tree } from './tree';

/** Facts of a Node project, from package.json and what stands beside it. Null without a readable package.json. */
export function nodeFacts(tree: Tree): EcosystemFacts | null {
  const manifest = parseJson(tree.text('package.json'));
  if (!manifest) return null;
  const manager = nodePackageManager(manifest, tree);
  const scripts = stringMapAt(manifest, 'scripts');
  const kind = nodeKind(manifest, tree, manager);
  const globs = workspaceGlobs(manifest, parseJson(tree.text('lerna.json')), tree);
  const packages = expandPackages(tree, globs, 'package.json');
  const build = nodeScript('build', scripts, manager);
  const manifests = [manifest, ...packages.map((folder) => parseJson(tree.text(`${folder}/package.json`)) ?? {})];
  const dependencies = manifests.flatMap(runtimeDependencies);
  const schema = tree.paths.find((path) => /(^|\/)schema\.prisma$/.test(path));
  const buildScript = build ? scripts[build.source.replace('package.json scripts.', '')] : undefined;
  return {
    ...nodeRuntime(manifest, tree, kind.library || kind.cli),
    ...kind,
    name: stringAt(manifest, 'name') ?? tree.name,
    ...released(stringAt(manifest, 'version')),
    typescript: usesTypeScript(manifest, tree),
    packageManager: manager,
    install: nodeInstall(manager, tree),
    build,
    test: nodeScript('test', scripts, manager),
    lint: nodeScript('lint', scripts, manager),
    typecheck: nodeScript('typecheck', scripts, manager),
    scripts,
    buildOutput: nodeBuildOutput(manifest, buildScript, outDir(tree)),
    packages,
    ...(schema && dependencies.includes('@prisma/client') ? { prismaSchema: schema } : {}),
    dependencies,
    // npm and pnpm install peers as well, though they say nothing of the services that the product uses.
    runtimeDependencies: dependencies.length + Object.keys(dictAt(manifest, 'peerDependencies')).length,
  };
}

/** Development and peer dependencies do not count: a service that only tests use is not part of the product. */
function runtimeDependencies(manifest: Dict): string[] {
  return [...Object.keys(dictAt(manifest, 'dependencies')), ...Object.keys(dictAt(manifest, 'optionalDependencies'))];
}

function usesTypeScript(manifest: Dict, tree: Tree): boolean {
  const configured = tree.has('tsconfig.json') || dictAt(manifest, 'devDependencies').typescript !== undefined;
  return configured && tree.sources.some((path) => /\.[cm]?tsx?$/.test(path));
}

/** `outDir` of the configuration that builds, following one local `extends`. */
function outDir(tree: Tree): string | null {
  for (const file of ['tsconfig.build.json', 'tsconfig.json']) {
    const config = parseJson(tree.text(file));
    const base = stringAt(config, 'extends');
    const inherited = base?.startsWith('.')
      ? parseJson(tree.text(posix.normalize(base.replace(/(\.json)?$/, '.json'))))
      : null;
    const found = stringAt(config, 'compilerOptions', 'outDir') ?? stringAt(inherited, 'compilerOptions', 'outDir');
    if (found) return found;
  }
  return null;
}
