import { z } from 'zod';
import type { Finding } from '../../../plan/types';
import type { Outcome } from '../types';
import type { RunResult } from './types';

/** Parses JSON that a tool printed; null where it is not what was expected of it. */
export function parseOutput<T>(text: string, schema: z.ZodType<T>): T | null {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Of an answer that cannot be read. */
export function unreadable({ code, stderr, stdout }: RunResult): Outcome {
  const said = (stderr.trim() || stdout.trim()).slice(0, 200);
  return {
    findings: [],
    inconclusive: `it ended with code ${code} and said nothing that can be read${said === '' ? '' : `: ${said}`}`,
  };
}

/** Only 1-based numbers are places. */
export function place(
  line: number | null | undefined,
  column?: number | null,
): Partial<Pick<Finding, 'line' | 'column'>> {
  return line && line > 0 ? { line, ...(column && column > 0 ? { column } : {}) } : {};
}

/** Comments that tell a checker to look away, each in the words of its tool; made harmless, lines and columns stay. */
const PRAGMAS =
  /(#|\/\/|\/\*)([ \t]*)(shellcheck|hadolint|zizmor|tflint-ignore|noqa|checkov|kics-scan|tfsec|trivy|nosemgrep|yamllint|conftest|gitleaks)(?=[ \t:=])/g;

export function withoutPragmas(text: string): string {
  return text.replace(
    PRAGMAS,
    (_whole, start: string, space: string, name: string) => `${start}${space}${'x'.repeat(name.length)}`,
  );
}

export const number = z.number().nullish();
