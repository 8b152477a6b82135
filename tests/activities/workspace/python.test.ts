import { factsOf, removeProjects } from './fixture';

afterEach(removeProjects);

describe('facts of a Python project', () => {
  it('come from a FastAPI service with requirements files', async () => {
    const facts = await factsOf({
      'requirements.txt': 'fastapi>=0.110\nuvicorn[standard]\npsycopg2-binary==2.9.9 # driver\n-r base.txt\n',
      'requirements-dev.txt': 'pytest\nruff==0.5\n',
      '.python-version': '3.12.4\n',
      'app/main.py': [
        'import os',
        'from fastapi import FastAPI',
        'api = FastAPI(title="x")',
        '@api.get("/health")',
        'def health(): return os.environ["REDIS_URL"]',
      ].join('\n'),
      'tests/test_main.py': 'def test_a(): pass',
    });
    expect(facts).toMatchObject({
      language: 'python',
      library: false,
      runtime: { version: '3.12', source: '.python-version' },
      testVersions: ['3.12'],
      packageManager: { name: 'pip', version: null, lockfile: null },
      install: { run: 'pip install -r requirements.txt -r requirements-dev.txt', source: 'requirements.txt' },
      test: { run: 'python -m pytest', source: 'pytest in requirements-dev.txt' },
      lint: { run: 'ruff check .' },
      start: { run: 'uvicorn app.main:api --host 0.0.0.0 --port 8000' },
      entryPoint: 'app/main.py',
      ports: [{ port: 8000, source: 'app/main.py FastAPI()' }],
      healthPath: '/health',
      services: ['postgres'],
      envNames: ['REDIS_URL'],
    });
  });

  it('come from a library that uv manages, with a command of its own', async () => {
    const facts = await factsOf({
      'pyproject.toml': `
[project]
name = "Frame"
version = "3.1.0"
requires-python = ">=3.9"
dependencies = ["click>=8", "werkzeug>=3"]
classifiers = ["Topic :: Software Development :: Libraries :: Application Frameworks"]
[project.scripts]
frame = "frame.cli:main"
[dependency-groups]
dev = ["ruff"]
tests = ["pytest"]
typing = ["mypy", "pytest"]
[tool.uv]
default-groups = ["dev", "tests"]
[tool.mypy]
files = ["src"]
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"
`,
      'uv.lock': '',
      'src/frame/app.py': 'class Flask:\n    """Example::\n\n        app = Flask(__name__)\n    """\n',
    });
    expect(facts).toMatchObject({
      name: 'Frame',
      library: true,
      cli: false,
      start: null,
      runtime: { version: '3.14', source: 'pyproject.toml requires-python' },
      testVersions: ['3.9', '3.10', '3.11', '3.12', '3.13', '3.14'],
      packageManager: { name: 'uv', lockfile: 'uv.lock' },
      install: { run: 'uv sync --locked --group typing', source: 'uv.lock' },
      test: { run: 'uv run pytest', source: 'pytest in the group "tests"' },
      lint: { run: 'uv run ruff check .' },
      typecheck: { run: 'uv run mypy' },
    });
  });

  it('come from setup.cfg, where one extra brings every tool', async () => {
    const facts = await factsOf({
      'setup.py': 'from setuptools import setup\nsetup()\n',
      'setup.cfg': [
        '[metadata]',
        'name = fetch',
        '[options]',
        'python_requires = >=3.7',
        'install_requires =',
        '\trequests[socks] >=2.22.0',
        '\tredis',
        '[options.entry_points]',
        'console_scripts =',
        '\tfetch = fetch.main:main',
        '[options.extras_require]',
        'test =',
        '\tpytest',
        'dev =',
        '\tpytest',
        '\tflake8',
      ].join('\n'),
    });
    expect(facts).toMatchObject({
      name: 'fetch',
      cli: true,
      library: false,
      start: { run: 'fetch' },
      install: { run: 'pip install -e ".[dev]"', source: 'setup.py' },
      test: { run: 'pytest' },
      lint: { run: 'flake8' },
      services: ['redis'],
      testVersions: ['3.11', '3.12', '3.13', '3.14'],
    });
  });

  it('come from Poetry with its own kind of range', async () => {
    const facts = await factsOf({
      'pyproject.toml':
        '[tool.poetry]\nname = "p"\n[tool.poetry.dependencies]\npython = "^3.12"\npika = "*"\n[tool.poetry.group.dev.dependencies]\npytest = "*"\n',
      'poetry.lock': '',
    });
    expect(facts).toMatchObject({
      engines: '^3.12',
      testVersions: ['3.12', '3.13', '3.14'],
      install: { run: 'poetry install' },
      test: { run: 'poetry run pytest' },
      services: ['rabbitmq'],
    });
  });

  it('start a Django project with gunicorn where it depends on it', async () => {
    const facts = await factsOf({
      'manage.py': '',
      'requirements.txt': 'Django\ngunicorn\nmysqlclient\n',
      'site/wsgi.py': '',
    });
    expect(facts).toMatchObject({
      start: { run: 'gunicorn --bind 0.0.0.0:8000 site.wsgi:application' },
      test: { run: 'python manage.py test' },
      ports: [{ port: 8000 }],
      services: ['mysql'],
      nativeDependencies: ['mysqlclient'],
    });
  });

  it('start a Flask application by its own means where there is no gunicorn', async () => {
    const facts = await factsOf({ 'requirements.txt': 'flask\n', 'app.py': 'app = Flask(__name__)\n' });
    expect(facts).toMatchObject({
      start: { run: 'flask --app app run --host 0.0.0.0 --port 5000' },
      ports: [{ port: 5000 }],
    });
  });

  it('find an application that a function of its module makes', async () => {
    const facts = await factsOf({
      'pyproject.toml': '[tool.poetry]\nname = "c"\n[tool.poetry.dependencies]\nfastapi = "*"\n',
      'app/main.py':
        'def get_application() -> FastAPI:\n    application = FastAPI()\n    return application\n\n\napp = get_application()\n',
    });
    expect(facts).toMatchObject({
      library: false,
      start: { run: 'poetry run uvicorn app.main:app --host 0.0.0.0 --port 8000' },
    });
  });

  it('start a Flask factory with gunicorn', async () => {
    const facts = await factsOf({
      'requirements.txt': 'flask\ngunicorn\n',
      'shop/__init__.py': 'def create_app(config=None):\n    app = Flask(__name__)\n    return app\n',
    });
    expect(facts.start?.run).toBe('gunicorn --bind 0.0.0.0:8000 "shop:create_app()"');
  });

  it('install pytest too where it is configured and declared nowhere', async () => {
    const facts = await factsOf({ 'requirements.txt': 'flask\n', 'pytest.ini': '[pytest]\n' });
    expect(facts.install?.run).toBe('pip install -r requirements.txt pytest');
  });

  it('install from a folder of requirements where there is nothing else', async () => {
    const facts = await factsOf({
      'requirements/base.txt': 'redis\n',
      'requirements/dev.txt': '-r base.txt\npytest\n',
    });
    expect(facts).toMatchObject({ install: { run: 'pip install -r requirements/dev.txt' }, services: ['redis'] });
  });

  it('survive a pyproject.toml that is no TOML', async () => {
    expect(await factsOf({ 'pyproject.toml': '[[[', 'a.py': '' })).toMatchObject({ language: 'python', name: 'shop' });
  });
});

