import { basename } from 'node:path';
import { z } from 'zod';
import type { Finding } from '../../../plan/types';
import { toolNamed } from '../../../store/verifier-tools';
import { ansibleVerifier } from '../ansible';
import { nginxVerifier } from '../nginx';
import { prometheusVerifier } from '../prometheus';
import { systemdVerifier } from '../systemd';
import type { VerifyContext } from '../types';
import { number, parseOutput, place, unreadable, withoutPragmas } from './read';
import type { ExternalTool } from './types';

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** The HCL files of a file's folder under names of ours; their own are kept where those are plain. */
function moduleFiles(path: string, text: string, context: VerifyContext): Record<string, string> {
  const files: Record<string, string> = { [stagedName(path)]: text };
  for (const [other, content] of context.siblings) {
    if (other !== path && /\.tf$/.test(other) && folderOf(other) === folderOf(path))
      files[stagedName(other)] ??= content;
  }
  return files;
}

/** A file `-o x.tf` or `$(id).tf` must not be an argument or a surprise (T21). */
function stagedName(path: string): string {
  const name = basename(path);
  return /^[A-Za-z0-9][\w.-]{0,80}$/.test(name) ? name : 'file.tf';
}

const diagnosticsSchema = z.object({
  valid: z.boolean(),
  diagnostics: z.array(
    z.object({
      severity: z.string(),
      summary: z.string(),
      detail: z.string().optional(),
      range: z.object({ filename: z.string(), start: z.object({ line: z.number(), column: z.number() }) }).optional(),
    }),
  ),
});

/** What says only that providers or modules were not installed; `init` would download and run them, so it is never run. */
const NOT_INSTALLED =
  /Missing required provider|Module not installed|Inconsistent dependency lock file|Could not load plugin|Provider requirements|Required plugins are not installed|Backend initialization required|Failed to install provider/i;

