import { factsOf, removeProjects } from './fixture';

afterEach(removeProjects);

describe('facts of other ecosystems', () => {
  it('come from a Go module with its command', async () => {
    const facts = await factsOf({
      'go.mod':
        'module example.org/team/shop/v2\n\ngo 1.22.3\n\nrequire (\n\tgithub.com/jackc/pgx/v5 v5.5.0\n\tgithub.com/redis/go-redis/v9 v9.0.0 // indirect\n)\n',
      'go.sum': '',
      'cmd/shop/main.go':
        'package main\n\nfunc main() {\n\thttp.HandleFunc("/healthz", ok)\n\thttp.ListenAndServe(":8080", nil)\n\tos.Getenv("TOKEN")\n}\n',
      'internal/a_test.go': 'package internal\n',
    });
    expect(facts).toMatchObject({
      name: 'shop',
      language: 'go',
      library: false,
      runtime: { version: '1.22', source: 'go.mod go' },
      start: { run: 'go run ./cmd/shop' },
      entryPoint: 'cmd/shop/main.go',
      test: { run: 'go test ./...' },
      ports: [{ port: 8080, source: 'cmd/shop/main.go:5' }],
      healthPath: '/healthz',
      services: ['postgres'],
      envNames: ['TOKEN'],
    });
  });

  it('do not take an old go directive for the toolchain, and know the port of gin', async () => {
    const facts = await factsOf({
      'go.mod': 'module a\n\ngo 1.15\n',
      'doc.go': '// Words.\npackage main\n',
      'hello.go': 'package main\n\nfunc main() {\n\tr := gin.Default()\n\tr.Run()\n}\n',
    });
    expect(facts).toMatchObject({
      runtime: { version: '1.26' },
      entryPoint: 'hello.go',
      ports: [{ port: 8080, source: 'default of gin (hello.go)' }],
    });
  });

  it('know the port of Spring Boot with a web starter, unless another is set', async () => {
    const pom = (starter: string): string =>
      `<project><parent><artifactId>spring-boot-starter-parent</artifactId></parent><artifactId>shop</artifactId><dependencies>
       <dependency><artifactId>${starter}</artifactId></dependency></dependencies>
       <build><plugins><plugin><artifactId>spring-boot-maven-plugin</artifactId></plugin></plugins></build></project>`;
    const main = { 'src/main/java/Shop.java': '@SpringBootApplication class Shop {}' };
    const ports = async (files: { [path: string]: string }): Promise<number[]> =>
      (await factsOf({ ...main, ...files })).ports.map(({ port }) => port);
    expect(await ports({ 'pom.xml': pom('spring-boot-starter-webmvc') })).toEqual([8080]);
    expect(await ports({ 'pom.xml': pom('spring-boot-starter-batch') })).toEqual([]);
    const properties = { 'src/main/resources/application.properties': 'server.port=9000\n' };
    expect(await ports({ 'pom.xml': pom('spring-boot-starter-web'), ...properties })).toEqual([9000]);
  });

  it('see the C code behind a dialect of an ORM', async () => {
    const facts = await factsOf({
      'go.mod': 'module a\n\ngo 1.23\n\nrequire github.com/mattn/go-sqlite3 v1.14.15 // indirect\n',
      'db/db.go': 'package db\n\nimport _ "gorm.io/driver/sqlite"\n',
    });
    expect(facts.nativeDependencies).toEqual(['github.com/mattn/go-sqlite3']);
  });

  it('do not look for a command where the go tool does not', async () => {
    const main = 'package main\n\nfunc main() {}\n';
    const facts = await factsOf({
      'go.mod': 'module a\n\ngo 1.23\n',
      'a.go': 'package a\n',
      '_examples/hello/main.go': main,
      'internal/testdata/x/main.go': main,
    });
    expect(facts).toMatchObject({ library: true, start: null, ports: [] });
  });

  it('take neither a profiler for a service nor the samples of another language for settings', async () => {
    const facts = await factsOf({
      'go.mod': 'module a\n\ngo 1.23\n',
      'main.go': 'package main\n\nfunc main() { os.Getenv("SCAN_CONFIG") }\n',
      'profile.go':
        'package main\n\nimport _ "net/http/pprof"\nfunc p() { http.ListenAndServe("localhost:6060", nil) }\n',
      'samples.go': 'package main\n\nvar s = `os.environ.get("HF_TOKEN") process.env.AWS_SECRET`\n',
    });
    expect(facts).toMatchObject({ ports: [], envNames: ['SCAN_CONFIG'] });
  });

  it('call a Go module without a main package a library', async () => {
    expect(await factsOf({ 'go.mod': 'module a\n\ngo 1.23\n', 'a.go': 'package a\n' })).toMatchObject({
      library: true,
      start: null,
    });
  });

  it('come from a Cargo package', async () => {
    const facts = await factsOf({
      'Cargo.toml':
        '[package]\nname = "svc"\nrust-version = "1.75"\n[dependencies]\nsqlx = { version = "0.8", features = ["postgres"] }\n',
      'Cargo.lock': '',
      'src/main.rs': 'fn main() { TcpListener::bind("0.0.0.0:9000"); env::var("KEY"); }',
    });
    expect(facts).toMatchObject({
      name: 'svc',
      language: 'rust',
      library: false,
      testVersions: ['1.75', '1'],
      build: { run: 'cargo build --release --locked' },
      ports: [{ port: 9000 }],
      services: ['postgres'],
      envNames: ['KEY'],
    });
  });

  it('come from a Spring project under Maven', async () => {
    const facts = await factsOf({
      'pom.xml':
        '<project><parent><artifactId>spring-boot-starter-parent</artifactId></parent><artifactId>billing</artifactId>' +
        '<properties><java.version>21</java.version></properties><dependencies>' +
        '<dependency><groupId>org.postgresql</groupId><artifactId>postgresql</artifactId></dependency>' +
        '<dependency><artifactId>jedis</artifactId><scope>test</scope></dependency></dependencies></project>',
      mvnw: '',
      'src/main/java/A.java': 'class A { public static void main(String[] a) {} }',
      'src/main/resources/application.properties': 'server.port=8081\n',
    });
    expect(facts).toMatchObject({
      name: 'billing',
      language: 'java',
      runtime: { version: '21', source: 'pom.xml' },
      test: { run: './mvnw -B test' },
      ports: [{ port: 8081 }],
      services: ['postgres'],
    });
  });

  it('choose the language of most sources where a package.json is only for tooling', async () => {
    const facts = await factsOf({
      'package.json': { private: true, devDependencies: { prettier: '3' } },
      'requirements.txt': 'flask\n',
      'shop/a.py': '',
      'shop/b.py': '',
    });
    expect(facts).toMatchObject({ language: 'python', otherLanguages: ['node'] });
  });

  it('name the parts of a collection whose root has no manifest', async () => {
    const facts = await factsOf({
      'api/go.mod': 'module a\n',
      'apps/web/package.json': { name: 'web' },
      'apps/web/a.js': '',
    });
    expect(facts).toMatchObject({ packages: ['api', 'apps/web'], language: 'node', packageManager: null });
  });

  it('are empty for an empty directory', async () => {
    expect(await factsOf({})).toMatchObject({
      name: 'shop',
      language: 'unknown',
      runtime: null,
      testVersions: [],
      ports: [],
    });
  });

  it('list existing DevOps files by skill, and the targets of a Makefile', async () => {
    const facts = await factsOf({
      '.github/workflows/ci.yml': '',
      'compose.yaml': '',
      'docker/Dockerfile': 'FROM a\n',
      '.devcontainer/Dockerfile': 'FROM b\n',
      'src/dockerfile.ts': '',
      'charts/shop/Chart.yaml': '',
      Makefile: 'A := 1\nall: build\n\nbuild:\n\t@cc main.c\n',
    });
    expect(facts.existing).toEqual({
      'github-actions': ['.github/workflows/ci.yml'],
      'docker-compose': ['compose.yaml'],
      dockerfile: ['docker/Dockerfile'],
      helm: ['charts/shop/Chart.yaml'],
      makefile: ['Makefile'],
    });
    expect(facts.scripts).toEqual({ all: '', build: 'cc main.c' });
  });

  it('take ports from an existing Dockerfile too, and never twice', async () => {
    const facts = await factsOf({
      'package.json': { name: 'a', private: true, scripts: { start: 'node a.js' } },
      'a.js': 'app.listen(3000)',
      Dockerfile: 'FROM node:22\nEXPOSE 3000 9090/tcp 53/udp\n',
    });
    expect(facts.ports).toEqual([
      { port: 3000, source: 'a.js:1' },
      { port: 9090, source: 'Dockerfile:2' },
    ]);
  });
});
