/** T27: where the policy names approvers, a decision counts only with their signature, whichever way it comes. */
import { checkData } from '../../audit/events';
import type { Decide, PlanView } from '../../plan/view';
import { newSigner, type Signer, signatureOver, signedDecision } from '../support/signing';
import { factsOf } from './facts-of';
import { type Driver, node, usePlans } from './fake-world';
import { ruled, setRules } from './rule-world';

const start = usePlans();
const ana = newSigner('ana');
const ben = newSigner('ben');
const mallory = newSigner('mallory');
const keys = (...signers: Signer[]) => signers.map(({ name, key }) => ({ name, key }));

/** A plan of one task whose file waits, under a policy that names ana and ben. */
async function waiting(): Promise<{ plan: Driver; gate: string; digest: string }> {
  const plan = await start();
  plan.world.script.graph = { nodes: [node('1')] };
  plan.world.script.policy = { ...plan.world.script.policy, approvers: keys(ana, ben) };
  await plan.plan();
  await plan.apply();
  const { gates } = await plan.until((view) => view.gates.length === 1);
  return { plan, gate: gates[0]?.gate ?? '', digest: gates[0]?.digest ?? '' };
}

interface Case {
  plan: Driver;
  gate: string;
  digest: string;
}

const good = ({ plan, gate, digest }: Case): Decide =>
  signedDecision(ana, { plan: plan.id, gate, digest, decision: 'approve' });
const over = (at: Case, change: object, signer = ana): Decide => ({
  ...good(at),
  signed: signatureOver(signer.privateKey, {
    plan: at.plan.id,
    gate: at.gate,
    digest: at.digest,
    decision: 'approve',
    by: 'ana',
    ...change,
  }),
});
const inMinutes = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();
const claimed = (decide: Decide): Decide => ({ gate: decide.gate, decision: decide.decision, by: decide.by });

/** Decisions that must not count: name, how it is made, type of the refusal, a word of its message. */
const BAD: [string, (at: Case) => Decide, string, RegExp][] = [
  ['unsigned', (at) => claimed(good(at)), 'NotAllowed', /wants signed decisions/],
  ['of nobody whom the policy names', (at) => ({ ...good(at), by: 'mallory' }), 'NotAllowed', /none of the approvers/],
  ['signed with another key', (at) => over(at, {}, mallory), 'NotAllowed', /does not fit/],
  ["signed with another approver's key", (at) => over(at, {}, ben), 'NotAllowed', /does not fit/],
  ['signed for another gate', (at) => over(at, { gate: 'gate-0000000000000000' }), 'NotAllowed', /does not fit/],
  ['signed for another plan', (at) => over(at, { plan: 'plan-00000000' }), 'NotAllowed', /does not fit/],
  ['signed for another decision', (at) => over(at, { decision: 'reject' }), 'NotAllowed', /does not fit/],
  ['signed with another reason', (at) => over(at, { reason: 'because' }), 'NotAllowed', /does not fit/],
  ['signed with another value', (at) => over(at, { value: 1 }), 'NotAllowed', /does not fit/],
  ['signed for other bytes', (at) => over(at, { digest: '0'.repeat(64) }), 'NotAllowed', /does not fit/],
  [
    'about other bytes, and signed so',
    ({ plan, gate }) => signedDecision(ana, { plan: plan.id, gate, digest: '0'.repeat(64), decision: 'approve' }),
    'StaleDigest',
    /Look again/,
  ],
  [
    'without the digest of what it is about',
    ({ plan, gate }) => signedDecision(ana, { plan: plan.id, gate, digest: null, decision: 'approve' }),
    'StaleDigest',
    /Look again/,
  ],
  ['expired', (at) => over(at, { expires: inMinutes(-1) }), 'NotAllowed', /expired at/],
  ['that would be good for days', (at) => over(at, { expires: inMinutes(1_500) }), 'NotAllowed', /more than 24 hours/],
  [
    'whose expiry was put off after it was signed',
    (at) => {
      const { signed, ...rest } = over(at, { expires: inMinutes(-1) });
      return { ...rest, ...(signed ? { signed: { ...signed, expires: inMinutes(5) } } : {}) };
    },
    'NotAllowed',
    /does not fit/,
  ],
  [
    'with half a signature',
    (at) => ({ ...good(at), signed: { nonce: 'x'.repeat(16), expires: inMinutes(5), signature: 'AAAA' } }),
    'NotAllowed',
    /wrong form/,
  ],
  [
    'with text that no signature can cover',
    (at) => ({ ...good(at), reason: 'half a pair: \ud83d'.slice(0, 14) }),
    'NotAllowed',
    /does not fit/,
  ],
];

