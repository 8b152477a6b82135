/** What the projection reads out of a history: payloads are outside, whoever wrote them. Unknown members are left alone. */
import { z } from 'zod';
import { AUDIT_EVENTS } from '../plan/facts';

export const actorShape = z.strictObject({
  kind: z.enum(['user', 'worker', 'workflow', 'temporal']),
  id: z.string(),
  auth: z.enum(['claimed', 'signed', 'process']),
});

export const factsShape = z.array(
  z.strictObject({ event: z.enum(AUDIT_EVENTS), actor: actorShape, data: z.record(z.string(), z.json()) }),
);

const settings = z.object({
  provider: z.string(),
  model: z.string(),
  planner: z.string().optional(),
  temperature: z.number(),
});

export const inputShape = z.object({
  plan: z.object({
    id: z.string(),
    name: z.string(),
    goal: z.string(),
    workspace: z.string(),
    by: z.string(),
    settings,
    planwrightVersion: z.string(),
    graph: z.unknown().optional(),
  }),
  lost: z.unknown().optional(),
});

/** What a generation and a decomposition are asked with; the latter has an `attempt` and no task. */
export const questionShape = z.object({
  task: z.object({ id: z.string() }).optional(),
  generation: z.number().optional(),
  attempt: z.number().optional(),
  settings,
});

const traceShape = z.object({
  prompt: z.string(),
  startedAt: z.string().nullable(),
  outcome: z.enum(['answered', 'refused', 'failed', 'unknown']),
  failure: z.string().nullable(),
  seed: z.number().nullable(),
  temperature: z.number().nullable(),
  modelReturned: z.string().nullable(),
  output: z.string().nullable(),
  finishReason: z.string().nullable(),
  responseId: z.string().nullable(),
  promptTokens: z.number(),
  completionTokens: z.number(),
  estimated: z.boolean().optional(),
  fromRecord: z.boolean(),
  provider: z.string().optional(),
  model: z.string().optional(),
});

/** An answer, or the detail of a failure, that tells of calls; a failure may come from elsewhere and tell of none. */
export const callsShape = z.object({ calls: z.array(traceShape) });

export const aboutTaskShape = z.object({ task: z.string() });

const verifiedShape = z.object({
  verdict: z.enum(['passed', 'failed', 'inconclusive', 'skipped']),
  verification: z.array(
    z.object({
      verifier: z.string(),
      version: z.string(),
      path: z.string(),
      verdict: z.string(),
      findings: z.array(z.object({ severity: z.string() })),
    }),
  ),
  stale: z.array(z.string()),
});

const writtenShape = z.object({
  files: z.array(
    z.object({
      path: z.string(),
      action: z.enum(['create', 'modify', 'unchanged']),
      sha256: z.string(),
      bytes: z.number(),
      preSha256: z.string().nullable(),
      mode: z.string(),
      backup: z.string().nullable(),
    }),
  ),
});

/** The three activities that verify, write, or do both. */
export const verifyAnswer = verifiedShape;
export const writeAnswer = writtenShape;
export const bothAnswer = z.object({ verified: verifiedShape, written: writtenShape.nullable() });

export const makeRequest = z.object({ generate: z.looseObject({ task: z.looseObject({ id: z.string() }) }) });
export const makeAnswer = z.object({ generated: z.unknown(), done: z.unknown().nullable() });

export const undoRequest = z.object({
  kind: z.string(),
  files: z.array(
    z.object({
      path: z.string(),
      steps: z.array(z.object({ task: z.string(), sha256: z.string(), preSha256: z.string().nullable() })),
    }),
  ),
});

export const undoAnswer = z.object({
  files: z.array(
    z.object({
      path: z.string(),
      outcome: z.enum(['deleted', 'restored', 'gone', 'original', 'changed', 'refused', 'failed']),
      undone: z.number(),
      reason: z.string().nullable(),
      kept: z.string().nullable(),
    }),
  ),
});

export const exportAnswer = z.object({
  execution: z.string(),
  object: z.string(),
  bytes: z.number(),
  events: z.number(),
});
