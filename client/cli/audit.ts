/** What the commands about audit logs have in common. */
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from '../../plan/errors';
import type { AuditDesk } from '../audit/desk';
import type { PlanClient } from '../types';
import { type OptionSpec, type Raw, text } from './command';
import type { Context } from './context';
import { safe } from './show/style';

export const PLAN_ARG = { name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' };

export const HISTORY_OPTION: OptionSpec = {
  flags: '--history <files>',
  about: 'exported event histories, separated by commas, instead of those that the workspace keeps',
};

export function desk({ io, globals, layout }: Context): Promise<AuditDesk> {
  const { address, namespace, profile } = globals;
  return io.rooms.audit({ layout: layout(), env: io.env, flags: { address, namespace, profile } });
}

/** A log outlives its plan: one that was deleted, and that nobody knows any more, is found by its log's folder. */
export async function planOfLog(context: Context, client: PlanClient, reference: string | undefined): Promise<string> {
  try {
    return await client.resolve(reference);
  } catch (error) {
    if (!(error instanceof UsageError) || reference === undefined) throw error;
    const found = foldersOf(context.layout().audit).filter(
      (id) => id.startsWith(reference) || id.startsWith(`plan-${reference}`),
    );
    if (found.length === 1 && found[0]) return found[0];
    throw error;
  }
}

function foldersOf(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^plan-[0-9a-f]{8}$/.test(name));
  } catch {
    return [];
  }
}

/** Absolute paths of `--history`. */
export function historyFiles(raw: Raw): string[] {
  const given = text(raw, 'history');
  const files = given?.split(',').filter((file) => file.trim() !== '') ?? [];
  if (given !== undefined && files.length === 0) throw new UsageError('--history was given no file.');
  return files;
}

export const absolute = (context: Context, files: readonly string[]): string[] =>
  files.map((file) => resolve(context.io.cwd, file));

/** A time as ISO 8601 writes it, or a duration before now, in milliseconds since the epoch. @throws UsageError */
export function moment(raw: Raw, name: string, now: number): number | undefined {
  const given = text(raw, name);
  if (given === undefined) return undefined;
  const [, count, unit] = /^(\d+)([smhd])$/.exec(given) ?? [];
  const ago = Number(count) * ({ s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit ?? ''] ?? Number.NaN);
  const time = Number.isNaN(ago) && /^\d{4}-\d\d-\d\d/.test(given) ? Date.parse(given) : now - ago;
  if (!Number.isNaN(time)) return time;
  throw new UsageError(
    `--${name} takes a time; this is "${safe(given)}".`,
    `For example: --${name} 2026-11-21T10:00:00Z, or --${name} 2h for two hours ago`,
  );
}
