import { parse } from 'yaml';
import { appendJobs, appendScrapes } from '../../skills/merge-yaml';

const PIPELINE = `workflow:
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH

stages:
  - test

.project:
  stage: test

lint:
  stage: test
  script:
    - npm run lint

test:
  stage: test
  script:
    - npm test
`;

describe('jobs of a GitLab pipeline', () => {
  it('are added where neither their name nor their command is there, and nothing else changes', () => {
    const before = 'image: node:20 # ours\n\nunit tests:\n  script: [npm test]\n';
    const after = appendJobs(before, PIPELINE);
    expect(after.startsWith(before)).toBe(true);
    expect(after).toContain('# Added by Planwright.\nlint:\n');
    expect(parse(after)).toMatchObject({
      image: 'node:20',
      'unit tests': { script: ['npm test'] },
      lint: { stage: 'test' },
    });
    expect(Object.keys(parse(after))).toEqual(['image', 'unit tests', 'lint']);
    expect(appendJobs(after, PIPELINE)).toBe(after);
  });

  it.each([
    ['includes others', 'include:\n  - local: /ci/test.yml\n'],
    ['has other stages', 'stages: [verify]\nx:\n  stage: verify\n  script: [make]\n'],
    ['is not plain YAML', 'a: [\n'],
    ['inherits its jobs', '.base:\n  script: [a]\nx:\n  extends: .base\n'],
  ])('are left alone where the pipeline %s', (_what, before) => {
    expect(appendJobs(before, PIPELINE)).toBe(before);
  });
});

const FRESH = `scrape_configs:
  - job_name: 'shop'
    metrics_path: /m
    static_configs:
      # Where Prometheus reaches the service.
      - targets: ['localhost:3000']
`;

describe('scrape jobs', () => {
  it('are added at the end of the list, in its own indentation, and what follows stays', () => {
    const before =
      'scrape_configs:\n- job_name: node # ours\n  static_configs:\n  - targets: [a:9100]\n\nalerting: {}\n';
    const after = appendScrapes(before, FRESH);
    expect(after.replace(/# Added by Planwright\.\n[\s\S]*3000'\]\n/, '')).toBe(before);
    const read = parse(after);
    expect(read.scrape_configs.map((job: { job_name: string }) => job.job_name)).toEqual(['node', 'shop']);
    expect(read.scrape_configs[1]).toEqual({
      job_name: 'shop',
      metrics_path: '/m',
      static_configs: [{ targets: ['localhost:3000'] }],
    });
    expect(read.alerting).toEqual({});
    expect(appendScrapes(after, FRESH)).toBe(after);
  });

  it('are not added a second time under another name', () => {
    const before = "scrape_configs:\n  - job_name: web\n    static_configs:\n      - targets: ['localhost:3000']\n";
    expect(appendScrapes(before, FRESH)).toBe(before);
  });

  it.each(['scrape_configs: []\n', 'global: {}\n', 'scrape_configs: [\n', 'scrape_configs: [{ job_name: a }]\n'])(
    'leave %j alone',
    (before) => expect(appendScrapes(before, FRESH)).toBe(before),
  );

  it('stand after the last one where the file has no line end', () => {
    const before = 'scrape_configs:\n    - job_name: a\n      static_configs: [{ targets: [x] }]';
    expect(parse(appendScrapes(before, FRESH)).scrape_configs).toHaveLength(2);
  });
});