describe('setup.py', () => {
  const setup = [
    'from setuptools import setup',
    'setup(',
    '  name="datasette", python_requires=">=3.10",',
    '  entry_points="""',
    '    [console_scripts]',
    '    datasette=datasette.cli:cli',
    '  """,',
    '  extras_require={',
    '    "docs": ["furo==1", "sphinx[all]>2"],  # not "pytest"',
    "    'test': [\"pytest>=5.2.2\", 'black==24.4.2'],",
    '    "all": EVERYTHING,',
    '  },',
    '  tests_require=["nose"],',
    ')',
  ].join('\n');

  it('states extras and commands in literals', async () => {
    const facts = await factsOf({
      'setup.py': setup,
      'datasette/cli.py': 'x = 1',
      'tests/test_a.py': 'def test_a(): pass',
    });
    expect(facts).toMatchObject({
      name: 'datasette',
      library: false,
      cli: true,
      start: { run: 'datasette', source: 'console scripts' },
      install: { run: 'pip install -e ".[test]"' },
      test: { run: 'pytest', source: 'pytest in the extra "test"' },
    });
  });

  it('is read fast whatever is in it', async () => {
    const hostile = `setup(extras_require={${'"a": [['.repeat(40_000)}`;
    expect(await factsOf({ 'setup.py': hostile })).toMatchObject({ language: 'python' });
  });
});

it('takes a version from .python-version past its comments', async () => {
  const facts = await factsOf({
    'requirements.txt': 'django',
    '.python-version': '# For everyone.\n3.13\n',
    'manage.py': '',
  });
  expect(facts.runtime).toEqual({ version: '3.13', source: '.python-version' });
});

it('does not ask for a variable that Django sets itself', async () => {
  const facts = await factsOf({
    'requirements.txt': 'django',
    'shop/wsgi.py':
      "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\nos.environ.get('SENTRY_DSN')\n",
  });
  expect(facts.envNames).toEqual(['SENTRY_DSN']);
});

it('starts through the package manager, but for what needs a shell', async () => {
  const start = async (procfile: string): Promise<string | undefined> =>
    (await factsOf({ Procfile: `web: ${procfile}\n`, 'uv.lock': '', 'pyproject.toml': '[project]\nname = "a"\n' }))
      .start?.run;
  expect(await start('gunicorn app:app')).toBe('uv run gunicorn app:app');
  expect(await start('cd src && gunicorn app:app')).toBe('cd src && gunicorn app:app');
});

it('finds tests that stand in one file', async () => {
  const facts = await factsOf({ 'requirements.txt': 'flask', 'app.py': '', 'tests.py': 'import unittest\n' });
  expect(facts.test).toEqual({ run: 'python -m unittest tests', source: 'tests.py' });
});
