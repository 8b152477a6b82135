/** A plan whose view is too large for one answer in plain JSON, read with Temporal's own command line. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PlanView } from '../../plan/view';
import { Installation, useInstallation } from './installation';

const TASKS = 1_600;
const ids = Array.from({ length: TASKS }, (_, at) => `task-${at}`);

const installation = useInstallation(() => new Installation({}, null));

/** Temporal's command line prints empty lists as null. */
const printed = (value: object): object =>
  JSON.parse(JSON.stringify(value, (_, one) => (Array.isArray(one) && one.length === 0 ? null : one)));

async function queried(plan: string, question: object): Promise<PlanView> {
  const { address, namespace } = await installation().server();
  const where = ['--address', address, '--namespace', namespace];
  const args = ['workflow', 'query', '-w', plan, '--type', 'plan', '--output', 'json'];
  const { stdout } = await promisify(execFile)(
    installation().temporalBinary,
    [...args, '--input', JSON.stringify(question), ...where],
    { timeout: 60_000, maxBuffer: 16 * 1024 * 1024 },
  );
  return (JSON.parse(stdout) as { queryResult: PlanView[] }).queryResult[0] as PlanView;
}

it('a plan of 1,600 tasks is read page by page by whoever asks its workflow, and whole by our own commands', async () => {
  const { workspace } = installation();
  mkdirSync(join(workspace, '.planwright'));
  writeFileSync(join(workspace, '.planwright', 'policy.yaml'), `version: 1\nmaxTasks: ${TASKS}\n`);
  const nodes = ids.map((id, at) => ({
    id,
    tool: 'github-actions',
    description: `Write a workflow that ${'checks one more thing and '.repeat(12)}ends`,
    input: { file: `.github/workflows/${id}.yml` },
    deps: at < 40 ? [] : [`task-${at - 40}`],
  }));
  writeFileSync(join(workspace, 'graph.json'), JSON.stringify({ nodes }));
  await installation().ok(['plan', '--graph', 'graph.json', 'a large plan']);
  const whole = await installation().view();
  expect(Object.keys(whole.tasks)).toEqual(ids);
  expect(Buffer.byteLength(JSON.stringify(whole))).toBeGreaterThan(1024 * 1024);

  const pages: PlanView[] = [];
  for (let from: number | null = 0; from !== null; from = pages.at(-1)?.page?.next ?? null) {
    pages.push(await queried(whole.id, pages.length === 0 ? {} : { from }));
  }
  expect(pages.length).toBeGreaterThan(1);
  expect(Object.assign({}, ...pages.map(({ tasks }) => tasks))).toEqual(printed(whole.tasks));
  expect(pages.flatMap(({ graph }) => graph.nodes)).toEqual(printed(whole.graph.nodes));
  expect(pages[0]).toMatchObject({ schema: whole.schema, id: whole.id, status: 'ready', page: { from: 0, of: TASKS } });
  const two = await queried(whole.id, { from: 1_598, count: 5 });
  expect(Object.keys(two.tasks)).toEqual(['task-1598', 'task-1599']);
  expect(two.page).toEqual({ from: 1_598, count: 2, of: TASKS, next: null });
}, 240_000);
