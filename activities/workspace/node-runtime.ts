import type { WorkspaceFacts } from '../../plan/types';
import { allowsLine, versionNumbers } from './ranges';
import { type Dict, stringAt } from './shape';
import type { Tree } from './tree';
import { bestLine, NODE, testLines } from './versions';

type Runtime = NonNullable<WorkspaceFacts['runtime']>;

const LTS_NAMES: { [name: string]: string } = { hydrogen: '18', iron: '20', jod: '22', krypton: '24' };

function majorOf(text: string): string | null {
  const plain = text.trim().toLowerCase();
  const lts = /^lts\/(.+)$/.exec(plain)?.[1];
  if (lts) return lts === '*' ? (NODE.maintained.at(-1) ?? null) : (LTS_NAMES[lts] ?? null);
  const major = versionNumbers(plain)[0];
  return major === undefined ? null : String(major);
}

/** The version that the project pins for those who work on it. */
function pinnedNode(manifest: Dict, tree: Tree): Runtime | null {
  const toolVersions = /^node(?:js)?\s+(\S+)/m.exec(tree.text('.tool-versions') ?? '')?.[1];
  const pins: [string, string | null | undefined][] = [
    ['.nvmrc', tree.text('.nvmrc')],
    ['.node-version', tree.text('.node-version')],
    ['package.json volta.node', stringAt(manifest, 'volta', 'node')],
    ['.tool-versions', toolVersions],
  ];
  for (const [source, text] of pins) {
    const version = text ? majorOf(text) : null;
    if (version) return { version, source };
  }
  return null;
}

/**
 * The Node major to use, and those to test: a pin comes first, then the image of the project's own Dockerfile, then the newest
 * maintained LTS that `engines.node` allows. A library is tested against every line that it promises, an
 * application against the one that it pins.
 */
export function nodeRuntime(
  manifest: Dict,
  tree: Tree,
  published: boolean,
): Required<Pick<WorkspaceFacts, 'runtime' | 'testVersions' | 'engines'>> {
  const engines = stringAt(manifest, 'engines', 'node');
  const pinned = pinnedNode(manifest, tree) ?? dockerfileNode(tree, engines);
  const best = bestLine(NODE, engines);
  const runtime: Runtime =
    pinned ??
    (best && engines
      ? { version: best, source: 'package.json engines.node' }
      : { version: bestLine(NODE, null) ?? '24', source: 'newest maintained LTS (the project states none)' });
  const lines = testLines(NODE, engines, '18', false);
  const testVersions = (pinned && !published) || lines.length === 0 ? [runtime.version] : lines;
  return { runtime, testVersions, engines };
}

function dockerfileNode(tree: Tree, engines: string | null): Runtime | null {
  const version = /^FROM\s+(?:--\S+\s+)?(?:\S*\/)?node:(\d+)/im.exec(tree.text('Dockerfile') ?? '')?.[1];
  if (!version || (engines && !allowsLine(engines, version))) return null;
  return { version, source: 'Dockerfile' };
}
