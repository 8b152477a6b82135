import { z } from 'zod';
import { toolNamed } from '../../../store/verifier-tools';
import { WORKFLOW_PATH } from '../actionlint';
import { dockerfileVerifier } from '../dockerfile';
import { shellVerifier } from '../shell';
import { number, parseOutput, place, unreadable, withoutPragmas } from './read';
import type { ExternalTool } from './types';

/** What each level of a tool is here: only what surely breaks fails a file; matters of style and of taste are warnings. */
const LEVELS: Readonly<Record<string, 'error' | 'warning' | 'info'>> = {
  error: 'error',
  warning: 'warning',
  info: 'info',
  style: 'info',
  notice: 'info',
};

const hadolintSchema = z.array(
  z.object({ code: z.string(), level: z.string(), message: z.string(), line: number, column: number }),
);

export const hadolint: ExternalTool = {
  ...toolNamed('hadolint'),
  versionArgs: ['--version'],
  applies: (path, text) => dockerfileVerifier.applies(path, text),
  job: ({ text }) => ({
    args: ['--format', 'json', '--no-fail', '--disable-ignore-pragma', '--config', '{stage}/none.yaml', '-'],
    stdin: text,
    files: { 'none.yaml': '{}\n' },
  }),
  read(result) {
    const found = parseOutput(result.stdout, hadolintSchema);
    if (!found) return unreadable(result);
    return {
      findings: found.map((one) => ({
        rule: one.code,
        severity: LEVELS[one.level] ?? 'warning',
        message: one.message,
        ...place(one.line, one.column),
      })),
    };
  },
};

const shellcheckSchema = z.object({
  comments: z.array(
    z.object({ code: z.number(), level: z.string(), message: z.string(), line: number, column: number }),
  ),
});

export const shellcheck: ExternalTool = {
  ...toolNamed('shellcheck'),
  versionArgs: ['--version'],
  applies: (path, text) => shellVerifier.applies(path, text),
  job: ({ text }) => ({
    args: ['--norc', '--format', 'json1', ...(text.startsWith('#!') ? [] : ['--shell', 'bash']), '-'],
    stdin: withoutPragmas(text),
  }),
  read(result) {
    const found = parseOutput(result.stdout, shellcheckSchema);
    if (!found) return unreadable(result);
    // Files that are sourced are not in the stage.
    const kept = found.comments.filter(({ code }) => code !== 1090 && code !== 1091);
    return {
      findings: kept.map((one) => ({
        rule: `SC${one.code}`,
        severity: LEVELS[one.level] ?? 'warning',
        message: one.message,
        ...place(one.line, one.column),
      })),
    };
  },
};

const actionlintSchema = z.array(z.object({ kind: z.string(), message: z.string(), line: number, column: number }));

/** Of other versions than the embedded one; newer names that one of the two does not know are no reason to fail twice. */
export const actionlintProgram: ExternalTool = {
  ...toolNamed('actionlint-program'),
  versionArgs: ['--version'],
  applies: (path) => WORKFLOW_PATH.test(path),
  job: ({ text }) => ({
    args: [
      '-format',
      '{{json .}}',
      '-shellcheck=',
      '-pyflakes=',
      '-config-file',
      '{stage}/none.yaml',
      '-stdin-filename',
      'workflow.yml',
      '-',
    ],
    stdin: text,
    files: { 'none.yaml': '{}\n' },
  }),
  read(result) {
    const found = parseOutput(result.stdout, actionlintSchema);
    if (!found) return unreadable(result);
    return {
      findings: found.map((one) => ({
        rule: one.kind,
        severity:
          one.kind === 'runner-label' || one.kind === 'action' || one.kind === 'permissions' ? 'warning' : 'error',
        message: one.message,
        ...place(one.line, one.column),
      })),
    };
  },
};

const zizmorSchema = z.array(
  z.object({
    ident: z.string(),
    desc: z.string(),
    determinations: z.object({ severity: z.string() }),
    locations: z.array(
      z.object({
        concrete: z.object({ location: z.object({ start_point: z.object({ row: z.number(), column: z.number() }) }) }),
      }),
    ),
  }),
);

/** Its findings are advice on security, which raises nothing by itself: all are warnings. */
export const zizmor: ExternalTool = {
  ...toolNamed('zizmor'),
  versionArgs: ['--version'],
  applies: (path) => WORKFLOW_PATH.test(path) || /(?:^|\/)action\.ya?ml$/i.test(path),
  job: ({ path, text }) => {
    const name = WORKFLOW_PATH.test(path) ? '.github/workflows/workflow.yml' : 'action.yml';
    return {
      args: ['--offline', '--no-config', '--no-exit-codes', '--format', 'json', '--quiet', name],
      files: { [name]: withoutPragmas(text) },
    };
  },
  read(result) {
    const found = parseOutput(result.stdout, zizmorSchema);
    if (!found) return unreadable(result);
    return {
      findings: found.map((one) => {
        const start = one.locations[0]?.concrete.location.start_point;
        const severity = /high|medium/i.test(one.determinations.severity) ? 'warning' : 'info';
        return {
          rule: one.ident,
          severity,
          message: one.desc,
          ...(start ? place(start.row + 1, start.column + 1) : {}),
        };
      }),
    };
  },
};

const gitleaksSchema = z.array(z.object({ RuleID: z.string(), Description: z.string(), StartLine: number }));

export const gitleaks: ExternalTool = {
  ...toolNamed('gitleaks'),
  versionArgs: ['version'],
  applies: () => true,
  job: ({ text }) => ({
    args: [
      'stdin',
      '--no-banner',
      '--redact',
      '--exit-code',
      '0',
      '--ignore-gitleaks-allow',
      '--log-level',
      'error',
      '--report-format',
      'json',
      '--report-path',
      '-',
    ],
    stdin: text,
  }),
  read(result) {
    const found = parseOutput(result.stdout, gitleaksSchema.nullable());
    if (found === null && result.stdout.trim() !== 'null') return unreadable(result);
    return {
      findings: (found ?? []).map((one) => ({
        rule: one.RuleID,
        // Entropy alone is a guess; our own table of secrets decides there.
        severity: one.RuleID.startsWith('generic') ? 'warning' : 'error',
        message: `${one.Description.split('.')[0]}; take it from a variable or a secret store instead.`,
        ...place(one.StartLine),
      })),
    };
  },
};
