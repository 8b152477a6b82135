import { rowOf, rules } from './help';

const GOOD: [string, string][] = [
  [
    'a Node multi-stage build with BuildKit mounts',
    `# syntax=docker/dockerfile:1.7
# check=error=true
ARG NODE_VERSION=22
FROM --platform=$BUILDPLATFORM node:\${NODE_VERSION}-alpine AS base
WORKDIR /app

FROM base AS deps
RUN --mount=type=bind,source=package.json,target=package.json \\
    --mount=type=cache,target=/root/.npm \\
    npm ci --omit=dev

FROM base AS build
COPY --link --chmod=755 package*.json ./
RUN --mount=type=secret,id=npm,env=NPM_TOKEN npm ci
COPY . .
RUN npm run build

FROM base
ENV NODE_ENV=production
COPY --from=deps --chown=node:node /app/node_modules ./node_modules
COPY --from=build --chown=node:node /app/dist ./dist
USER node
EXPOSE 3000/tcp
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --start-interval=1s CMD wget -qO- http://localhost:3000/ || exit 1
CMD ["node", "dist/server.js"]
`,
  ],
  [
    'a Python image with here-documents',
    `# syntax=docker/dockerfile:1
FROM python:3.13-slim
RUN <<EOT
set -e
apt-get update
apt-get install -y --no-install-recommends curl
rm -rf /var/lib/apt/lists/*
EOT
COPY <<-"EOF" /etc/app.conf
	FROM here: \${not} a variable
	CMD none
EOF
COPY --from=ghcr.io/astral-sh/uv:0.8.0 /uv /bin/uv
RUN useradd -r app
USER app
ENTRYPOINT ["python", "-m"]
CMD ["app"]
`,
  ],
  [
    'a Go build into distroless',
    `FROM golang:1.24 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/root/.cache/go-build CGO_ENABLED=0 go build -o /out/app ./cmd/app
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=0 /out/app /app
ENTRYPOINT ["/app"]
`,
  ],
  [
    'a pinned base, ranges of ports, flags before install',
    `ARG BASE=debian:12
FROM \${BASE} AS a
RUN apt-get update && apt-get -qq install curl && DEBIAN_FRONTEND=noninteractive apt-get --yes install git \\
  # a comment inside
  && rm -rf /var/lib/apt/lists/*
FROM localhost:5000/team/base@sha256:${'0123456789abcdef'.repeat(4)}
ADD --checksum=sha256:${'0123456789abcdef'.repeat(4)} --unpack=true https://example.com/a.tgz /opt/
EXPOSE 8000-8010 53/udp \${PORT}
USER 1000:1000
`,
  ],
];

