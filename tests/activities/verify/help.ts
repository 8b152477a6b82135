import { verifyFiles } from '../../../activities/verify';
import type { Finding, Verification } from '../../../plan/types';

/** Verifies one new file and gives the row of one verifier. */
export async function rowOf(
  verifier: string,
  path: string,
  content: string | Buffer,
  more: { preContent?: string; siblings?: Record<string, string>; listing?: string[] } = {},
): Promise<Verification> {
  const { preContent = null, ...rest } = more;
  const rows = await verifyFiles({ files: [{ path, content, preContent }], verifiers: [verifier], ...rest });
  const row = rows.find((one) => one.verifier === verifier);
  if (!row) throw new Error(`no row of ${verifier}`);
  return row;
}

export function rules(row: Verification, severity?: Finding['severity']): string[] {
  return row.findings
    .filter((finding) => severity === undefined || finding.severity === severity)
    .map((one) => one.rule);
}
