import { rowOf, rules } from './help';

const GOOD = `name: shop
x-common: &common
  restart: unless-stopped
services:
  web:
    <<: *common
    build: { context: ., target: prod }
    ports: ["\${PORT:-3000}:3000", "127.0.0.1:9229:9229", "53:53/udp", "53:53/tcp", "8000-8010:8000-8010", "9000"]
    environment:
      DATABASE_URL: postgres://\${DB_USER:?set it}:\${DB_PASSWORD:?set it}@db/app
    depends_on:
      db: { condition: service_healthy, restart: true }
      cache: { condition: service_started }
    volumes: [".:/app", "/app/node_modules", "~/.aws:/root/.aws:ro", "data:/data"]
    networks: [front, default]
    secrets: [token, { source: other, target: /x }]
    develop: { watch: [{ action: sync, path: ., target: /app }] }
  db:
    image: postgres:17
    volumes: [{ type: volume, source: data, target: /var/lib/postgresql/data }]
    healthcheck: { test: ["CMD", "pg_isready"] }
  cache:
    image: redis:8
    ports: [{ target: 6379, published: "6379", protocol: tcp }]
volumes: { data: {} }
networks: { front: {} }
secrets: { token: { file: ./t }, other: { environment: X } }
`;

const ONE = 'services:\n  a:\n    image: a\n';

describe('the compose verifier', () => {
  it('has nothing to say about a modern file', async () => {
    expect(await rowOf('compose', 'compose.yaml', GOOD)).toMatchObject({ verdict: 'passed', findings: [] });
  });

  it.each([
    ['no services', 'name: x\n', 'no-services'],
    ['services as a list', 'services: [a]\n', 'no-services'],
    ['a list at the top', '- a\n', 'no-services'],
    ['an unknown top-level key', 'service:\n  a: {image: a}\nservices: {a: {image: b}}\n', 'unknown-key'],
    ['a service without image and build', 'services:\n  a:\n    ports: ["80:80"]\n', 'no-image'],
    ['a misspelt key', 'services:\n  a:\n    imagee: x\n    build: .\n', 'unknown-key'],
    ['a port that is none', `${ONE}    ports: ["80:http"]\n`, 'ports'],
    ['a port out of range', `${ONE}    ports: ["80:70000"]\n`, 'ports'],
    ['ports as a string', `${ONE}    ports: "80:80"\n`, 'ports'],
    [
      'one host port twice',
      `${ONE}    ports: ["80:80"]\n  b:\n    image: b\n    ports: ["80:8080"]\n`,
      'duplicate-port',
    ],
    ['an unknown dependency', `${ONE}    depends_on: [b]\n`, 'depends-on'],
    ['an unknown condition', `${ONE}    depends_on: {b: {condition: healthy}}\n  b: {image: b}\n`, 'depends-on'],
    ['a dependency on itself', `${ONE}    depends_on: [a]\n`, 'depends-on'],
    ['an undeclared volume', `${ONE}    volumes: ["data:/data"]\n`, 'undeclared-volume'],
    ['an undeclared network', `${ONE}    networks: [front]\n`, 'undeclared-network'],
    ['an undeclared secret', `${ONE}    secrets: [x]\n`, 'undeclared-secret'],
    ['an undeclared config', `${ONE}    configs: [{source: x}]\n`, 'undeclared-config'],
  ])('refuses %s', async (_name, text, rule) => {
    const row = await rowOf('compose', 'docker-compose.yml', text);
    expect(row.verdict).toBe('failed');
    expect(rules(row, 'error')).toContain(rule);
    expect(row.findings.every((one) => (one.line ?? 0) > 0)).toBe(true);
  });

  it('lets services of profiles share a port', async () => {
    const text = `${ONE}    profiles: [x]\n    ports: ["80:80"]\n  b:\n    image: b\n    profiles: [y]\n    ports: ["80:80"]\n`;
    expect((await rowOf('compose', 'compose.yml', text)).verdict).toBe('passed');
  });

  it('says that version is obsolete, and passes', async () => {
    const row = await rowOf('compose', 'compose.yml', `version: "3.8"\n${ONE}`);
    expect(row.verdict).toBe('passed');
    expect(rules(row, 'info')).toEqual(['obsolete-version']);
  });

  it('lets an override file lean on the file that it completes', async () => {
    const text = 'services:\n  web:\n    volumes: ["data:/data"]\n    depends_on: [db]\n';
    expect((await rowOf('compose', 'compose.override.yaml', text)).verdict).toBe('passed');
    expect((await rowOf('compose', 'docker-compose.prod.yml', text)).verdict).toBe('passed');
  });

  it('is skipped where the YAML is broken', async () => {
    expect(await rowOf('compose', 'compose.yml', 'services: [\n')).toMatchObject({
      verdict: 'skipped',
      reason: 'the verifier "yaml" failed on this file',
    });
  });
});