type Way = [name: string, send: (plan: Driver, decide: Decide) => Promise<void>, tells: boolean];
const WAYS: Way[] = [
  ['update', async (plan, decide) => void (await plan.decide(decide)), true],
  ['signal', (plan, decide) => plan.handle.signal('decide', decide), false],
];

const refusals = async (plan: Driver): Promise<NonNullable<PlanView['refusals']>> => (await plan.view()).refusals ?? [];

describe.each(WAYS)('T27 by %s', (way, send, tells) => {
  it('no decision counts that is unsigned, replayed, late, or signed by or for something else; each is recorded', async () => {
    const at = await waiting();
    const { plan } = at;
    for (const [index, [name, make, type, why]] of BAD.entries()) {
      const sent = send(plan, make(at));
      if (tells) await expect(sent).rejects.toMatchObject({ cause: { type, message: expect.stringMatching(why) } });
      else await sent;
      const recorded = await refusals(plan);
      expect({ name, recorded: recorded.length }).toEqual({ name, recorded: index + 1 });
      expect(recorded.at(-1)).toMatchObject({ gate: at.gate, type, message: expect.stringMatching(why) });
    }
    expect((await plan.view()).gates).toHaveLength(1);
    expect(plan.world.disk.size).toBe(0);
    // The same plan, the same gate, by the one who may.
    await send(plan, good(at));
    const done = await plan.settled();
    expect(done.tasks['1']).toMatchObject({ status: 'completed', decisions: [{ by: 'ana', auth: 'signed' }] });
    const facts = await factsOf(plan);
    const refused = facts.filter(({ event }) => event === 'decision.refused');
    expect(refused).toHaveLength(BAD.length);
    for (const { actor, event, data } of refused) {
      expect([actor.auth, data.way, checkData(event, data)]).toEqual(['claimed', way, null]);
    }
    expect(facts.find(({ event }) => event === 'gate.decided')?.actor).toEqual({
      kind: 'user',
      id: 'ana',
      auth: 'signed',
    });
  });

  it('a signed decision is good once: sent again it is refused, also for the gate that it decided', async () => {
    const at = await waiting();
    const decision = good(at);
    await send(at.plan, decision);
    await at.plan.settled();
    const again = send(at.plan, decision);
    if (tells) await expect(again).rejects.toMatchObject({ cause: { message: expect.stringMatching(/used before/) } });
    else await again;
    expect((await refusals(at.plan)).at(-1)).toMatchObject({ type: 'NotAllowed', by: 'ana' });
  });
});

it('T27 a signature for the gate before a resume does not count for the next one, though the bytes are the same', async () => {
  const at = await waiting();
  const { plan, digest } = at;
  const early = good(at);
  await plan.handle.executeUpdate('cancel', { args: [{ by: 'tester' }] });
  await plan.settled();
  plan.world.script.generate = () => 'content of 1, generation 1';
  await plan.apply({ resume: true });
  const { gates } = await plan.until((view) => view.gates.length === 1);
  const next = gates[0]?.gate ?? '';
  expect([next === at.gate, gates[0]?.digest]).toEqual([false, digest]);
  await expect(plan.decide({ ...early, gate: next })).rejects.toMatchObject({ cause: { type: 'NotAllowed' } });
  await expect(plan.decide({ gate: next, decision: 'approve' })).rejects.toMatchObject({
    cause: { type: 'NotAllowed' },
  });
  expect(plan.world.disk.size).toBe(0);
  await plan.decide(good({ ...at, gate: next }));
  expect((await plan.settled()).status).toBe('completed');
});

