import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { IntegrityError, UsageError } from '../plan/errors';
import type { LostPlan } from '../plan/lost';
import { parseTaskGraph } from '../plan/schema';
import type { TaskStatus } from '../plan/types';
import { PLAN_SCHEMA } from '../plan/view';
import { replaceFile } from './durable';
import type { WorkspaceLayout } from './layout';
import { planFilePath } from './plan-file';

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.string().max(40);
const count = z.number().int().nonnegative();
const risk = z.enum(['LOW', 'MEDIUM', 'HIGH']);
const usage = z.object({ promptTokens: count, completionTokens: count, calls: count });

const file = z
  .object({
    path: z.string().min(1).max(1024),
    action: z.enum(['create', 'modify', 'unchanged']),
    sha256: digest,
    bytes: count,
    preSha256: digest.nullable(),
    mode: z.string().regex(/^0[0-7]{3}$/),
    backup: z.string().nullable(),
    state: z.enum(['proposed', 'written', 'declined']),
    digest: z.string().max(64),
    diffStat: z.object({ added: count, removed: count }),
    risk,
  })
  // A rollback deletes backups: one with any other name would be somebody else's file.
  .refine(
    ({ path, backup }) =>
      backup === null || /^\.bak(\.\d{1,2})?$/.test(backup.startsWith(path) ? backup.slice(path.length) : ''),
    {
      message: 'a backup is named after its file',
      path: ['backup'],
    },
  );

const STATUSES = [
  ...(['pending', 'generating', 'verifying', 'awaiting_approval', 'writing'] as const),
  ...(['completed', 'failed', 'declined', 'skipped', 'cancelled'] as const),
] satisfies TaskStatus[];

const task = z.object({
  status: z.enum(STATUSES),
  reason: z.string().nullable(),
  attempts: count,
  startedAt: time.nullable(),
  completedAt: time.nullable(),
  files: z.array(file).max(1_000),
  usage,
  modelReturned: z.string().max(200).nullable(),
  output: z.record(z.string(), z.json()),
  error: z.object({ type: z.string(), message: z.string(), advice: z.string().optional() }).nullable(),
  raw: digest.nullable(),
  run: count.nullable(),
});

const run = z.object({
  number: count,
  kind: z.enum(['apply', 'dry-run', 'resume', 'retry', 'replay', 'task']),
  status: z.enum(['running', 'completed', 'partial', 'failed', 'cancelled', 'refused']),
  startedAt: time,
  finishedAt: time.nullable(),
  by: z.string(),
  yes: z.boolean(),
  tasks: z.array(z.string()),
  reason: z.string().nullable(),
});

const shape = z.object({
  schema: z.literal(PLAN_SCHEMA),
  id: z.string(),
  name: z.string().min(1).max(200),
  goal: z.string().min(1),
  createdAt: time,
  provider: z.string().min(1),
  model: z.string(),
  temperature: z.number(),
  context: z.object({ workspace: z.string() }),
  graph: z.unknown(),
  tasks: z.record(z.string(), task),
  runs: z.array(run),
  usage,
  raw: digest.nullable(),
});

/**
 * Reads a plan file as what is left of a plan that Temporal lost. Only the form is checked here; whether the files and
 * objects that it names are there is for the caller, and for the workflow, to see.
 *
 * @throws IntegrityError where the file is damaged, or is about another plan or workspace
 * @throws UsageError where the plan never got a graph, so there is nothing to take up
 */
export async function readLostPlan(layout: WorkspaceLayout, id: string): Promise<LostPlan> {
  const path = planFilePath(layout, id);
  const damaged = (why: string): IntegrityError =>
    new IntegrityError(
      `The plan file ${path} cannot be taken up: ${why}.`,
      'Make a new plan with `planwright plan "<goal>"`.',
    );
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw damaged(error instanceof Error ? error.message : String(error));
  }
  const parsed = shape.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw damaged(`${issue?.path.join('.')}: ${issue?.message}`);
  }
  const {
    context,
    graph,
    provider,
    model,
    temperature,
    name,
    goal,
    createdAt,
    tasks,
    runs,
    usage: used,
    raw,
  } = parsed.data;
  if (parsed.data.id !== id) throw damaged(`it is about ${parsed.data.id}`);
  if (context.workspace !== layout.id) throw damaged('it belongs to another workspace');
  if (Object.keys(tasks).length === 0) {
    throw new UsageError(
      `Plan ${id} was lost before it had any task.`,
      'Make it again with `planwright plan "<goal>"`.',
    );
  }
  const settings = { provider, model, temperature };
  return { name, goal, settings, createdAt, graph: graphOf(graph, damaged), tasks, runs, usage: used, raw };
}

function graphOf(graph: unknown, damaged: (why: string) => IntegrityError): LostPlan['graph'] {
  try {
    return parseTaskGraph(JSON.stringify(graph));
  } catch (error) {
    throw damaged(error instanceof Error ? error.message : String(error));
  }
}

/** Keeps a plan file as it was found; the workflow that takes the plan up writes a new one. @returns its path */
export async function keepPlanFile(layout: WorkspaceLayout, id: string, now: Date): Promise<string> {
  const path = planFilePath(layout, id);
  const kept = path.replace(/\.json$/, `.lost-${now.toISOString().replaceAll(/[:.]/g, '-')}.json`);
  await replaceFile(kept, await readFile(path));
  return kept;
}
