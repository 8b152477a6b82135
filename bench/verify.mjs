/**
 * `node bench/verify.mjs`: what one embedded check of one file costs: the first in a fresh process (cold), and the median of 9 at 64 kB afterwards.
 * Needs `npm run build`. Prints a Markdown table in milliseconds;
 * the processor's time is all threads together, and says more than the clock where others use the machine too.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const SIZE = 64 * 1024;

/** A head once, and a part that is repeated with its number in place of `#`. */
const FILES = {
  actionlint: [
    '.github/workflows/ci.yml',
    'on: push\npermissions: {}\njobs:\n',
    '  job#:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v6\n      - run: npm test\n',
  ],
  compose: [
    'compose.yaml',
    'services:\n',
    '  s#:\n    image: a:1\n    restart: always\n    environment:\n      A: b\n',
  ],
  kubernetes: [
    'k8s/a.yaml',
    '',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a#\nspec:\n  selector:\n    matchLabels:\n      a: b\n  template:\n    metadata:\n      labels:\n        a: b\n    spec:\n      containers:\n        - name: a\n          image: a:1\n---\n',
  ],
  'gitlab-ci': ['.gitlab-ci.yml', '', 'job#:\n  stage: test\n  script:\n    - npm test\n'],
  dockerfile: [
    'Dockerfile',
    'FROM alpine:3.20\nUSER a\n',
    'RUN echo "something of about this length, number #, that goes on for a while and then some more of it"\n',
  ],
  hcl: ['main.tf', 'variable "a" {}\n', 'resource "terraform_data" "r#" {\n  input = "${var.a}-#"\n}\n'],
  shell: ['a.sh', '#!/bin/bash\nset -e\n', 'if [ "$1" = "#" ]; then\n  echo "number #"\nfi\n'],
  prometheus: [
    'prometheus/rules.yml',
    'groups:\n  - name: a\n    rules:\n',
    '      - record: a:b#\n        expr: sum by (job) (rate(http_requests_total{a="#"}[5m]))\n',
  ],
  ansible: [
    'playbook.yml',
    '- hosts: all\n  tasks:\n',
    '    - name: Task #\n      ansible.builtin.apt:\n        name: x#\n        state: present\n',
  ],
  nginx: [
    'nginx/nginx.conf',
    'events {}\nhttp { server {\n',
    '  location /a# {\n    proxy_pass http://app:8080;\n  }\n',
  ],
  systemd: ['a.service', '[Service]\nExecStart=/bin/true\n', 'Environment=NAME#=value\n'],
  helm: ['charts/a/templates/a.yaml', '', 'a#: {{ .Values.x | default "y" | quote }}\n'],
  jenkinsfile: [
    'Jenkinsfile',
    'pipeline {\n agent any\n stages {\n',
    "  stage('S#') {\n    steps {\n      sh 'npm test'\n    }\n  }\n",
  ],
  makefile: ['Makefile', '', 'target#: other\n\techo "number #"\n'],
};
const ENDS = { nginx: '} }\n', jenkinsfile: ' }\n}\n', makefile: 'other:\n\ttrue\n' };

function content(name, size) {
  const [, head, part] = FILES[name];
  const parts = [head];
  // The parser of Dockerfiles is bounded by lines, the schema of manifests by nothing.
  for (let at = 0, number = 0; at < size - part.length - 200; at += part.length)
    parts.push(part.replaceAll('#', String(number++)));
  return parts.slice(0, name === 'dockerfile' ? 600 : undefined).join('') + (ENDS[name] ?? '');
}

const [only] = process.argv.slice(2);
if (only) {
  const { verifyFiles, closeVerifiers } = require(join(root, 'dist', 'activities', 'verify', 'index.js'));
  const check = async (size) => {
    const files = [{ path: FILES[only][0], content: content(only, size), preContent: null }];
    const start = performance.now();
    const used = process.cpuUsage();
    const rows = await verifyFiles({ files, verifiers: [] });
    const bad = rows
      .filter(({ verdict }) => verdict !== 'passed')
      .map(({ verifier, reason, findings }) => `${verifier} ${reason ?? findings[0]?.message}`);
    const { user, system } = process.cpuUsage(used);
    return { ms: performance.now() - start, cpu: (user + system) / 1000, bad };
  };
  const cold = await check(2_000);
  await check(SIZE);
  const warm = [];
  for (let round = 0; round < 9; round++) warm.push(await check(SIZE));
  const middle = (key) =>
    warm
      .map((one) => one[key])
      .sort((a, b) => a - b)[4]
      .toFixed(0);
  await closeVerifiers();
  process.stdout.write(
    `| ${only} | ${cold.ms.toFixed(0)} | ${middle('ms')} | ${middle('cpu')} |${warm[0].bad.length > 0 ? ` ${warm[0].bad.join('; ')}` : ''}\n`,
  );
} else {
  process.stdout.write('| verifier | cold, 2 kB | warm, 64 kB | processor, warm |\n|---|---|---|---|\n');
  for (const name of Object.keys(FILES))
    spawnSync(process.execPath, [fileURLToPath(import.meta.url), name], { stdio: 'inherit' });
}