describe('the dockerfile verifier', () => {
  it.each(GOOD)('has nothing to say about %s', async (_name, text) => {
    const row = await rowOf('dockerfile', 'Dockerfile', text);
    expect(row.findings).toEqual([]);
    expect(row.verdict).toBe('passed');
    expect(row.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  it.each([
    ['an empty file', '', 'no-source-image', undefined],
    ['no FROM', 'RUN echo hi\n', 'no-source-image', undefined],
    ['an unknown instruction', 'FROM a:1\nRUNN x\nUSER a\n', 'unknown-instruction', 2],
    [
      'COPY from a misspelt stage',
      'FROM a:1 AS build\nFROM b:1\nCOPY --from=biuld /x /x\nUSER a\n',
      'unknown-stage',
      3,
    ],
    ['COPY from a later stage', 'FROM a:1\nCOPY --from=build /x /x\nFROM b:1 AS build\nUSER a\n', 'unknown-stage', 2],
    ['COPY from a number too high', 'FROM a:1\nCOPY --from=1 /x /x\nUSER a\n', 'unknown-stage', 2],
    [
      'a mount from an unknown stage',
      'FROM a:1\nRUN --mount=type=bind,from=nope,target=/x ls\nUSER a\n',
      'unknown-stage',
      2,
    ],
    ['a secret in ENV', 'FROM a:1\nENV API_TOKEN=kj34hk5j3h4\nUSER a\n', 'secret-in-image', 2],
    ['a secret as the default of ARG', 'FROM a:1\nARG DB_PASSWORD=hunter2\nUSER a\n', 'secret-in-image', 2],
    ['a port out of range', 'FROM a:1\nEXPOSE 70000\nUSER a\n', 'invalid-port', 2],
    ['a port that is a word', 'FROM a:1\nEXPOSE http\nUSER a\n', 'invalid-port', 2],
    [
      'apt-get install without -y',
      'FROM a:1\nRUN apt-get update && \\\n  apt-get install curl\nUSER a\n',
      'apt-get-yes',
      2,
    ],
    ['an image that is none', 'FROM a:b:c\nUSER a\n', 'invalid-reference', 1],
    ['an unknown flag', 'FROM a:1\nCOPY --form=build /a /b\nUSER a\n', 'unknown-copy-flag', 2],
  ])('refuses %s', async (_name, text, rule, line) => {
    const row = await rowOf('dockerfile', 'Dockerfile', text);
    expect(row.verdict).toBe('failed');
    const finding = row.findings.find((one) => one.rule === rule);
    expect(finding).toMatchObject({ severity: 'error', ...(line === undefined ? {} : { line }) });
  });

  it.each([
    ['the latest tag', 'FROM node:latest\nUSER a\n', 'latest-tag'],
    ['no tag', 'FROM registry:5000/node\nUSER a\n', 'untagged-base'],
    ['no USER', 'FROM node:22\n', 'runs-as-root'],
    ['root at the end', 'FROM node:22\nUSER node\nUSER root\n', 'runs-as-root'],
    ['ADD of an address', 'FROM a:1\nADD https://example.com/x.sh /x.sh\nUSER a\n', 'add-url'],
    ['sudo', 'FROM a:1\nRUN sudo make install\nUSER a\n', 'sudo'],
    ['two CMDs', 'FROM a:1\nCMD ["a"]\nCMD ["b"]\nUSER a\n', 'multiple-instructions'],
    ['a token as build argument', 'FROM a:1\nARG NPM_TOKEN\nUSER a\n', 'secret-in-image'],
    ['a tool from an untagged image', 'FROM a:1\nCOPY --from=composer /usr/bin/composer /c\nUSER a\n', 'untagged-base'],
  ])('only warns of %s', async (_name, text, rule) => {
    const row = await rowOf('dockerfile', 'Dockerfile', text);
    expect(row.verdict).toBe('passed');
    expect(rules(row, 'warning')).toContain(rule);
  });

  it('inherits the user through the stages', async () => {
    const text = 'FROM node:22 AS base\nUSER node\nFROM base AS mid\nFROM mid\nCMD ["a"]\n';
    expect(rules(await rowOf('dockerfile', 'Dockerfile', text))).toEqual([]);
  });

  it('warns of sources that are missing or ignored, only as far as the workspace is known', async () => {
    const text = 'FROM a:1\nCOPY package.json src/ ./dist *.md ./\nCOPY --from=b:1 /none /none\nUSER a\n';
    const siblings = { '.dockerignore': '# out\ndist/\nnode_modules\n' };
    expect(rules(await rowOf('dockerfile', 'Dockerfile', text))).toEqual([]);
    const row = await rowOf('dockerfile', 'Dockerfile', text, { siblings, listing: ['package.json', 'lib/'] });
    expect(row.findings.map((one) => [one.rule, one.message.split('"')[1]])).toEqual([
      ['copy-missing', 'src/'],
      ['copy-ignored', './dist'],
    ]);
  });

  it('is chosen by the file name', async () => {
    for (const path of ['Dockerfile', 'docker/Dockerfile.dev', 'api.Dockerfile', 'Containerfile']) {
      expect((await rowOf('dockerfile', path, 'FROM a:1\nUSER a\n')).verdict).toBe('passed');
    }
    for (const path of ['Dockerfile.dockerignore', 'README.md']) {
      expect((await rowOf('dockerfile', path, 'FROM a:1\n')).verdict).toBe('skipped');
    }
  });

  it('refuses a file that its engine would take too long for (T12)', async () => {
    for (const text of [`FROM a:1\n${'ENV A=$B\n'.repeat(20_000)}`, `FROM a:1\nCMD ${'['.repeat(100_000)}\n`]) {
      expect(rules(await rowOf('dockerfile', 'Dockerfile', text))).toEqual(['too-large']);
    }
  });

  it.each([
    ['many brackets', `FROM a:1\nCMD ${'['.repeat(60_000)}\n`],
    ['many continuation lines', `FROM a:1\nRUN ${'a \\\n'.repeat(1_900)}b\n`],
    ['an unclosed here-document', 'FROM a:1\nRUN <<EOT\nx\n'],
    ['many instructions', `FROM a:1\n${'ENV A=$B\n'.repeat(1_000)}`],
  ])('comes back from %s', async (_name, text) => {
    expect(['passed', 'failed', 'inconclusive']).toContain((await rowOf('dockerfile', 'Dockerfile', text)).verdict);
  });
});

describe('COPY --from a name that is no stage', () => {
  const text = 'FROM a:1 AS build\nFROM b:1\nCOPY --from=sources /x /x\nUSER a\n';

  it.each([
    [
      'Compose',
      'compose.yaml',
      'services:\n  a:\n    build:\n      additional_contexts:\n        - sources=../sources\n',
    ],
    ['Bake', 'docker-bake.hcl', 'target "a" {\n  contexts = {\n    sources = "../sources"\n  }\n}\n'],
    ['an action', '.github/workflows/ci.yml', '        with:\n          build-contexts: sources=../sources\n'],
    ['the command line', 'Makefile', 'image:\n\tdocker build --build-context sources=../sources .\n'],
  ])('may be a build context where %s names some', async (_who, path, content) => {
    const row = await rowOf('dockerfile', 'Dockerfile', text, { siblings: { [path]: content } });
    expect(row.verdict).toBe('passed');
    expect(rules(row, 'warning')).toContain('unknown-stage');
  });

  it('is an error where nothing names contexts, and where it is a stage misspelt', async () => {
    expect(rules(await rowOf('dockerfile', 'Dockerfile', text), 'error')).toEqual(['unknown-stage']);
    const siblings = { Makefile: 'image:\n\tdocker build --build-context sources=../sources .\n' };
    const misspelt = await rowOf('dockerfile', 'Dockerfile', text.replace('sources', 'biuld'), { siblings });
    expect(rules(misspelt, 'error')).toEqual(['unknown-stage']);
  });
});
