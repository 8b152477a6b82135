/** T29: an approval is for the gate of one plan, and for the bytes that were shown. */
import { usePlans } from '../workflows/fake-world';

const start = usePlans();

it('T29 an approval of plan A sent to plan B is refused, and neither plan moves', async () => {
  const [a, b] = [await start(), await start()];
  for (const plan of [a, b]) {
    await plan.plan();
    await plan.apply();
  }
  const own = await a.until(({ gates }) => gates.length > 0);
  const other = await b.until(({ gates }) => gates.length > 0);
  const gate = own.gates[0]?.gate ?? '';
  expect(other.gates.map((open) => open.gate)).not.toContain(gate);
  await expect(b.decide({ gate, decision: 'approve' })).rejects.toMatchObject({ cause: { type: 'UnknownGate' } });
  expect(a.world.disk.size + b.world.disk.size).toBe(0);
  expect((await a.view()).gates[0]?.outcome).toBeNull();
});

it('T29 ids of gates cannot be guessed from the plan', async () => {
  const plan = await start();
  await plan.plan();
  await plan.apply();
  const { gates } = await plan.until((view) => view.gates.length === 2);
  for (const { gate } of gates) expect(gate).toMatch(/^gate-[0-9a-f]{16}$/);
  await expect(plan.decide({ gate: 'gate-1', decision: 'approve' })).rejects.toMatchObject({
    cause: { type: 'UnknownGate' },
  });
});
