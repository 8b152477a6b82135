/** The plans whose event histories are golden: what a released version did must replay on every later one. */
import { sha256 } from '../../plan/digest';
import type { CarriedTask } from '../../plan/export';
import { DEFAULT_EVENTS } from '../../plan/news';
import { newSigner, signedDecision } from '../support/signing';
import { type Driver, node, terminal } from '../workflows/fake-world';
import { ruled, setRules, within } from '../workflows/rule-world';

/** Plays one plan to the point at which its history is recorded. */
export type Shape = (plan: Driver) => Promise<unknown>;

const gate = async (plan: Driver, path: string): Promise<string> => {
  const view = await plan.until(({ gates }) => gates.some((open) => open.path === path));
  return view.gates.find((open) => open.path === path)?.gate ?? '';
};

const noise = async (plan: Driver, count: number): Promise<void> => {
  for (let left = count; left > 0; left -= 100) {
    const signals = Array.from({ length: Math.min(100, left) }, () =>
      plan.handle.signal('decide', { gate: 'gate-none', decision: 'approve', by: 'noise' }),
    );
    await Promise.all(signals);
    // Answered when they have been dealt with: a workflow task of thousands takes longer than it may.
    await plan.view();
  }
};

const nextExecution = async (plan: Driver, first: string): Promise<void> => {
  while ((await plan.handle.describe()).runId === first) await new Promise((resolve) => setTimeout(resolve, 50));
};

/** A generation of task 2 that is held until it is released. */
function hold(plan: Driver): () => void {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  plan.world.script.generate = async ({ task }) => {
    if (task.id === '2') await held;
    return `content of ${task.id}`;
  };
  return release;
}

