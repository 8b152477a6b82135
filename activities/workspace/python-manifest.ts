import { classifiersIn, entryPointsInSetup, extrasInSetup, listInSetup, nameInSetup } from './python-setup';
import { dictAt, isDict, parseIni, parseToml, stringAt, stringMapAt, stringsAt } from './shape';
import type { Tree } from './tree';

/** What a Python project says of itself, whichever of its manifests says it. */
export interface PythonManifest {
  name: string | null;
  /** As written down; null where a tool computes it. */
  version: string | null;
  requiresPython: string | null;
  requiresSource: string | null;
  classifiers: string[];
  /** Normalised names (PEP 503) of what production needs. */
  dependencies: string[];
  /** Optional sets: extras, PEP 735 groups, and Poetry's and PDM's own; name → normalised names. */
  extras: { [name: string]: string[] };
  groups: { [name: string]: string[] };
  /** requirements files, relative. */
  requirements: string[];
  /** Console scripts: name → "module:function". */
  scripts: { [name: string]: string };
  /** True where `pip install .` works: the project is a package. */
  packaged: boolean;
  /** Parsed pyproject.toml; empty where there is none. */
  pyproject: { [key: string]: unknown };
}

/** "Flask[async]>=2; python_version < '3.9'" → "flask". */
function requirementName(requirement: string): string | null {
  const name = /^\s*([A-Za-z0-9][\w.-]*)/.exec(requirement)?.[1];
  return name ? name.toLowerCase().replace(/[-_.]+/g, '-') : null;
}

const names = (requirements: readonly string[]): string[] =>
  requirements.flatMap((requirement) => requirementName(requirement) ?? []);
const lines = (text: string | undefined): string[] => (text ?? '').split('\n').map((line) => line.trim());
const sets = (value: { [key: string]: unknown }): { [name: string]: string[] } =>
  Object.fromEntries(Object.keys(value).map((key) => [key, names(stringsAt(value, key))]));
const poetryNames = (value: { [key: string]: unknown }): string[] =>
  names(Object.keys(value).filter((key) => key !== 'python'));

/** Reads pyproject.toml (PEP 621, Poetry, PDM), setup.cfg, setup.py, Pipfile and requirements files, first come first served. */
export function pythonManifest(tree: Tree): PythonManifest | null {
  const requirements = tree.paths.filter((path) =>
    /^([\w.-]*requirements[\w.-]*|requirements\/[\w.-]+)\.txt$/.test(path),
  );
  const marks = ['pyproject.toml', 'setup.py', 'setup.cfg', 'Pipfile', 'manage.py'];
  if (requirements.length === 0 && !marks.some((mark) => tree.has(mark))) return null;
  const pyproject = parseToml(tree.text('pyproject.toml')) ?? {};
  const cfg = parseIni(tree.text('setup.cfg'));
  const setup = tree.text('setup.py') ?? '';
  const pipfile = parseToml(tree.text('Pipfile'));
  const poetry = dictAt(pyproject, 'tool', 'poetry');
  const poetryGroups = Object.fromEntries(
    Object.entries(dictAt(poetry, 'group')).map(([key, group]) => [key, poetryNames(dictAt(group, 'dependencies'))]),
  );
  const production = requirements.filter((path) =>
    /^(requirements|requirements\/(base|prod|production|main))\.txt$/.test(path),
  );
  const required: [string, string | null][] = [
    ['pyproject.toml requires-python', stringAt(pyproject, 'project', 'requires-python')],
    ['pyproject.toml tool.poetry.dependencies.python', stringAt(poetry, 'dependencies', 'python')],
    ['setup.cfg python_requires', cfg.options?.python_requires?.trim() || null],
    ['setup.py python_requires', /python_requires\s*=\s*['"]([^'"]+)['"]/.exec(setup)?.[1] ?? null],
    ['Pipfile', stringAt(pipfile, 'requires', 'python_version')?.replace(/^/, '==') ?? null],
  ];
  const stated = required.find(([, range]) => range !== null);
  const requirementLines = production.flatMap((path) =>
    lines(tree.text(path)).filter((line) => !/^(#|-|$)/.test(line)),
  );
  return {
    version:
      stringAt(pyproject, 'project', 'version') ??
      stringAt(poetry, 'version') ??
      (cfg.metadata?.version?.trim() || null),
    name:
      stringAt(pyproject, 'project', 'name') ?? stringAt(poetry, 'name') ?? cfg.metadata?.name ?? nameInSetup(setup),
    requiresPython: stated?.[1] ?? null,
    requiresSource: stated?.[0] ?? null,
    classifiers: [
      ...stringsAt(pyproject, 'project', 'classifiers'),
      ...lines(cfg.metadata?.classifiers),
      ...classifiersIn(setup),
    ],
    dependencies: [
      ...names(stringsAt(pyproject, 'project', 'dependencies')),
      ...poetryNames(dictAt(poetry, 'dependencies')),
      ...names(lines(cfg.options?.install_requires)),
      ...names(listInSetup(setup, 'install_requires')),
      ...names(Object.keys(dictAt(pipfile, 'packages'))),
      ...names(requirementLines),
    ],
    extras: {
      ...sets(dictAt(pyproject, 'project', 'optional-dependencies')),
      ...Object.fromEntries(
        Object.entries(cfg['options.extras_require'] ?? {}).map(([key, text]) => [key, names(lines(text))]),
      ),
      ...Object.fromEntries(Object.entries(extrasInSetup(setup)).map(([key, list]) => [key, names(list)])),
    },
    groups: {
      ...sets(dictAt(pyproject, 'tool', 'pdm', 'dev-dependencies')),
      ...sets(dictAt(pyproject, 'dependency-groups')),
      ...poetryGroups,
      ...(isDict(poetry['dev-dependencies']) ? { dev: poetryNames(poetry['dev-dependencies']) } : {}),
      ...(pipfile ? { dev: names(Object.keys(dictAt(pipfile, 'dev-packages'))) } : {}),
    },
    requirements,
    scripts: {
      ...stringMapAt(pyproject, 'project', 'scripts'),
      ...stringMapAt(poetry, 'scripts'),
      ...consoleScripts([
        ...lines(cfg['options.entry_points']?.console_scripts),
        ...listInSetup(setup, 'console_scripts'),
        ...lines(entryPointsInSetup(setup)),
      ]),
    },
    packaged:
      isDict(pyproject['build-system']) || isDict(pyproject.project) || setup !== '' || cfg.options !== undefined,
    pyproject,
  };
}

function consoleScripts(entries: readonly string[]): { [name: string]: string } {
  const pairs = entries.map((entry) => entry.split('=').map((part) => part.trim()));
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair.length === 2 && pair[0] !== ''));
}
