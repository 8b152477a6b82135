import type { Corpus } from './types';

export const PROMETHEUS: Corpus = {
  verifier: 'prometheus',
  path: 'prometheus/alerts.yml',
  wanted: 70,
  good: `groups:
  - name: web
    interval: 30s
    rules:
      - record: job:requests:rate5m
        expr: sum by (job) (rate(http_requests_total[5m]))
      - alert: HighErrors
        expr: rate(http_errors_total{job="web"}[5m]) > 0.05
        for: 10m
        labels:
          severity: page
        annotations:
          summary: "Errors on {{ $labels.instance }}"
`,
  faults: [
    ['a parenthesis that is not closed', '[5m]))', '[5m])'],
    ['an unknown function', 'rate(http_errors', 'rte(http_errors'],
    ['a duration that is none', 'for: 10m', 'for: 10minutes'],
    ['a misspelt key', 'expr: rate', 'exprr: rate'],
    ['a name that is no metric', 'job:requests:rate5m', 'job-requests-rate5m'],
    ['a rate without a range', '{job="web"}[5m]', '{job="web"}'],
    ['a comparison with nothing', '> 0.05', '>'],
    ['a matcher that is not closed', '{job="web"}', '{job="web"'],
    ['a template that is not closed', '{{ $labels.instance }}', '{{ $labels.instance }'],
    ['an aggregation over a label that nothing has', 'by (job)', 'by (jb)'],
  ],
};

export const NGINX: Corpus = {
  verifier: 'nginx',
  path: 'nginx/nginx.conf',
  wanted: 70,
  good: `worker_processes auto;
events { worker_connections 1024; }
http {
  upstream app {
    server app:8080;
  }
  server {
    listen 80;
    server_name example.org;
    client_max_body_size 10m;
    gzip on;
    location / {
      proxy_pass http://app;
      proxy_set_header Host $host;
    }
    location /static/ {
      root /srv/www;
    }
  }
}
`,
  faults: [
    ['a semicolon that is missing', 'listen 80;', 'listen 80'],
    ['a misspelt directive', 'proxy_pass', 'proxy_pas'],
    ['a brace that is not closed', '  }\n}\n', '  }\n'],
    ['a directive in the wrong place', 'worker_processes auto;', 'proxy_pass http://a;'],
    ['a port out of range', 'listen 80;', 'listen 80800;'],
    ['neither on nor off', 'gzip on;', 'gzip yes;'],
    ['a variable that is not there', '$host', '$hst'],
    ['a location twice', 'location /static/', 'location /'],
    ['a size that is none', '10m', '10mb'],
    ['an upstream that is not there', 'http://app;', 'http://ap;'],
  ],
};

export const SYSTEMD: Corpus = {
  verifier: 'systemd',
  path: 'systemd/web.service',
  wanted: 70,
  good: `[Unit]
Description=Web
After=network-online.target
Wants=network-online.target

[Service]
Type=simple
User=web
WorkingDirectory=/srv/web
ExecStart=/usr/bin/node server.js
Restart=on-failure
RestartSec=5s
NoNewPrivileges=yes

[Install]
WantedBy=multi-user.target
`,
  faults: [
    ['a misspelt key', 'After=', 'Afterr='],
    ['a path that is not absolute', '/usr/bin/node server.js', 'bin/node server.js'],
    ['an unknown kind of restart', 'on-failure', 'on-fail'],
    ['an unknown type', 'Type=simple', 'Type=simpel'],
    ['a misspelt section', '[Install]', '[Instal]'],
    ['a span of time that is none', 'RestartSec=5s', 'RestartSec=5 secs later'],
    ['no start', 'ExecStart=/usr/bin/node server.js\n', ''],
    ['a shell where there is none', 'server.js', 'server.js > /var/log/web.log'],
    ['neither yes nor no', 'NoNewPrivileges=yes', 'NoNewPrivileges=yep'],
    ['a key of another section', 'Restart=on-failure', 'WantedBy=multi-user.target'],
  ],
};

export const MAKEFILE: Corpus = {
  verifier: 'makefile',
  path: 'Makefile',
  wanted: 70,
  good: `CC ?= cc
.PHONY: all clean

all: app

app: main.o
\t$(CC) -o $@ $^

ifdef DEBUG
CFLAGS += -g
endif

clean:
\trm -f app main.o
`,
  faults: [
    ['spaces for a tab', '\trm', '    rm'],
    ['a conditional that is not closed', 'endif\n', ''],
    ['an endif too many', 'clean:\n', 'endif\nclean:\n'],
    ['a separator that is missing', 'app: main.o', 'app main.o'],
    ['a condition with one argument', 'ifdef DEBUG', 'ifeq ($(DEBUG))'],
    ['a define that is not closed', 'CC ?= cc', 'define CC\ncc'],
    ['a rule without its colon', 'all: app', 'all app'],
    ['a recipe before any rule', 'CC ?= cc', 'CC ?= cc\n    echo hi'],
    ['an else too many', 'CFLAGS += -g', 'else\nelse'],
    ['a prerequisite that nothing makes', 'all: app', 'all: ap'],
  ],
};
