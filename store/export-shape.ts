/** The form of an exported plan. What comes from elsewhere is a claim: everything that can be wrong with it is refused here. */
import { z } from 'zod';
import type { CarriedPlan } from '../plan/export';
import { EXPORT_SCHEMA } from '../plan/export';
import { checkPath, isDenied } from '../plan/paths';
import { parseTaskGraph } from '../plan/schema';
import { MOST_FILE_BYTES } from './policy';

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const short = z.string().max(200);
const long = z.string().max(20_000);
const time = z.string().max(40);
const count = z.number().int().nonnegative();
const risk = z.enum(['LOW', 'MEDIUM', 'HIGH']);
const settings = z
  .strictObject({
    provider: z.string().min(1).max(60),
    model: short,
    temperature: z.number().min(0).max(2),
    planner: short.optional(),
    fallback: z.unknown().optional(),
  })
  // Who else may be asked is for whoever imports the plan to say.
  .transform(({ fallback: _, ...rest }) => rest);

const file = z.strictObject({
  path: z.string().superRefine((path, context) => {
    const fault = checkPath(path) ?? (isDenied(path) ? `The path ${JSON.stringify(path)} is never writable.` : null);
    if (fault) context.addIssue({ code: 'custom', message: fault });
  }),
  sha256: digest,
  bytes: count.max(MOST_FILE_BYTES),
  preSha256: digest.nullable(),
  mode: z.string().regex(/^0[0-7]{3}$/),
});

const skill = z.strictObject({
  toolType: z.enum(['built-in', 'custom']),
  toolVersion: short,
  toolHash: short,
  toolSource: z.string().max(1_000),
  systemPromptHash: short,
});

const artifact = z.strictObject({
  files: z.array(file).min(1).max(1_000),
  output: z.record(z.string(), z.json()),
  skill: skill.nullable(),
  modelReturned: short.nullable(),
  generation: count.min(1),
  seed: count,
  feedback: z.array(long).max(1_000),
  settings,
});

const revision = z.strictObject({ revision: count, instruction: long.min(1), by: short, at: time });

const task = z.strictObject({
  id: short.min(1),
  artifact: artifact.nullable(),
  revisions: z.array(revision).max(1_000),
});

const graph = z.unknown().transform((value, context): CarriedPlan['graph'] => {
  try {
    return parseTaskGraph(JSON.stringify(value ?? null), 'The graph');
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});

const plan = z
  .strictObject({
    id: z.string().regex(/^plan-[0-9a-f]{8}$/),
    name: short.min(1),
    goal: z
      .string()
      .min(1)
      .max(32 * 1024),
    settings,
    risk,
    riskReasons: z.array(z.strictObject({ rule: short, level: risk, where: z.string().max(2_000) })).max(1_000),
    madeWith: z.strictObject({
      planwrightVersion: short,
      policySnapshot: short,
      gitHead: short.nullable(),
      updatedAt: time,
    }),
    graph,
    tasks: z.array(task).max(10_000),
  })
  .refine(
    ({ graph: { nodes }, tasks }) =>
      JSON.stringify(tasks.map(({ id }) => id)) === JSON.stringify(nodes.map(({ id }) => id)),
    {
      message: 'are not those of the graph, in its order',
      path: ['tasks'],
    },
  );

/** First line of the file. */
export const exportHeader = z.strictObject({ schema: z.literal(EXPORT_SCHEMA), plan, objects: count });

/** Every other line: one object, its content in base64. */
export const exportObject = z.strictObject({ sha256: digest, content: z.base64() });
