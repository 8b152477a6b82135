/** Owners whose version tags are taken as they are: GitHub itself and Docker. Every other action is third-party. */
const WELL_KNOWN_OWNERS = new Set(['actions', 'github', 'docker']);

const USES = /(?:^|[\s{,-])["']?uses["']?\s{0,20}:\s{0,20}["']?([^\s"'#,}]+)/g;
const COMMIT = /^[0-9a-f]{40}$|^[0-9a-f]{64}$/i;
const VERSION_TAG = /^v?\d/;

/**
 * The actions (and reusable workflows, and `docker://` images) on one line of a workflow that are not fixed to
 * a commit or digest. A version tag of a well-known owner is accepted; a branch is not, whoever owns it.
 * Local actions (`./…`) are the repository's own.
 */
export function unpinnedActions(line: string): string[] {
  return Array.from(line.matchAll(USES), ([, name]) => name ?? '').filter(isUnpinned);
}

function isUnpinned(name: string): boolean {
  if (name.startsWith('./')) return false;
  if (name.startsWith('docker://')) return !/@sha256:[0-9a-f]{64}$/.test(name);
  const [action = '', ref = ''] = name.split('@');
  const [owner = '', repository] = action.split('/');
  if (!repository || COMMIT.test(ref)) return false;
  return !(WELL_KNOWN_OWNERS.has(owner.toLowerCase()) && VERSION_TAG.test(ref));
}
