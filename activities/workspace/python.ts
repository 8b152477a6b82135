import { posix } from 'node:path';
import type { FoundCommand, WorkspaceFacts } from '../../plan/types';
import { type EcosystemFacts, released } from './finding';
import { inEnvironment, pythonCommands, pythonPackageManager } from './python-commands';
import { type PythonManifest, pythonManifest } from './python-manifest';
import { allowsLine, versionNumbers } from './ranges';
import type { Tree } from './tree';
import { bestLine, PYTHON, testLines } from './versions';

/** Facts of a Python project. Null where nothing says that this is one. */
export function pythonFacts(tree: Tree): EcosystemFacts | null {
  const manifest = pythonManifest(tree);
  if (!manifest) return null;
  const manager = pythonPackageManager(manifest, tree);
  const service = pythonService(manifest, tree);
  const tool = service ? null : consoleTool(manifest);
  // What depends on a server is meant to be served, even where its application object is not found.
  const serves = ['uvicorn', 'gunicorn', 'hypercorn', 'uwsgi'].some((name) => manifest.dependencies.includes(name));
  const library = !service && !tool && !serves && manifest.packaged && manifest.name !== null;
  return {
    ...pythonRuntime(manifest, tree, library || tool !== null),
    ...pythonCommands(manifest, manager, tree),
    name: manifest.name ?? tree.name,
    ...released(manifest.version),
    library,
    cli: tool !== null,
    packageManager: manager,
    build: null,
    start: inEnvironment(service?.start ?? tool, manager.name),
    entryPoint: service?.entryPoint ?? null,
    dependencies: [...new Set(manifest.dependencies)].sort(),
  };
}

/** A package with a command is a tool, unless its classifiers call it a library that also has one, as Flask's do. */
function consoleTool(manifest: PythonManifest): FoundCommand | null {
  if (manifest.classifiers.some((classifier) => classifier.includes(':: Libraries'))) return null;
  const [name] = Object.keys(manifest.scripts);
  return name ? { run: name, source: 'console scripts' } : null;
}

function pythonRuntime(
  manifest: PythonManifest,
  tree: Tree,
  published: boolean,
): Required<Pick<WorkspaceFacts, 'runtime' | 'testVersions' | 'engines'>> {
  const engines = manifest.requiresPython;
  const image = /^FROM\s+(?:--\S+\s+)?(?:\S*\/)?python:(\d+\.\d+)/im.exec(tree.text('Dockerfile') ?? '')?.[1];
  const pins: [string, string | undefined][] = [
    ['.python-version', /^\s*([^#\s].*)/m.exec(tree.text('.python-version') ?? '')?.[1]],
    ['.tool-versions', /^python\s+(\S+)/m.exec(tree.text('.tool-versions') ?? '')?.[1]],
    ['runtime.txt', /^python-(\S+)/m.exec(tree.text('runtime.txt') ?? '')?.[1]],
    ['Dockerfile', image && (!engines || allowsLine(engines, image)) ? image : undefined],
  ];
  const pin = pins
    .map(([source, text]) => ({ source, numbers: versionNumbers(text ?? '') }))
    .find(({ numbers }) => numbers.length > 1);
  const pinned = pin ? { version: pin.numbers.slice(0, 2).join('.'), source: pin.source } : null;
  const classified = manifest.classifiers
    .flatMap((classifier) => /^Programming Language :: Python :: (3\.\d+)$/.exec(classifier)?.[1] ?? [])
    .filter((line) => PYTHON.maintained.includes(line) || PYTHON.newer.includes(line));
  const best = bestLine(PYTHON, engines);
  const runtime = pinned ?? {
    version: best ?? bestLine(PYTHON, null) ?? '3.13',
    source:
      best && manifest.requiresSource ? manifest.requiresSource : 'newest maintained release (the project states none)',
  };
  const lines = engines === null && classified.length > 0 ? classified : testLines(PYTHON, engines, '3.9', true);
  const testVersions = (pinned && !published) || lines.length === 0 ? [runtime.version] : lines;
  return { runtime, testVersions, engines };
}

interface Service {
  start: FoundCommand;
  entryPoint: string | null;
}

/** "src/shop/main.py" → "shop.main": how the file is imported. */
function moduleOf(path: string): string {
  return path
    .replace(/^src\//, '')
    .replace(/\.py$/, '')
    .replace(/\/__init__$/, '')
    .replaceAll('/', '.');
}

/** What starts the web application, from a Procfile, Django's manage.py, or the file that makes the application object. */
function pythonService(manifest: PythonManifest, tree: Tree): Service | null {
  const uses = (name: string): boolean => manifest.dependencies.includes(name);
  const procfile = /^web:\s*(.+)$/m.exec(tree.text('Procfile') ?? '')?.[1]?.trim();
  if (procfile) return { start: { run: procfile, source: 'Procfile' }, entryPoint: null };
  if (tree.has('manage.py')) return djangoService(tree, uses('gunicorn'));
  const frameworks = ['fastapi', 'starlette', 'quart', 'flask'].filter(uses);
  if (frameworks.length === 0) return null;
  for (const path of tree.sources.filter((source) => source.endsWith('.py'))) {
    const made = applicationIn(tree.text(path) ?? '');
    if (!made || (made.framework === 'Flask') !== frameworks.includes('flask')) continue;
    const module = moduleOf(path);
    const source = `${path} ${made.framework}()`;
    const target = made.factory ? `"${module}:${made.name}()"` : `${module}:${made.name}`;
    if (made.framework !== 'Flask') {
      const app = made.factory ? `--factory ${module}:${made.name}` : target;
      return { start: { run: `uvicorn ${app} --host 0.0.0.0 --port 8000`, source }, entryPoint: path };
    }
    // Flask finds "app" and "create_app" in a module by itself.
    const named = made.name === 'app' || made.factory ? module : target;
    const run = uses('gunicorn')
      ? `gunicorn --bind 0.0.0.0:8000 ${target}`
      : `flask --app ${named} run --host 0.0.0.0 --port 5000`;
    return { start: { run, source }, entryPoint: path };
  }
  return null;
}

/** The application object or factory that a module offers under a name of its own. Docstrings are indented, and do not count. */
function applicationIn(text: string): { name: string; framework: string; factory: boolean } | null {
  const direct = /^(\w+)(?: *: *[\w.]+)? *= *(?:\w+\.)?(FastAPI|Starlette|Flask|Quart)\(/m.exec(text);
  if (direct?.[1] && direct[2]) return { name: direct[1], framework: direct[2], factory: false };
  const framework = /= *(?:\w+\.)?(FastAPI|Starlette|Flask|Quart)\(/.exec(text)?.[1];
  if (!framework) return null;
  for (const match of text.matchAll(/^(\w+)(?: *: *[\w.]+)? *= *(\w+)\(/gm)) {
    const [, name = '', maker = ''] = match;
    if (`\n${text}`.includes(`\ndef ${maker}(`)) return { name, framework, factory: false };
  }
  const factory = /^def (create_app|make_app)\(/m.exec(text)?.[1];
  return factory ? { name: factory, framework, factory: true } : null;
}

function djangoService(tree: Tree, gunicorn: boolean): Service {
  const wsgi = tree.paths.find((path) => posix.basename(path) === 'wsgi.py' && path.split('/').length <= 3);
  const run =
    gunicorn && wsgi
      ? `gunicorn --bind 0.0.0.0:8000 ${moduleOf(wsgi)}:application`
      : 'python manage.py runserver 0.0.0.0:8000';
  return { start: { run, source: 'manage.py' }, entryPoint: gunicorn && wsgi ? wsgi : 'manage.py' };
}