export const SHAPES: { [name: string]: Shape } = {
  'apply-yes': async (plan) => {
    await plan.plan();
    await plan.run({ yes: true });
  },
  'graph-given': async (plan) => {
    await plan.plan({ nodes: [node('a'), node('b', ['a']), node('c', ['a'])] });
    await plan.run({ yes: true, concurrency: 1 });
  },
  'rolled-back-and-deleted': async (plan) => {
    await plan.plan();
    await plan.run({ yes: true });
    plan.world.disk.set('2.txt', 'a person was here');
    await plan.undo('rollback');
    await plan.undo('rollback', { overwriteChanged: true });
    await plan.run({ yes: true });
    await plan.undo('clean');
    await plan.handle.executeUpdate('delete', { args: [{ by: 'tester' }] });
    await plan.handle.result();
  },
  'planning-asked-three-times': async (plan) => {
    plan.world.script.planFaults = [['node 1: unknown tool'], ['a cycle'], []];
    await plan.plan();
  },
  'planning-failed': async (plan) => {
    plan.world.script.planFaults = [['one'], ['two'], ['three']];
    await plan.plan();
  },
  gates: async (plan) => {
    plan.world.script.graph = { nodes: [node('1'), node('2'), node('3', ['2']), node('4')] };
    await plan.plan();
    await plan.apply();
    await plan.decide({ gate: 'gate-none', decision: 'approve' }).catch(() => undefined);
    await plan.decide({ gate: await gate(plan, '1.txt'), decision: 'approve', by: 'ana' });
    await plan.decide({ gate: await gate(plan, '2.txt'), decision: 'request-changes', reason: 'use Node 22' });
    await plan.until(({ tasks, gates }) => tasks['2']?.attempts === 2 && gates.some(({ path }) => path === '2.txt'));
    await plan.decide({ gate: await gate(plan, '2.txt'), decision: 'reject' });
    // Its base changes before the write, so it is made and asked for again.
    const old = await gate(plan, '4.txt');
    plan.world.disk.set('4.txt', 'a person was here');
    await plan.decide({ gate: old, decision: 'approve' });
    await plan.until(({ gates }) => gates.some((open) => open.path === '4.txt' && open.gate !== old));
    await plan.handle.signal('decide', 'nonsense');
    await plan.handle.signal('decide', { gate: await gate(plan, '4.txt'), decision: 'approve', by: 'ops' });
    await plan.decide({ gate: await gate(plan, '3.txt'), decision: 'approve' });
    await plan.settled();
  },
  'risk-approved': async (plan) => {
    plan.world.script.risk = 'HIGH';
    await plan.plan();
    await plan.apply({ yes: true });
    const { gates } = await plan.until((view) => view.gates.length === 1);
    await plan.decide({ gate: gates[0]?.gate ?? '', decision: 'approve' });
    await plan.settled();
  },
  'risk-rejected': async (plan) => {
    plan.world.script.risk = 'HIGH';
    await plan.plan();
    await plan.apply({ yes: true });
    const { gates } = await plan.until((view) => view.gates.length === 1);
    await plan.decide({ gate: gates[0]?.gate ?? '', decision: 'reject', reason: 'not today' });
    await plan.settled();
  },
  'failure-then-retry': async (plan) => {
    plan.world.script.graph = { nodes: [node('1'), node('2', ['1']), node('3', ['2']), node('4', ['1'])] };
    plan.world.script.generate = ({ task }) => {
      if (task.id === '2') throw terminal('BadAnswer', 'the model answers prose');
      return `content of ${task.id}`;
    };
    await plan.plan();
    await plan.run({ yes: true });
    plan.world.script.generate = ({ task }) => `content of ${task.id}`;
    await plan.run({ yes: true, resume: true, retry: true });
  },
  'verification-repaired': async (plan) => {
    plan.world.script.verdict = (task, content) => (task === '2' && content.endsWith(' 1') ? 'failed' : 'passed');
    await plan.plan();
    await plan.run({ yes: true });
  },
  'risky-file': async (plan) => {
    plan.world.script.fileRisk = (path) => (path === '2.txt' ? 'HIGH' : 'LOW');
    await plan.plan();
    await plan.apply({ yes: true });
    await plan.decide({ gate: await gate(plan, '2.txt'), decision: 'approve' });
    await plan.settled();
  },
  'single-task': async (plan) => {
    await plan.plan();
    await plan.run({ task: '1', yes: true });
    await plan.run({ task: '1', yes: true, instruct: 'use Node 22' });
    await plan.run({ resume: true, yes: true });
  },
  cancel: async (plan) => {
    const release = hold(plan);
    await plan.plan();
    await plan.apply();
    await plan.until(({ gates, tasks }) => gates.length === 1 && tasks['2']?.status === 'generating');
    const cancelled = plan.handle.executeUpdate('cancel', { args: [{ by: 'ana', reason: 'wrong goal' }] });
    await plan.until(({ gates }) => gates.length === 1);
    release();
    await cancelled;
    await plan.run({ yes: true, resume: true });
  },
  'cancelled-by-temporal': async (plan) => {
    await plan.plan();
    await plan.apply();
    await plan.until(({ gates }) => gates.length === 2);
    await plan.handle.cancel();
    await plan.handle.result().catch(() => undefined);
  },
  'dry-run': async (plan) => {
    plan.world.script.graph = { nodes: [node('1'), node('2', ['1']), node('3', ['2'])] };
    plan.world.script.generate = ({ task, generation }) => {
      if (task.id === '3' && generation === 1) throw terminal('BadAnswer', 'prose');
      return `content of ${task.id}, generation ${generation}`;
    };
    await plan.plan();
    await plan.run({ dryRun: true });
    plan.world.disk.set('1.txt', 'a person was here');
    await plan.run({ yes: true });
    await plan.run({ yes: true, refresh: true, only: ['2'] });
    await plan.undo('rollback');
    await plan.run({ dryRun: true, exclude: ['3'] });
    await plan.run({ yes: true, skipVerify: true });
  },
  replay: async (plan) => {
    await plan.plan();
    await plan.run({ yes: true });
    await plan.run({ yes: true, replay: true });
    plan.world.script.environment = { ...plan.world.script.environment, model: 'another' };
    await plan.run({ yes: true, replay: true });
    await plan.run({ yes: true, replay: true, force: true });
    plan.world.disk.delete('2.txt');
    await plan.run({ yes: true, replay: true, recorded: true, force: true });
  },
  carried: async (plan) => {
    const content = 'made elsewhere';
    const file = { path: 'a.txt', sha256: sha256(content), bytes: content.length, preSha256: null, mode: '0644' };
    plan.world.objects.set(file.sha256, content);
    const settings = { provider: 'openai', model: 'fake', temperature: 0.2 };
    const made = { output: {}, skill: null, modelReturned: 'fake-1', generation: 2, seed: 1, feedback: [], settings };
    const task = (id: string, artifact: CarriedTask['artifact']): CarriedTask => ({ id, artifact, revisions: [] });
    await plan.plan(null, {
      imported: {
        ...{ id: 'plan-00000000', name: 'a plan', goal: 'a goal', settings, risk: 'MEDIUM', riskReasons: [] },
        madeWith: { planwrightVersion: '0', policySnapshot: '', gitHead: null, updatedAt: '2026-01-01T00:00:00.000Z' },
        graph: { nodes: [node('a'), node('b', ['a'])] },
        tasks: [task('a', { ...made, files: [file] }), task('b', null)],
      },
    });
    await plan.run({ yes: true });
  },
  'continue-as-new-waiting': async (plan) => {
    await plan.plan();
    await plan.apply();
    await plan.until(({ gates }) => gates.length === 2);
    const { runId } = await plan.handle.describe();
    await noise(plan, 1_500);
    await nextExecution(plan, runId);
    for (const path of ['1.txt', '2.txt', '3.txt']) await plan.decide({ gate: await gate(plan, path), decision: 'approve' });
    await plan.settled();
  },
  'continue-as-new-in-a-run': async (plan) => {
    const release = hold(plan);
    await plan.plan();
    await plan.apply({ yes: true, concurrency: 1 });
    await plan.until(({ tasks }) => tasks['2']?.status === 'generating');
    await noise(plan, 4_000);
    release();
    await plan.settled();
  },
  'waiting-with-votes-and-deadlines': async (plan) => {
    plan.world.script.graph = { nodes: [node('1'), node('2')] };
    const deadlines = within({ remindMs: 50, escalateMs: 100, escalateTo: ['lea'], expireMs: 30 * 86_400_000 });
    setRules(plan, {
      rules: [
        ruled('two', { paths: ['1.txt'], approvals: 2, by: ['ana', 'ben'], deadlines }),
        ruled('soon', { paths: ['2.txt'], deadlines: within({ expireMs: 200 }) }),
        ruled('tools', { gates: ['tool'] }),
      ],
    });
    await plan.plan();
    await plan.apply({ yes: true });
    const { gates } = await plan.until((view) => view.gates.length === 2);
    for (const { gate: tool } of gates) await plan.decide({ gate: tool, decision: 'approve' });
    const two = await gate(plan, '1.txt');
    await plan.decide({ gate: two, decision: 'approve', by: 'ana' });
    // Left as it is: a plan that waits is what a later version takes over.
    await plan.until((view) => view.tasks['2']?.status === 'declined' && view.gates[0]?.escalatedAt !== undefined);
  },
  'paused-budget-stuck-frozen': async (plan) => {
    plan.world.script.graph = { nodes: [node('1'), node('2', ['1'])] };
    let works = false;
    plan.world.script.generate = ({ task }) => {
      if (!works && task.id === '1') throw terminal('Provider', 'it broke');
      return `content of ${task.id}`;
    };
    const until = new Date(Date.now() + 1_500).toISOString();
    setRules(plan, {
      budgets: { plan: { tokens: null, calls: 2 }, task: { tokens: null, calls: null } },
      freeze: [{ name: 'now', once: { from: new Date(0).toISOString(), until }, weekly: null, run: 'wait' }],
    });
    await plan.plan();
    await plan.apply({ yes: true, onFailure: 'wait' });
    const open = async (kind: string): Promise<string> => {
      const view = await plan.until(({ gates }) => gates.some((one) => one.kind === kind));
      return view.gates.find((one) => one.kind === kind)?.gate ?? '';
    };
    const stuck = await open('stuck');
    await plan.handle.executeUpdate('pause', { args: [{ by: 'ana' }] });
    works = true;
    await plan.decide({ gate: stuck, decision: 'retry' });
    await plan.handle.executeUpdate('unpause', { args: [{ by: 'ana' }] });
    await plan.decide({ gate: await open('budget'), decision: 'raise', value: 9 });
    await plan.settled();
  },
  'signed-and-told': async (plan) => {
    const ana = newSigner('ana');
    plan.world.script.graph = { nodes: [node('1')] };
    setRules(plan, { rules: [ruled('tools', { gates: ['tool'] })] });
    const sink = { sink: 'ops', events: DEFAULT_EVENTS, timeoutMs: 10_000, giveUpMs: 60_000 };
    const approvers = [{ name: ana.name, key: ana.key }];
    plan.world.script.policy = { ...plan.world.script.policy, approvers, notify: [sink] };
    await plan.plan();
    await plan.apply();
    const open = async (kind: string): Promise<{ gate: string; digest: string }> => {
      const view = await plan.until(({ gates }) => gates.some((one) => one.kind === kind));
      const found = view.gates.find((one) => one.kind === kind);
      return { gate: found?.gate ?? '', digest: found?.digest ?? '' };
    };
    const tool = await open('tool');
    await plan.decide({ ...tool, decision: 'approve', by: 'ana' }).catch(() => undefined);
    await plan.decide(signedDecision(ana, { plan: plan.id, ...tool, decision: 'approve' }));
    const file = await open('file');
    await plan.handle.signal('decide', signedDecision(ana, { plan: plan.id, ...file, decision: 'approve' }));
    await plan.settled();
    await plan.until(({ notifications }) => notifications?.waiting === 0);
  },
};