export const terraform: ExternalTool = {
  ...toolNamed('terraform'),
  versionArgs: ['version'],
  applies: (path) => /\.tf$/i.test(path),
  job: ({ path, text }, context) => ({
    args: ['validate', '-json', '-no-color'],
    files: { ...moduleFiles(path, text, context), 'none.tfrc': '' },
    env: { CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1', TF_INPUT: '0', TF_CLI_CONFIG_FILE: 'none.tfrc' },
  }),
  read(result, { path }) {
    const answer = parseOutput(result.stdout, diagnosticsSchema);
    if (!answer) return unreadable(result);
    const missing = answer.diagnostics.find(({ summary, detail }) => NOT_INSTALLED.test(`${summary} ${detail ?? ''}`));
    const mine = answer.diagnostics.filter(
      (one) =>
        !NOT_INSTALLED.test(`${one.summary} ${one.detail ?? ''}`) &&
        (one.range === undefined || one.range.filename === stagedName(path)),
    );
    const findings = mine.map(
      ({ severity, summary, detail, range }): Finding => ({
        rule: 'validate',
        severity: severity === 'error' ? 'error' : 'warning',
        // A detail may quote what `file()` read on this machine.
        message: /\bfile|decode|while calling|function call/i.test(`${summary} ${detail ?? ''}`)
          ? `${summary}.`
          : `${summary}: ${(detail ?? '').split('\n')[0]}`,
        ...(range ? place(range.start.line, range.start.column) : {}),
      }),
    );
    return missing
      ? {
          findings,
          inconclusive: `providers and modules are not installed (${missing.summary}), so terraform looked at syntax only`,
        }
      : { findings };
  },
};

const tflintSchema = z.object({
  issues: z.array(
    z.object({
      rule: z.object({ name: z.string(), severity: z.string() }),
      message: z.string(),
      range: z.object({ filename: z.string(), start: z.object({ line: z.number(), column: z.number() }) }),
    }),
  ),
  errors: z.array(z.object({ message: z.string(), severity: z.string().optional() })).optional(),
});

export const tflint: ExternalTool = {
  ...toolNamed('tflint'),
  versionArgs: ['--version'],
  applies: (path) => /\.tf$/i.test(path),
  job: ({ path, text }, context) => {
    const files = Object.fromEntries(
      Object.entries(moduleFiles(path, text, context)).map(([name, content]) => [name, withoutPragmas(content)]),
    );
    return { args: ['--format', 'json', '--config', 'none.hcl'], files: { ...files, 'none.hcl': '' } };
  },
  read(result, { path }) {
    const answer = parseOutput(result.stdout, tflintSchema);
    if (!answer) return unreadable(result);
    const findings = answer.issues
      .filter(({ range }) => range.filename === stagedName(path))
      .map(
        (one): Finding => ({
          rule: one.rule.name,
          severity: one.rule.severity === 'error' ? 'error' : 'warning',
          message: one.message,
          ...place(one.range.start.line, one.range.start.column),
        }),
      );
    const [fault] = answer.errors ?? [];
    return fault ? { findings, inconclusive: fault.message } : { findings };
  },
};

export const promtool: ExternalTool = {
  ...toolNamed('promtool'),
  versionArgs: ['--version'],
  applies: (path, text) => prometheusVerifier.applies(path, text) && !/^route:/m.test(text),
  job: ({ text }) => {
    const isRules = /^groups:/m.test(text);
    // Paths of certificates and rules in the configuration are not in the stage.
    return {
      args: ['check', ...(isRules ? ['rules'] : ['config', '--syntax-only']), 'file.yml'],
      files: { 'file.yml': text },
    };
  },
  read(result) {
    if (result.code === 0) return { findings: [] };
    const said = `${result.stderr}\n${result.stdout}`;
    if (!/FAILED/.test(said)) return unreadable(result);
    const lines = said.split('\n').map((line) => line.trim());
    const findings = lines
      .slice(lines.findIndex((line) => line.includes('FAILED')))
      .filter((line) => line !== '' && !/^Checking|^FAILED:?$|^file\.yml$/.test(line))
      .slice(0, 20)
      .map(
        (line): Finding => ({
          rule: 'check',
          severity: 'error',
          message: line.replace(/^FAILED:\s*/, ''),
          ...place(Number(/(?:^|\s)(?:line\s+)?(\d+):\d+:/.exec(line)?.[1] ?? /line (\d+)/.exec(line)?.[1] ?? 0)),
        }),
      );
    return findings.length > 0 ? { findings } : unreadable(result);
  },
};

/** What depends on this machine: programs, users and units that are elsewhere. */
const HOST =
  /not executable|No such file|Failed to (?:load|prepare|create|add|connect)|not found|Unit .* (?:has a bad|is masked)|man page|Operation not permitted|Permission denied|world-|executable|Two services allocated|Unknown user|Attempted to remove|cgroup/i;

export const systemdAnalyze: ExternalTool = {
  ...toolNamed('systemd-analyze'),
  versionArgs: ['--version'],
  applies: (path, text) => systemdVerifier.applies(path, text) && /\.(?:service|socket|timer|path)$/.test(path),
  job: ({ path, text }) => {
    const name = `unit${/@/.test(basename(path)) ? '@x' : ''}${/\.\w+$/.exec(path)?.[0] ?? '.service'}`;
    // A timer, socket or path starts the service of its own name.
    const partner: Record<string, string> = name.endsWith('.service')
      ? {}
      : { 'unit.service': '[Service]\nExecStart=/bin/true\n' };
    return {
      args: ['verify', '--man=no', '--recursive-errors=no', `./${name}`],
      files: { [name]: text, ...partner },
      env: {
        SYSTEMD_UNIT_PATH: '.:/lib/systemd/system:/usr/lib/systemd/system',
        SYSTEMD_LOG_COLOR: '0',
        SYSTEMD_LOG_TARGET: 'console',
      },
    };
  },
  read(result) {
    if (result.code === null) return unreadable(result);
    const findings = result.stderr.split('\n').flatMap((line): Finding[] => {
      const match = /^(?:\.?\/?\S*?unit[@\w]*\.\w+)(?::(\d+))?: (.*)$/.exec(line.trim());
      if (!match) return [];
      const message = match[2] ?? '';
      const wrong =
        /Unknown (?:key|section|lvalue)|Invalid|Failed to parse|not absolute|is not a valid|Missing|lacks|has no|Bad|Neither|Unbalanced|unterminated/i.test(
          message,
        );
      return [
        {
          rule: 'verify',
          severity: wrong && !HOST.test(message) ? 'error' : 'info',
          message,
          ...place(Number(match[1] ?? 0)),
        },
      ];
    });
    if (result.code !== 0 && findings.length === 0) return unreadable(result);
    return { findings };
  },
};

export const nginxTest: ExternalTool = {
  ...toolNamed('nginx-t'),
  versionArgs: ['-v'],
  applies: (path, text) => nginxVerifier.applies(path, text) && /^[ \t]*(?:http|events)[ \t]*\{/m.test(text),
  job: ({ text }) => {
    if (/^[ \t]*(?:include|load_module)[ \t]+(?!mime\.types)/m.test(text))
      return { reason: 'it would read other files' };
    return {
      args: ['-t', '-q', '-p', '{stage}', '-e', 'stderr', '-c', '{stage}/nginx.conf'],
      files: { 'nginx.conf': text, 'mime.types': 'types { text/html html; }\n', 'logs/x': '' },
    };
  },
  read(result) {
    if (result.code === 0) return { findings: [] };
    const findings = result.stderr.split('\n').flatMap((line): Finding[] => {
      const match =
        /\[emerg\][^:]*: (.*?)(?: in [^\s:]+:(\d+))?$/.exec(line.trim()) ??
        /\[emerg\] (.*?)(?: in [^\s:]+:(\d+))?$/.exec(line.trim());
      if (!match) return [];
      const host = /host not found|cannot load certificate|open\(\) |mkdir\(\)|bind\(\)|getpwnam|permitted/.test(
        match[1] ?? '',
      );
      return [
        {
          rule: 'nginx-t',
          severity: host ? 'info' : 'error',
          message: match[1] ?? '',
          ...place(Number(match[2] ?? 0)),
        },
      ];
    });
    // What this machine lacks stopped nginx before it had read all.
    if (findings.some(({ severity }) => severity === 'error')) return { findings };
    if (findings.length === 0) return unreadable(result);
    return { findings, inconclusive: `nginx stopped at what only its own machine has: ${findings[0]?.message ?? ''}` };
  },
};

const ansibleLintSchema = z.array(
  z.object({
    check_name: z.string(),
    severity: z.string(),
    description: z.string(),
    location: z
      .object({ lines: z.object({ begin: z.union([z.number(), z.object({ line: number })]) }).optional() })
      .optional(),
  }),
);

/** It loads plugins of the project, so it gets the one file and nothing beside it. */
export const ansibleLint: ExternalTool = {
  ...toolNamed('ansible-lint'),
  versionArgs: ['--version'],
  applies: (path, text) => ansibleVerifier.applies(path, text),
  job: ({ text }) => ({
    args: ['--offline', '-q', '-f', 'codeclimate', '-c', 'none.yml', 'playbook.yml'],
    files: { 'playbook.yml': withoutPragmas(text), 'none.yml': '{}\n' },
    timeoutMs: 60_000,
  }),
  read(result) {
    const found = parseOutput(result.stdout, ansibleLintSchema);
    if (!found) return unreadable(result);
    return {
      findings: found.map((one): Finding => {
        const begin = one.location?.lines?.begin;
        const blocking = /^(?:syntax-check|parser-error|load-failure|schema)/.test(one.check_name);
        return {
          rule: one.check_name,
          severity: blocking ? 'error' : 'warning',
          message: one.description,
          ...place(typeof begin === 'number' ? begin : begin?.line),
        };
      }),
    };
  },
};
