import type { FoundCommand } from '../../plan/types';
import type { PackageManager } from './node-package-manager';
import type { PythonManifest } from './python-manifest';
import { at, dictAt, parseIni, stringAt, stringsAt } from './shape';
import type { Tree } from './tree';

/** The tool whose lock file is committed, else the one that pyproject.toml is written for, else pip. */
export function pythonPackageManager(manifest: PythonManifest, tree: Tree): PackageManager {
  const tool = dictAt(manifest.pyproject, 'tool');
  const backend = stringAt(manifest.pyproject, 'build-system', 'build-backend') ?? '';
  const signs: [name: string, lockfile: string, also: boolean][] = [
    ['uv', 'uv.lock', tool.uv !== undefined],
    ['poetry', 'poetry.lock', tool.poetry !== undefined || backend.startsWith('poetry.')],
    ['pdm', 'pdm.lock', at(tool, 'pdm', 'dev-dependencies') !== undefined],
    ['pipenv', 'Pipfile.lock', tree.has('Pipfile')],
  ];
  const locked = signs.find(([, lockfile]) => tree.has(lockfile));
  const [name, lockfile] = locked ?? signs.find(([, , also]) => also) ?? ['pip', ''];
  return { name, version: null, lockfile: locked ? lockfile : null };
}

/** Where a development tool is declared: a group, an extra, a requirements file, or production's own list. */
interface Place {
  kind: 'group' | 'extra' | 'file' | 'main';
  name: string;
}

const USUAL = ['test', 'tests', 'testing', 'dev', 'development'];

/** Where a tool is declared; of several sets the one that is meant for it, and brings most of `along` too. */
function placeOf(tool: string, along: readonly string[], manifest: PythonManifest, tree: Tree): Place | null {
  for (const [kind, sets] of [['group', manifest.groups] as const, ['extra', manifest.extras] as const]) {
    const score = (name: string): number =>
      (USUAL.includes(name) ? 10 : 0) + along.filter((other) => sets[name]?.includes(other)).length;
    const holding = Object.keys(sets).filter((name) => sets[name]?.includes(tool));
    const best = holding.sort((a, b) => score(b) - score(a) || USUAL.indexOf(a) - USUAL.indexOf(b))[0];
    if (best) return { kind, name: best };
  }
  const mention = new RegExp(String.raw`^\s*${tool}(?![\w-])`, 'im');
  const file = manifest.requirements.find((path) => mention.test(tree.text(path) ?? ''));
  if (file) return { kind: 'file', name: file };
  return manifest.dependencies.includes(tool) ? { kind: 'main', name: '' } : null;
}

function describe(place: Place): string {
  if (place.kind === 'file') return place.name;
  return place.kind === 'main' ? 'the dependencies' : `the ${place.kind} "${place.name}"`;
}

