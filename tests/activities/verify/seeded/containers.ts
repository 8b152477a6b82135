import type { Corpus } from './types';

export const ACTIONS: Corpus = {
  verifier: 'actionlint',
  path: '.github/workflows/ci.yml',
  wanted: 90,
  good: `name: CI
on:
  push:
    branches: [main]
  pull_request:
permissions:
  contents: read
jobs:
  build:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        node: [20, 22]
    steps:
      - uses: actions/checkout@v6
      - uses: actions/setup-node@v6
        with:
          node-version: \${{ matrix.node }}
      - run: npm ci
      - run: npm test
  deploy:
    needs: build
    if: github.ref == 'refs/heads/main'
    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - run: echo "$TITLE"
        env:
          TITLE: \${{ github.event.head_commit.message }}
`,
  faults: [
    ['an unknown key of the trigger', 'branches: [main]', 'branch: [main]'],
    ['a misspelt runner', 'runs-on: ubuntu-latest', 'runs-on: ubuntu-latst'],
    ['a matrix value that is not there', 'matrix.node }}', 'matrix.nodes }}'],
    ['a job that is not there', 'needs: build', 'needs: biuld'],
    ['an unknown key of a job', 'timeout-minutes: 10', 'timeout-minute: 10'],
    ['an expression that is not closed', '${{ matrix.node }}', '${{ matrix.node }'],
    ['text of outsiders as code', 'echo "$TITLE"', 'echo "${{ github.event.head_commit.message }}"'],
    ['a step that runs and uses', '- run: npm test', '- run: npm test\n        uses: actions/checkout@v6'],
    ['an unknown event', '  pull_request:\n', '  pull_requests:\n'],
    ['a trigger without jobs', 'steps:\n      - uses', 'step:\n      - uses'],
  ],
};

export const COMPOSE: Corpus = {
  verifier: 'compose',
  path: 'compose.yaml',
  wanted: 90,
  good: `services:
  web:
    build: .
    ports:
      - "8080:80"
    depends_on:
      db:
        condition: service_healthy
    environment:
      LOG: info
    networks: [front]
    restart: unless-stopped
  db:
    image: postgres:17
    volumes:
      - data:/var/lib/postgresql/data
    healthcheck:
      test: ["CMD", "pg_isready"]
      interval: 10s
    networks: [front]
volumes:
  data:
networks:
  front:
`,
  faults: [
    ['a misspelt key', 'image: postgres:17', 'imagee: postgres:17'],
    ['a service that is not there', '      db:\n        condition', '      database:\n        condition'],
    ['a volume that is not declared', 'data:/var', 'dta:/var'],
    ['a network that is not declared', 'networks: [front]', 'networks: [back]'],
    ['a port out of range', '"8080:80"', '"80800:80"'],
    ['ports that are no list', 'ports:\n      - "8080:80"', 'ports: "8080:80"'],
    ['an unknown condition', 'service_healthy', 'healthy'],
    ['an unknown key of a check', 'interval: 10s', 'intervall: 10s'],
    ['an unknown key at the top', 'volumes:\n  data:', 'volume:\n  data:'],
    ['an unknown key of a service', 'restart: unless-stopped', 'restart_policy: unless-stopped'],
  ],
};

export const DOCKERFILE: Corpus = {
  verifier: 'dockerfile',
  path: 'Dockerfile',
  wanted: 90,
  good: `FROM node:22-slim AS build
WORKDIR /app
COPY package.json ./
RUN apt-get update && apt-get install -y --no-install-recommends git
RUN npm ci
FROM node:22-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/node_modules ./node_modules
EXPOSE 8080
USER node
HEALTHCHECK --interval=30s CMD node health.js
CMD ["node", "server.js"]
`,
  faults: [
    ['a misspelt instruction', 'WORKDIR /app', 'WORKDIRR /app'],
    ['a stage that is not there', '--from=build', '--from=biuld'],
    ['a port out of range', 'EXPOSE 8080', 'EXPOSE 80800'],
    ['no base image', 'FROM node:22-slim AS build\n', ''],
    ['a question that nobody answers', 'install -y', 'install'],
    ['a secret in the image', 'ENV NODE_ENV=production', 'ENV API_TOKEN=q8Zr4Lw9Xk2Vb7Nm'],
    ['a flag that does not exist', '--interval=30s', '--intervall=30s'],
    ['a COPY without a target', 'COPY package.json ./', 'COPY package.json'],
    ['a duration that is none', '--interval=30s', '--interval=30x'],
    ['a name that is no image', 'FROM node:22-slim\n', 'FROM node:22:slim\n'],
  ],
};

export const KUBERNETES: Corpus = {
  verifier: 'kubernetes',
  path: 'k8s/app.yaml',
  wanted: 90,
  good: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: example.org/web:1.2.3
          ports:
            - name: http
              containerPort: 8080
          resources:
            limits:
              memory: 128Mi
          readinessProbe:
            httpGet:
              path: /
              port: http
          volumeMounts:
            - name: config
              mountPath: /etc/web
      volumes:
        - name: config
          configMap:
            name: web
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
    - port: 80
      targetPort: http
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
data:
  a: "1"
`,
  faults: [
    ['a misspelt key', 'image: example', 'imagee: example'],
    ['a number as text', 'replicas: 2', 'replicas: two'],
    ['a selector that selects nothing', '      app: web\n  template', '      app: wbe\n  template'],
    ['a volume that is not there', '- name: config\n              mountPath', '- name: cfg\n              mountPath'],
    ['a target port that is not there', 'targetPort: http', 'targetPort: https'],
    ['a removed apiVersion', 'apiVersion: apps/v1', 'apiVersion: extensions/v1beta1'],
    ['a service that selects nothing', 'selector:\n    app: web', 'selector:\n    app: webb'],
    ['an amount that is none', 'memory: 128Mi', 'memory: 128MB'],
    ['a probe of an unknown port', 'port: http\n', 'port: web\n'],
    ['no containers but container', '      containers:', '      container:'],
  ],
};

export const HELM: Corpus = {
  verifier: 'helm',
  path: 'charts/web/templates/deployment.yaml',
  wanted: 70,
  siblings: {
    'charts/web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 0.1.0\n',
    'charts/web/values.yaml': 'replicas: 1\nimage:\n  repository: a\n  tag: b\n',
    'charts/web/templates/_helpers.tpl': '{{- define "web.name" -}}web{{- end -}}\n',
  },
  good: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "web.name" . }}
spec:
  replicas: {{ .Values.replicas | default 1 }}
  template:
    spec:
      {{- if .Values.image }}
      containers:
        - name: web
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          {{- with .Values.resources }}
          resources: {{ toYaml . | nindent 12 }}
          {{- end }}
      {{- else }}
      containers: []
      {{- end }}
`,
  faults: [
    ['an action that is not closed', '{{ include "web.name" . }}', '{{ include "web.name" . }'],
    ['an end too few', '          {{- end }}\n', ''],
    ['an end too many', '      containers: []\n', '      containers: []\n{{ end }}\n'],
    ['an unknown function', 'toYaml .', 'toYml .'],
    ['a template that is not defined', '"web.name" .', '"web.nme" .'],
    ['a pipe to nothing', 'default 1 }}', 'default 1 | }}'],
    ['a parenthesis that is not closed', '{{ toYaml . |', '{{ (toYaml . |'],
    ['a value that is not there', '.Values.image.tag', '.Values.image.tg'],
    ['a string that is not closed', '"web.name" . }}', '"web.name . }}'],
    ['an if without a condition', '{{- if .Values.image }}', '{{- if }}'],
  ],
};
