import type { News } from '../../plan/news';

export const NEWS: News = {
  names: ['gate.opened'],
  seq: 7,
  at: '2026-01-31T12:00:00.000Z',
  plan: { id: 'plan-1a2b3c4d', name: 'ci', goal: 'build and test', status: 'waiting', risk: 'MEDIUM' },
  run: { number: 1, kind: 'apply', status: 'running' },
  gate: {
    gate: 'gate-0123456789abcdef',
    kind: 'file',
    task: 1,
    path: 'Dockerfile',
    digest: 'a'.repeat(64),
    risk: 'LOW',
    since: '2026-01-31T12:00:00.000Z',
    until: null,
    by: null,
    diffStat: { added: 12, removed: 3 },
  },
  decision: null,
  reason: null,
  tasks: null,
  command: 'planwright approve plan-1a2b3c4d --gate gate-0123456789abcdef',
};