it('T27 what was used up before continue-as-new and a restart of the worker is used up after it', async () => {
  const at = await waiting();
  const { plan } = at;
  const decision = good(at);
  await plan.decide(decision);
  await plan.settled();
  const first = (await plan.handle.describe()).runId;
  for (let left = 1_500; left > 0; left -= 100) {
    const noise = { gate: 'gate-none', decision: 'approve', by: 'noise' };
    await Promise.all(Array.from({ length: 100 }, () => plan.handle.signal('decide', noise)));
    await plan.view();
  }
  for (let round = 0; (await plan.handle.describe()).runId === first; round++) {
    if (round > 400) throw new Error('the plan did not continue as new');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await plan.stopWorker();
  await plan.startWorker();
  await expect(plan.decide(decision)).rejects.toMatchObject({
    cause: { message: expect.stringMatching(/used before/) },
  });
  await expect(plan.decide(claimed(decision))).rejects.toMatchObject({ cause: { type: 'NotAllowed' } });
  // A new signature of the same person is told what they decided.
  expect(await plan.decide(good(at))).toMatchObject({ decision: 'approve', by: 'ana' });
});

it('without approvers in the policy a decision is a claim, and needs no signature', async () => {
  const plan = await start();
  plan.world.script.graph = { nodes: [node('1')] };
  await plan.plan();
  await plan.apply();
  const { gates } = await plan.until((view) => view.gates.length === 1);
  await plan.decide({ gate: gates[0]?.gate ?? '', decision: 'approve', by: 'whoever' });
  const done = await plan.settled();
  expect(done.tasks['1']?.decisions[0]).toMatchObject({ by: 'whoever' });
  expect(done.tasks['1']?.decisions[0]).not.toHaveProperty('auth');
});

it.each(['yes', 'force'])('T27 --%s decides nothing where decisions have to be signed, and says why', async (flag) => {
  const { plan } = await waiting();
  await plan.handle.executeUpdate('cancel', { args: [{ by: 'tester' }] });
  await plan.settled();
  // What the policy's snapshot says with approvers: store/policy.ts.
  plan.world.script.policy = { ...plan.world.script.policy, flags: ['allow-dirty'] };
  const { runs } = await plan.run({ resume: true, [flag]: true });
  expect(runs.at(-1)).toMatchObject({ status: 'refused', reason: expect.stringMatching(/a flag signs nothing/) });
  expect(plan.world.disk.size).toBe(0);
});

it('T27 a quorum counts proven people, each vote once: one sent again, or changed, is none of another person', async () => {
  const plan = await start();
  plan.world.script.graph = { nodes: [node('1')] };
  plan.world.script.policy = { ...plan.world.script.policy, approvers: keys(ana, ben) };
  setRules(plan, { rules: [ruled('two', { approvals: 2 })] });
  await plan.plan();
  await plan.apply();
  const { gates } = await plan.until((view) => view.gates.length === 1);
  const at = { plan, gate: gates[0]?.gate ?? '', digest: gates[0]?.digest ?? '' };
  const vote = good(at);
  expect(await plan.decide(vote)).toMatchObject({ pending: { approvals: 1, needed: 2 } });
  for (const again of [vote, { ...vote, by: 'ben' }, { ...vote, by: 'Ana' }, { ...claimed(vote), by: 'ben' }]) {
    await expect(plan.decide(again)).rejects.toMatchObject({ cause: { type: 'NotAllowed' } });
  }
  // Anew by the same person is the same vote.
  expect(await plan.decide(good(at))).toMatchObject({ pending: { approvals: 1 } });
  expect(plan.world.disk.size).toBe(0);
  await plan.decide(signedDecision(ben, { plan: plan.id, gate: at.gate, digest: at.digest, decision: 'approve' }));
  const done = await plan.settled();
  expect(done.tasks['1']?.decisions).toMatchObject([
    { by: 'ana', auth: 'signed' },
    { by: 'ben', auth: 'signed' },
  ]);
  const voted = (await factsOf(plan)).filter(({ event }) => event === 'decision.voted');
  expect(voted.map(({ actor }) => [actor.id, actor.auth])).toEqual([['ana', 'signed']]);
});
