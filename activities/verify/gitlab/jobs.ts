import type { Finding } from '../../../plan/types';
import { hint } from '../near';
import { dig, isRecord, list, text } from '../values';

const GLOBAL = new Set(
  'default include stages variables workflow image services before_script after_script cache pages spec types'.split(
    ' ',
  ),
);
const DEFAULT_STAGES = ['build', 'test', 'deploy'];

interface From {
  whole: boolean;
  references: { job: string; node: unknown }[];
  at(path: readonly (string | number)[]): object;
  place(node: unknown): object;
}

type Report = (
  rule: string,
  message: string,
  path: readonly (string | number)[],
  severity?: Finding['severity'],
) => void;

interface Pipeline {
  jobs: Map<string, Record<string, unknown>>;
  /** Other files add jobs and stages, so that what is missing here may be there. */
  open: boolean;
  stages: string[] | null;
  report: Report;
}

/** References between the jobs of a pipeline, and what GitLab refuses beyond its schema. */
export function jobFindings(value: unknown, from: From): Finding[] {
  const findings: Finding[] = [];
  if (!isRecord(value)) return findings;
  const report: Report = (rule, message, path, severity = 'error') =>
    void findings.push({ rule, severity, message, ...from.at(path) });
  const jobs = new Map<string, Record<string, unknown>>();
  for (const [name, job] of Object.entries(value)) {
    if (GLOBAL.has(name) && name !== 'pages') continue;
    if (isRecord(job)) jobs.set(name, job);
    else if (!name.startsWith('.') && name !== '$schema')
      report('job', `"${name.slice(0, 80)}" is neither a keyword nor a job.${hint(name, GLOBAL)}`, [name]);
  }
  const open = value.include !== undefined || !from.whole;
  const declared = value.stages ?? value.types;
  const stages = Array.isArray(declared) ? declared.map(String) : open ? null : DEFAULT_STAGES;
  const pipeline: Pipeline = { jobs, open, stages, report };
  const visible = [...jobs.keys()].filter((name) => !name.startsWith('.'));
  if (from.whole && !open && visible.length === 0) report('no-jobs', 'The pipeline has no job that runs.', []);
  if (Array.isArray(declared)) {
    declared.forEach((stage, index) => {
      if (declared.indexOf(stage) !== index)
        report('duplicate-stage', `The stage "${String(stage)}" stands twice.`, ['stages', index], 'warning');
    });
  }
  for (const [name, job] of jobs) one(pipeline, name, job);
  if (!open) cycles(pipeline);
  for (const { job, node } of from.references) {
    if (!open && !jobs.has(job) && !GLOBAL.has(job))
      findings.push({
        rule: 'unknown-reference',
        severity: 'error',
        message: `!reference names "${job.slice(0, 80)}", which is not here.${hint(job, jobs.keys())}`,
        ...from.place(node),
      });
  }
  return findings;
}

/** A key of a job or of what it extends; null where something that is not here may set it. */
function inherited(pipeline: Pipeline, job: Record<string, unknown>, key: string, depth = 0): unknown {
  if (job[key] !== undefined) return job[key];
  const parents = [job.extends].flat().filter((one): one is string => typeof one === 'string');
  for (const parent of parents.reverse()) {
    const found = pipeline.jobs.get(parent);
    if (!found || depth > 10) return null;
    const value = inherited(pipeline, found, key, depth + 1);
    if (value !== undefined) return value;
  }
  return undefined;
}

function stageOf(pipeline: Pipeline, job: Record<string, unknown>): string | null {
  const stage = inherited(pipeline, job, 'stage');
  return stage === null ? null : typeof stage === 'string' ? stage : 'test';
}