const RUNNER: { [manager: string]: string } = {
  uv: 'uv run ',
  poetry: 'poetry run ',
  pdm: 'pdm run ',
  pipenv: 'pipenv run ',
};
/** A single command, run the way the package manager runs things; one that needs a shell is left as it is. */
export function inEnvironment(command: FoundCommand | null, manager: string): FoundCommand | null {
  const runner = RUNNER[manager];
  if (!command || !runner || /[;&|<>$`]|^\w+=/.test(command.run) || command.run.startsWith(runner)) return command;
  return { ...command, run: `${runner}${command.run}` };
}

const LINTERS: readonly (readonly [tool: string, command: string])[] = [
  ['ruff', 'ruff check .'],
  ['flake8', 'flake8'],
  ['pylint', 'pylint --recursive=y .'],
];
const CHECKERS = ['mypy', 'pyright'];

export interface PythonCommands {
  install: FoundCommand | null;
  test: FoundCommand | null;
  lint: FoundCommand | null;
  typecheck: FoundCommand | null;
}

/**
 * Commands for the tools that a Python project declares, run the way its package manager runs things. A linter that is only
 * configured is left out: the command would not find it. `install` brings everything that the others need.
 */
export function pythonCommands(manifest: PythonManifest, manager: PackageManager, tree: Tree): PythonCommands {
  const tools = [...LINTERS.map(([tool]) => tool), ...CHECKERS];
  const find = (tool: string): Place | null => placeOf(tool, tools, manifest, tree);
  const run = (command: string, source: string): FoundCommand => ({
    run: `${RUNNER[manager.name] ?? ''}${command}`,
    source,
  });
  const pytest = find('pytest');
  const test = testCommand(manifest, manager, tree, pytest);
  const linter = LINTERS.find(([tool]) => find(tool));
  const lintPlace = linter ? find(linter[0]) : null;
  const checker = CHECKERS.find(find);
  const checkPlace = checker ? find(checker) : null;
  const needed = [test?.run.includes('pytest') ? pytest : null, lintPlace, checkPlace].filter(
    (place) => place !== null,
  );
  const missing =
    test?.run.includes('pytest') && !pytest ? ['pytest'] : test && /\b(tox|nox)\b/.test(test.run) ? [test.run] : [];
  const mypy = dictAt(manifest.pyproject, 'tool', 'mypy');
  const scoped =
    mypy.files !== undefined || mypy.packages !== undefined || parseIni(tree.text('setup.cfg')).mypy?.files;
  return {
    install: installCommand(manifest, manager, tree, needed, missing),
    test: test && run(test.run, test.source),
    lint: linter && lintPlace ? run(linter[1], `${linter[0]} in ${describe(lintPlace)}`) : null,
    typecheck:
      checker && checkPlace
        ? run(checker === 'mypy' && !scoped ? 'mypy .' : checker, `${checker} in ${describe(checkPlace)}`)
        : null,
  };
}

function testCommand(
  manifest: PythonManifest,
  manager: PackageManager,
  tree: Tree,
  pytest: Place | null,
): FoundCommand | null {
  const configured =
    at(manifest.pyproject, 'tool', 'pytest') !== undefined ||
    tree.has('pytest.ini') ||
    parseIni(tree.text('setup.cfg'))['tool:pytest'] !== undefined ||
    tree.has('conftest.py') ||
    tree.has('tests/conftest.py');
  if (pytest || configured) {
    // With neither a runner nor an installed package, `python -m` is what puts the project's root on the path.
    const command = RUNNER[manager.name] || manifest.packaged ? 'pytest' : 'python -m pytest';
    return { run: command, source: pytest ? `pytest in ${describe(pytest)}` : 'configuration of pytest' };
  }
  if (tree.has('tox.ini')) return { run: 'tox', source: 'tox.ini' };
  if (at(manifest.pyproject, 'tool', 'tox') !== undefined) return { run: 'tox', source: 'pyproject.toml' };
  if (tree.has('noxfile.py')) return { run: 'nox', source: 'noxfile.py' };
  if (tree.has('manage.py')) return { run: 'python manage.py test', source: 'manage.py' };
  const tests = tree.paths.filter((path) => /(^|\/)test_[^/]*\.py$/.test(path));
  const single = ['tests.py', 'test.py'].find(tree.has);
  if (tests.length === 0) return single ? { run: `python -m unittest ${single.slice(0, -3)}`, source: single } : null;
  const folder = tests.some((path) => path.startsWith('tests/')) ? ' -s tests' : '';
  return { run: `python -m unittest discover${folder}`, source: 'test_*.py' };
}

/**
 * Installs the project with what its commands need.
 *
 * @param needed where the tools are declared
 * @param missing tools that are used and declared nowhere
 */
function installCommand(
  manifest: PythonManifest,
  manager: PackageManager,
  tree: Tree,
  needed: readonly Place[],
  missing: readonly string[],
): FoundCommand | null {
  const { name, lockfile } = manager;
  const of = (kind: Place['kind']): string[] => [
    ...new Set(needed.filter((place) => place.kind === kind).map((place) => place.name)),
  ];
  const [groups, extras] = [of('group'), of('extra')];
  const each = (flag: string, names: readonly string[]): string => names.map((one) => ` ${flag} ${one}`).join('');
  const source = lockfile ?? 'pyproject.toml';
  if (name === 'uv') {
    const stated = at(manifest.pyproject, 'tool', 'uv', 'default-groups');
    const defaults = stated === 'all' ? groups : Array.isArray(stated) ? stringsAt({ stated }, 'stated') : ['dev'];
    const more = groups.filter((group) => !defaults.includes(group));
    return { run: `uv sync${lockfile ? ' --locked' : ''}${each('--group', more)}${each('--extra', extras)}`, source };
  }
  if (name === 'poetry') {
    const optional = groups.filter(
      (group) => at(manifest.pyproject, 'tool', 'poetry', 'group', group, 'optional') === true,
    );
    return { run: `poetry install${each('--with', optional)}${each('--extras', extras)}`, source };
  }
  if (name === 'pdm') {
    return { run: `pdm install${lockfile ? ' --frozen-lockfile' : ''}${each('-G', extras)}`, source };
  }
  if (name === 'pipenv') {
    return { run: lockfile ? 'pipenv sync --dev' : 'pipenv install --dev', source: lockfile ?? 'Pipfile' };
  }
  const files = requirementFiles(manifest, of('file'));
  const parts = [
    ...(manifest.packaged ? [extras.length > 0 ? `-e ".[${extras.join(',')}]"` : '-e .'] : []),
    ...files.map((path) => `-r ${path}`),
    ...groups.map((group) => `--group ${group}`),
    ...missing,
  ];
  const from = manifest.packaged ? ['pyproject.toml', 'setup.py', 'setup.cfg'].find(tree.has) : files[0];
  return parts.length > 0
    ? { run: `pip install ${parts.join(' ')}`, source: from ?? 'configuration of the tests' }
    : null;
}

/** requirements.txt, and for an application the development ones beside it; those of a folder only where there is no other. */
function requirementFiles(manifest: PythonManifest, needed: readonly string[]): string[] {
  const beside = /^(requirements[-_.](dev|test|tests)|(dev|test|tests)[-_.]requirements)\.txt$/;
  const files = manifest.requirements.filter(
    (path) => path === 'requirements.txt' || needed.includes(path) || (!manifest.packaged && beside.test(path)),
  );
  if (files.length === 0 && !manifest.packaged) {
    const usual = ['dev', 'development', 'local', 'test', 'base'].map((name) => `requirements/${name}.txt`);
    files.push(
      ...[...usual, ...manifest.requirements].filter((path) => manifest.requirements.includes(path)).slice(0, 1),
    );
  }
  return files.sort((a, b) => Number(b === 'requirements.txt') - Number(a === 'requirements.txt') || (a < b ? -1 : 1));
}
