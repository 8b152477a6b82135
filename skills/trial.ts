import type { WorkspaceFacts } from '../plan/types';
import { nothingFor, outputOf, outputPaths, renderTemplates, summaryOf } from './render';
import type { Skill } from './types';

/** A workspace of which nothing is known: what a template must get by with. */
const BARE: WorkspaceFacts = {
  name: 'example',
  language: 'unknown',
  otherLanguages: [],
  typescript: false,
  library: false,
  runtime: null,
  testVersions: [],
  engines: null,
  packageManager: null,
  install: null,
  build: null,
  test: null,
  lint: null,
  start: null,
  typecheck: null,
  scripts: {},
  entryPoint: null,
  buildOutput: null,
  ports: [],
  healthPath: null,
  services: [],
  envNames: [],
  nativeDependencies: [],
  defaultBranch: null,
  gitRemote: null,
  existing: {},
  packages: [],
  topLevel: [],
};

const command = (run: string) => ({ run, source: 'package.json scripts' });

const SERVICE: WorkspaceFacts = {
  ...BARE,
  language: 'node',
  runtime: { version: '22', source: '.nvmrc' },
  testVersions: ['22'],
  packageManager: { name: 'npm', version: null, lockfile: 'package-lock.json' },
  install: command('npm ci'),
  build: command('npm run build'),
  test: command('npm test'),
  start: command('npm start'),
  ports: [{ port: 3000, source: 'server.js' }],
  healthPath: '/health',
  services: ['postgres'],
  envNames: ['DATABASE_URL', 'PORT'],
  version: '1.0.0',
  metricsPath: '/metrics',
  defaultBranch: 'main',
};

/**
 * What is wrong with a skill's templates, paths and outputs, as they render for a workspace of which nothing is known and for
 * an ordinary service.
 *
 * @returns sentences, without repeats; empty where all of it renders
 */
export function trialFaults(skill: Skill): string[] {
  const faults = [BARE, SERVICE].flatMap((ws) => {
    const scope = { input: {}, ws, existing: {} };
    try {
      nothingFor(skill, scope);
      const declared = outputPaths(skill, scope);
      const files = renderTemplates(skill, scope);
      const summary = summaryOf(skill, scope, files);
      outputOf(skill, { ...scope, files: files.map(({ path }) => path), summary });
      const extra =
        skill.templates.length === 0 ? [] : files.map(({ path }) => path).filter((path) => !declared.includes(path));
      return extra.map((path) => `a template writes ${path}, which metadata.paths does not name.`);
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  });
  return [...new Set(faults)];
}
