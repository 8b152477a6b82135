import { factsOf as readFacts, removeProjects } from './fixture';

afterAll(removeProjects);

const EXPRESS =
  "const app = require('express')();\napp.get('/healthz', ok);\napp.get('/metrics', metrics);\napp.listen(4000);\n";

describe('a monorepo', () => {
  it('is read by package: what each states, serves and needs', async () => {
    const facts = await readFacts({
      'package.json': JSON.stringify({ name: 'mono', private: true, workspaces: ['packages/*'] }),
      'packages/api/package.json': JSON.stringify({
        name: '@acme/api',
        version: '2.1.0',
        scripts: { start: 'node server.js', test: 'jest' },
        dependencies: { express: '5', pg: '8', 'prom-client': '15' },
      }),
      'packages/api/server.js': `${EXPRESS}process.env.DATABASE_URL;\n`,
      'packages/kit/package.json': JSON.stringify({ name: '@acme/kit', version: '0.0.0', main: 'index.js' }),
      'packages/kit/index.js': 'module.exports = 1;\n',
    });
    expect(facts.packages).toEqual(['packages/api', 'packages/kit']);
    expect(facts.packageFacts?.[0]).toMatchObject({
      path: 'packages/api',
      name: '@acme/api',
      version: '2.1.0',
      library: false,
      start: { source: 'package.json scripts.start' },
      ports: [{ port: 4000, source: 'server.js:4' }],
      healthPath: '/healthz',
      metricsPath: '/metrics',
      services: ['postgres'],
      envNames: ['DATABASE_URL'],
    });
    expect(facts.packageFacts?.[1]).toMatchObject({ path: 'packages/kit', library: true, ports: [] });
    expect(facts.packageFacts?.[1]?.version).toBeUndefined();
  });

  it('has no such facts where there is one package only', async () => {
    const facts = await readFacts({ 'package.json': JSON.stringify({ name: 'one', version: '1.0.0' }) });
    expect(facts.packageFacts).toBeUndefined();
    expect(facts.version).toBe('1.0.0');
  });
});

describe('metrics', () => {
  const app = (dependencies: object, source: string) =>
    readFacts({
      'package.json': JSON.stringify({ name: 'a', scripts: { start: 'node server.js' }, dependencies }),
      'server.js': source,
    });

  it('are served where a library exports them and a route is there', async () => {
    expect((await app({ express: '5', 'prom-client': '15' }, EXPRESS)).metricsPath).toBe('/metrics');
    expect((await app({ 'express-prom-bundle': '7' }, 'app.listen(3000);\n')).metricsPath).toBe('/metrics');
  });

  it('are not guessed from either alone', async () => {
    expect((await app({ express: '5' }, EXPRESS)).metricsPath).toBeUndefined();
    expect((await app({ 'prom-client': '15' }, 'app.listen(3000);\n')).metricsPath).toBeUndefined();
  });
});
