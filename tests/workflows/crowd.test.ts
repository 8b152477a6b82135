/** Many gates and many people at once: one outcome for each gate, and everybody is told the truth. */
import type { DecideAnswer, GateView } from '../../plan/view';
import { randomFrom } from '../support/random';
import { node, usePlans } from './fake-world';
import { facts, named, productClient, ruled, setRules } from './rule-world';

const start = usePlans();

/** In an order that the seed alone decides. */
function shuffled<T>(list: readonly T[], seed: number): T[] {
  const random = randomFrom(seed);
  const keyed = list.map((item) => ({ item, key: random.next() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

it('thirty gates at once, decided in random order by four clients: each is decided once, and what is approved is written', async () => {
  const plan = await start();
  const ids = Array.from({ length: 30 }, (_, index) => `t${index}`);
  plan.world.script.graph = { nodes: ids.map((id) => node(id)) };
  setRules(plan, { rules: [ruled('half', { paths: ids.slice(0, 15).map((id) => `${id}.txt`), approvals: 2 })] });
  await plan.plan();
  await plan.apply();
  const { gates } = await plan.until((view) => view.gates.length === 30);
  const people = ['ana', 'ben', 'cem', 'dan'];
  const answered: { by: string; gate: GateView; answer: DecideAnswer | Error }[] = [];
  await Promise.all(
    people.map(async (by, at) => {
      const client = productClient(plan);
      for (const gate of shuffled(gates, at + 1)) {
        // Two of three say yes, and which gates they refuse differs from person to person.
        const decision = (Number(gate.task?.slice(1)) + at) % 3 === 0 ? 'reject' : 'approve';
        const { digest } = gate;
        const answer = await client
          .decide(plan.id, { gate: gate.gate, decision, by, digest: digest ?? '' })
          .catch((error: Error) => error);
        answered.push({ by, gate, answer });
      }
    }),
  );
  const done = await plan.settled();
  expect(done.status).toBe('completed');
  for (const { gate, path, task, approvals } of gates) {
    const decisions = done.tasks[task ?? '']?.decisions.filter((one) => one.gate === gate) ?? [];
    const rejected = decisions.some(({ decision }) => decision === 'reject');
    if (!rejected) expect(new Set(decisions.map(({ by }) => by)).size).toBe(approvals);
    expect(plan.world.disk.has(path ?? '')).toBe(!rejected);
    for (const { by, answer } of answered.filter((one) => one.gate.gate === gate)) {
      const own = decisions.find((one) => one.by === by);
      if (answer instanceof Error) expect(answer.message).toMatch(/already decided: (approve|reject) by /);
      else expect(own).toMatchObject({ decision: answer.decision, at: answer.at });
    }
  }
  const all = await facts(plan);
  expect(named(all, 'gate.decided')).toHaveLength(30);
}, 180_000);

it('two people at the same instant, 200 times: one winner each time, and both are told who it was', async () => {
  const plan = await start();
  const ids = Array.from({ length: 200 }, (_, index) => `t${index}`);
  plan.world.script.graph = { nodes: ids.map((id) => node(id)) };
  await plan.plan();
  await plan.apply();
  const { gates } = await plan.until((view) => view.gates.length === 200, 150_000);
  const [ana, ben] = [productClient(plan), productClient(plan)];
  const wins = { ana: 0, ben: 0 };
  for (const [round, { gate, path }] of gates.entries()) {
    const asks = [
      () => ana.decide(plan.id, { gate, decision: 'approve', by: 'ana' }),
      () => ben.decide(plan.id, { gate, decision: 'reject', by: 'ben' }),
    ];
    if (round % 2 === 1) asks.reverse();
    const answers = await Promise.allSettled(asks.map((ask) => ask()));
    const won = answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const lost = answers.flatMap((one) => (one.status === 'rejected' ? [String(one.reason.message)] : []));
    expect([won.length, lost.length]).toEqual([1, 1]);
    const { by, decision, at } = won[0] ?? { by: '', decision: '', at: '' };
    expect(lost[0]).toContain(`Gate ${gate} was already decided: ${decision} by ${by} at ${at}`);
    wins[by as 'ana' | 'ben'] += 1;
    if (decision === 'reject') expect(plan.world.disk.has(path ?? '')).toBe(false);
  }
  const done = await plan.settled();
  expect(wins.ana + wins.ben).toBe(200);
  expect(plan.world.disk.size).toBe(wins.ana);
  expect(Object.values(done.tasks).filter(({ status }) => status === 'declined')).toHaveLength(wins.ben);
  expect(named(await facts(plan), 'gate.decided')).toHaveLength(200);
}, 300_000);