function one(pipeline: Pipeline, name: string, job: Record<string, unknown>): void {
  const { jobs, open, stages, report } = pipeline;
  for (const parent of [job.extends].flat()) {
    if (typeof parent === 'string' && !open && !jobs.has(parent))
      report(
        'unknown-extends',
        `Job "${name}" extends "${parent.slice(0, 80)}", which is not here.${hint(parent, jobs.keys())}`,
        [name, 'extends'],
      );
  }
  if (name.startsWith('.')) return;
  const stage = stageOf(pipeline, job);
  if (
    stage !== null &&
    stages &&
    stage !== '.pre' &&
    stage !== '.post' &&
    !stages.includes(stage) &&
    !/\$/.test(stage)
  ) {
    const severity = open && !job.stage ? 'warning' : 'error';
    report(
      'unknown-stage',
      `Job "${name}" is in the stage "${stage}", which \`stages:\` does not list.${hint(stage, stages)}`,
      job.stage ? [name, 'stage'] : [name],
      severity,
    );
  }
  const works = ['script', 'trigger', 'run', 'pages'].some((key) => inherited(pipeline, job, key) !== undefined);
  if (!works && !open) report('no-script', `Job "${name}" has neither \`script\` nor \`trigger\`.`, [name]);
  if (job.rules !== undefined && (job.only !== undefined || job.except !== undefined))
    report('rules-and-only', `Job "${name}" has both \`rules\` and \`only\` or \`except\`; GitLab takes one way.`, [
      name,
      'rules',
    ]);
  needs(pipeline, name, job);
  for (const dependency of list(job.dependencies)) {
    if (typeof dependency === 'string' && !open && !jobs.has(baseName(dependency)))
      report(
        'unknown-job',
        `Job "${name}" depends on "${dependency.slice(0, 80)}", which is not a job.${hint(dependency, jobs.keys())}`,
        [name, 'dependencies'],
      );
  }
  const stop = text(dig(job, 'environment', 'on_stop'));
  if (stop !== '' && !open && !jobs.has(stop))
    report(
      'unknown-job',
      `The environment of "${name}" is stopped by "${stop.slice(0, 80)}", which is not a job.${hint(stop, jobs.keys())}`,
      [name, 'environment'],
    );
}

/** `build: [a, b]` and `build 1/3` are made by `parallel:` from the job `build`. */
const baseName = (job: string): string => job.replace(/:? \[.*\]$| \d+\/\d+$/, '');

function needsOf(job: Record<string, unknown>): { job: string; index: number; optional: boolean }[] {
  return list(job.needs).flatMap((need, index) => {
    if (typeof need === 'string') return [{ job: baseName(need), index, optional: false }];
    if (!isRecord(need) || need.pipeline !== undefined || need.project !== undefined || typeof need.job !== 'string')
      return [];
    return [{ job: baseName(need.job), index, optional: need.optional === true }];
  });
}

function needs(pipeline: Pipeline, name: string, job: Record<string, unknown>): void {
  const { jobs, open, stages, report } = pipeline;
  for (const need of needsOf(job)) {
    const target = jobs.get(need.job);
    const path = [name, 'needs', need.index];
    if (need.job === name) report('needs', `Job "${name}" needs itself.`, path);
    else if (!target || need.job.startsWith('.')) {
      if (!open && !need.optional && !need.job.includes('$'))
        report(
          'unknown-job',
          `Job "${name}" needs "${need.job.slice(0, 80)}", which is not a job.${hint(need.job, jobs.keys())}`,
          path,
        );
    } else if (stages) {
      const [mine, theirs] = [stageOf(pipeline, job), stageOf(pipeline, target)].map((one) =>
        one === null ? -1 : order(stages, one),
      );
      if (mine !== undefined && theirs !== undefined && mine >= 0 && theirs > mine)
        report('needs-later', `Job "${name}" needs "${need.job}", whose stage comes later.`, path);
    }
  }
}

function order(stages: readonly string[], stage: string): number {
  if (stage === '.pre') return 0;
  if (stage === '.post') return stages.length + 1;
  const index = stages.indexOf(stage);
  return index === -1 ? -1 : index + 1;
}

/** Jobs that wait for each other, and jobs that extend each other. */
function cycles({ jobs, report }: Pipeline): void {
  for (const [key, edges] of [
    ['needs', (job: Record<string, unknown>) => needsOf(job).map((need) => need.job)],
    ['extends', (job: Record<string, unknown>) => [job.extends].flat().map(text)],
  ] as const) {
    for (const name of jobs.keys())
      if (circular(name, jobs, edges))
        report('cycle', `\`${key}\` leads from job "${name}" back to itself.`, [name, key]);
  }
}

/** Whether the edges lead from a job back to it; a job that names itself has its own finding. */
function circular(name: string, jobs: Pipeline['jobs'], edges: (job: Record<string, unknown>) => string[]): boolean {
  const seen = new Set<string>();
  const open = [name];
  while (open.length > 0 && seen.size < 2000) {
    const at = open.pop() ?? '';
    const job = jobs.get(at);
    for (const next of job ? edges(job) : []) {
      if (next === name && at !== name) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}
