import picomatch from 'picomatch';
import type { Tree } from './tree';

/**
 * Sub-packages of a monorepo: directories that hold `manifest` and match one of the globs that its root states; a glob with `!`
 * takes away.
 *
 * @returns relative directories in code-unit order; globs that are very long are left out (threat T20)
 */
export function expandPackages(tree: Tree, globs: readonly string[], manifest: string): string[] {
  const usable = globs.slice(0, 100).filter((glob) => glob.length <= 200 && (glob.match(/\*+/g)?.length ?? 0) <= 4);
  const clean = (glob: string): string => glob.replace(/^\.\//, '').replace(/\/$/, '');
  const wanted = usable.filter((glob) => !glob.startsWith('!')).map(clean);
  const unwanted = usable.filter((glob) => glob.startsWith('!')).map((glob) => clean(glob.slice(1)));
  if (wanted.length === 0) return [];
  const matches = picomatch(wanted, { ignore: unwanted, noextglob: true });
  return tree.paths
    .filter((path) => path.endsWith(`/${manifest}`))
    .map((path) => path.slice(0, -manifest.length - 1))
    .filter((folder) => matches(folder));
}
