/** What a worker tells those who watch it: figures of plans, lines of its log, and the address of both. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import fc from 'fast-check';
import { handBack } from '../../activities/hand-back';
import { dependencies } from '../../package.json';
import { UsageError } from '../../plan/errors';
import type { GateView, PlanView } from '../../plan/view';
import { workspaceLayout } from '../../store/layout';
import { writePlanFile } from '../../store/plan-file';
import { namedIn } from '../../worker/activity-log';
import { exposition, histogram } from '../../worker/exposition';
import { parseListen, startHealth } from '../../worker/health';
import { PlanFiguresReader } from '../../worker/plan-figures';
import { PlanLog } from '../../worker/plan-log';
import { figuresOf, planFamilies } from '../../worker/plan-metrics';
import { loadTracing, TRACING_PACKAGES } from '../../worker/tracing';
import { newState, newTaskView } from '../../workflows/state';

const AT = '2026-11-21T10:00:00.000Z';
const NOW = Date.parse('2026-11-21T10:01:30.000Z');

function viewOf(change: Partial<PlanView> = {}): PlanView {
  const settings = { provider: 'template', model: 'template', temperature: 0 };
  const { view } = newState(
    {
      ...{ id: 'plan-00000001', name: 'n', goal: 'a secret goal', workspace: 'ws-1', by: 'me', settings, timeoutMs: 1 },
      ...{ planwrightVersion: '0', graph: null, searchAttributes: false, llmQueue: null },
    },
    AT,
  );
  return { ...view, ...change };
}

const gate: GateView = {
  ...{ gate: 'gate-1', kind: 'file', task: '1', path: 'Dockerfile', digest: 'd', risk: 'LOW', riskReasons: [] },
  ...{ since: AT, until: null, diffStat: { added: 1, removed: 0 }, sha256: null, preSha256: null, outcome: null },
};

const running: PlanView['runs'][number] = {
  ...{ number: 1, kind: 'apply', status: 'running', startedAt: AT, finishedAt: null, by: 'me', yes: false },
  ...{ tasks: ['1'], reason: null },
};

describe('the text format', () => {
  it('escapes what would end a label or a line', () => {
    const text = exposition([
      { name: 'x', help: 'a\nb\\', type: 'gauge', samples: [{ labels: { of: 'say "a\\b"\n' }, value: 1 }] },
    ]);
    expect(text).toBe('# HELP x a\\nb\\\\\n# TYPE x gauge\nx{of="say \\"a\\\\b\\"\\n"} 1\n');
  });

  it('keeps every label on one line, whatever stands in it', () => {
    fc.assert(
      fc.property(fc.string(), fc.double(), (word, value) => {
        const text = exposition([{ name: 'x', help: '', type: 'gauge', samples: [{ labels: { word }, value }] }]);
        const last = text.split('\n').at(-2) ?? '';
        expect(text.split('\n')).toHaveLength(4);
        expect(last).toMatch(/^x\{word="(?:[^"\\\n]|\\["\\n])*"\} (-?[\d.e+-]+|[+-]Inf|NaN)$/s);
      }),
    );
  });

  it('counts a histogram upwards, and its last bucket holds everything', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (values) => {
        const samples = histogram(values, [1, 5, 10], {});
        const buckets = samples.filter(({ suffix }) => suffix === '_bucket').map(({ value }) => value);
        expect(buckets).toEqual([...buckets].sort((a, b) => a - b));
        expect(buckets.at(-1)).toBe(values.length);
        expect(samples.find(({ suffix }) => suffix === '_count')?.value).toBe(values.length);
      }),
    );
  });
});

describe('figures of plans', () => {
  it('tell states, gates and their age, tokens, verdicts and what tasks took', () => {
    const task = {
      ...newTaskView(1),
      status: 'completed' as const,
      startedAt: AT,
      completedAt: '2026-11-21T10:00:04.000Z',
    };
    const verification = [{ verifier: 'yaml', version: '1', path: 'p', verdict: 'passed' as const, findings: [] }];
    const usage = { promptTokens: 7, completionTokens: 3, calls: 2 };
    const view = viewOf({ status: 'waiting', gates: [gate], usage, tasks: { '1': { ...task, verification } } });
    const text = exposition(planFamilies('ws-1', [figuresOf(view)], NOW));
    for (const line of [
      'planwright_plans{workspace="ws-1",state="waiting"} 1',
      'planwright_plans{workspace="ws-1",state="failed"} 0',
      'planwright_gates_waiting{workspace="ws-1",kind="file"} 1',
      'planwright_gate_oldest_seconds{workspace="ws-1"} 90',
      'planwright_blocked_seconds{workspace="ws-1"} 0',
      'planwright_tokens{workspace="ws-1",direction="prompt"} 7',
      'planwright_verdicts{workspace="ws-1",verifier="yaml",verdict="passed"} 1',
      'planwright_task_seconds_bucket{workspace="ws-1",le="2"} 0',
      'planwright_task_seconds_bucket{workspace="ws-1",le="5"} 1',
      'planwright_task_seconds_sum{workspace="ws-1"} 4',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });

  it('follow the plan files, and leave out one that cannot be read', async () => {
    const root = mkdtempSync(join(tmpdir(), 'planwright-figures-'));
    try {
      const layout = workspaceLayout(root);
      await mkdir(layout.plans, { recursive: true });
      const reader = new PlanFiguresReader(layout);
      expect(await reader.read()).toEqual([]);
      await writePlanFile(layout, viewOf({ status: 'ready' }));
      writeFileSync(join(layout.plans, 'plan-00000002.json'), '{');
      expect((await reader.read()).map(({ status }) => status)).toEqual(['ready']);
      await writePlanFile(layout, viewOf({ status: 'completed' }));
      expect((await reader.read()).map(({ status }) => status)).toEqual(['completed']);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});

describe('the log of plans', () => {
  it('tells each change once, with ids and without the goal', () => {
    const log = new PlanLog();
    const waiting = viewOf({ status: 'waiting', gates: [gate], runs: [running], tasks: { '1': newTaskView(1) } });
    expect(log.look(viewOf()).map(({ message }) => message)).toEqual(['plan']);
    const lines = log.look(waiting);
    expect(lines.map(({ message }) => message)).toEqual(['plan', 'run', 'gate waits']);
    expect(lines.at(-1)?.fields).toEqual({
      ...{ plan: 'plan-00000001', run: 1, gate: 'gate-1', kind: 'file', task: '1', path: 'Dockerfile' },
    });
    expect(log.look(waiting)).toEqual([]);
    const failed = { ...newTaskView(1), status: 'failed' as const, error: { type: 'Write', message: 'secret' } };
    const end = log.look({
      ...waiting,
      status: 'failed',
      gates: [],
      tasks: { '1': failed },
      runs: [{ ...running, status: 'failed' }],
    });
    expect(end.map(({ message, level }) => `${level} ${message}`)).toEqual([
      'warn plan',
      'info run',
      'warn task',
      'info gate closed',
    ]);
    expect(JSON.stringify([lines, end])).not.toContain('secret');
  });

  it('tells of a plan that it sees for the first time only what goes on', () => {
    const done = viewOf({ status: 'completed', runs: [{ ...running, status: 'completed' }] });
    expect(new PlanLog().look(done).map(({ message }) => message)).toEqual(['plan']);
  });

  it.each([
    [
      { plan: 'p', task: 't1', run: 2 },
      { task: 't1', run: 2 },
    ],
    [
      { generate: { task: { id: 't2' } }, run: 1 },
      { task: 't2', run: 1 },
    ],
    [{ task: { id: 't3' } }, { task: 't3', run: null }],
    [null, { task: null, run: null }],
    ['x', { task: null, run: null }],
  ])('finds task and run in the request %j', (request, named) => expect(namedIn(request)).toEqual(named));
});

describe('the address for who watches', () => {
  it.each([
    ['127.0.0.1:8000', { host: '127.0.0.1', port: 8000 }],
    ['8000', { host: '127.0.0.1', port: 8000 }],
    ['[::]:80', { host: '::', port: 80 }],
    ['', undefined],
    [undefined, undefined],
  ])('%j is %j', (text, listen) => expect(parseListen(text)).toEqual(listen));

  it.each(['x', ':80', 'host:', 'host:99999', '1:2:3', 'http://h:1'])('refuses %j', (text) => {
    expect(() => parseListen(text)).toThrow(UsageError);
  });

  it('is told when it is taken, and answers nothing but questions', async () => {
    const watched = { faults: async () => ['not yet'], metrics: async () => 'x 1\n' };
    const health = await startHealth({ host: '127.0.0.1', port: 0 }, watched);
    try {
      const at = `http://127.0.0.1:${health.port}`;
      await expect(startHealth({ host: '127.0.0.1', port: health.port }, watched)).rejects.toThrow(/EADDRINUSE/);
      const ready = await fetch(`${at}/ready`);
      expect([ready.status, await ready.text()]).toEqual([503, 'not yet\n']);
      expect((await fetch(`${at}/live`, { method: 'POST' })).status).toBe(405);
      expect(await (await fetch(`${at}/metrics?x=1`)).text()).toBe('x 1\n');
      expect((await fetch(`${at}//evil`)).status).toBe(404);
    } finally {
      await health.close();
    }
  });
});

describe('a call of the model that a stopping worker has out', () => {
  const never = new AbortController().signal;
  const aborted = AbortSignal.abort();
  const cancelled = async (): Promise<never> => {
    throw new CancelledFailure('gone', [{ calls: [] }]);
  };

  it('comes back as a failure that is tried again, with what it told', async () => {
    await expect(handBack(never, aborted, cancelled)).rejects.toMatchObject({
      ...{ type: 'WorkerDied', nonRetryable: false, details: [{ calls: [] }] },
    });
  });

  it('stays a cancellation where the plan was cancelled, and any other failure stays itself', async () => {
    await expect(handBack(aborted, aborted, cancelled)).rejects.toThrow(CancelledFailure);
    await expect(handBack(never, never, cancelled)).rejects.toThrow(CancelledFailure);
    const refused = ApplicationFailure.nonRetryable('no', 'Refused');
    await expect(handBack(never, aborted, () => Promise.reject(refused))).rejects.toBe(refused);
    await expect(handBack(never, aborted, async () => 'done')).resolves.toBe('done');
  });
});

describe('traces', () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
  const missing = (): never => {
    throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
  };

  it('are not asked for without an endpoint, and nothing is loaded', () => {
    expect(loadTracing({}, missing)).toBeNull();
    expect(loadTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, missing)).toBeNull();
  });

  it('say which package is missing or another, and what to install', () => {
    expect(() => loadTracing(env, missing)).toThrow(/interceptors-opentelemetry is not installed/);
    expect(() => loadTracing(env, () => ({}))).toThrow(/interceptors-opentelemetry is of another version/);
    expect(TRACING_PACKAGES[0]).toBe(`@temporalio/interceptors-opentelemetry@${dependencies['@temporalio/worker']}`);
  });
});
