import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { escapeForDisplay } from '../plan/display';
import { IntegrityError, UsageError } from '../plan/errors';
import { PLAN_SCHEMA, type PlanView } from '../plan/view';
import { replaceFile } from './durable';
import type { WorkspaceLayout } from './layout';
import { isPlanView } from './plan-shape';

export const PLAN_ID = /^plan-[0-9a-f]{8}$/;

export function planFilePath(layout: WorkspaceLayout, id: string): string {
  return join(layout.plans, `${id}.json`);
}

/** Writes a plan's file whole (a projection of the workflow's state; nothing is ever decided by it). */
export async function writePlanFile(layout: WorkspaceLayout, view: PlanView): Promise<void> {
  await replaceFile(planFilePath(layout, view.id), `${JSON.stringify(view, null, 2)}\n`);
}

/**
 * Reads a plan's file.
 * @returns null where there is none
 * @throws IntegrityError where it is damaged, or of a version that we do not know
 */
export async function readPlanFile(layout: WorkspaceLayout, id: string): Promise<PlanView | null> {
  const path = planFilePath(layout, id);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const value = parse(text);
  const schema = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined;
  if (typeof schema === 'string' && schema !== PLAN_SCHEMA) {
    throw new IntegrityError(
      `The plan file ${path} has schema "${escapeForDisplay(schema)}"; this planwright reads "${PLAN_SCHEMA}".`,
    );
  }
  if (!isPlanView(value)) {
    throw new IntegrityError(
      `The plan file ${path} is damaged.`,
      'It is only a copy: delete it, then run `planwright up`; the worker writes it anew.',
    );
  }
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Removes what is kept of a plan besides its objects: the plan file and the recorded calls; and it is no longer the
 * active one. What is gone already is as good.
 *
 * @param id a plan's id (checked: it becomes a path)
 */
export async function removePlanFiles(layout: WorkspaceLayout, id: string): Promise<void> {
  if (!PLAN_ID.test(id)) throw new UsageError(`"${id}" is no id of a plan.`);
  const active = await readFile(layout.active, 'utf8').catch(() => '');
  if (active.trim() === id) await rm(layout.active, { force: true });
  await rm(join(layout.calls, id), { recursive: true, force: true });
  await rm(planFilePath(layout, id), { force: true });
}

/** Ids of the plans that have a file, in no order. */
export async function planFileIds(layout: WorkspaceLayout): Promise<string[]> {
  const names = await readdir(layout.plans).catch(() => [] as string[]);
  return names.map((name) => name.replace(/\.json$/, '')).filter((id) => PLAN_ID.test(id));
}
