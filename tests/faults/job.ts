/**
 * The job that every round of a fault series does: ten tasks, twelve files, two of which replace something; people who
 * approve, refuse one file of two, refuse a whole task, and ask for changes once.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../plan/digest';
import type { GateView } from '../../plan/view';
import type { ModelCall } from '../support/model-server';

const DEPS: { [name: string]: string[] } = {
  a: [],
  b: ['a'],
  c: ['a'],
  d: ['b', 'c'],
  e: [],
  f: ['e'],
  g: ['e'],
  h: ['d', 'f'],
  i: ['g'],
  j: ['h', 'i'],
};

const FOLDER = '.github/workflows';
export const NAMES = Object.keys(DEPS);
export const pathOf = (name: string): string => `${FOLDER}/${name}.yml`;

/** What stands there before the plan, and must be in the backup afterwards. */
const ORIGINALS: { [path: string]: string } = {
  [pathOf('b')]: '# the original of b\n',
  [pathOf('h')]: '# the original of h\n',
};

const CHANGES = 'say it louder';
const REFUSED = [pathOf('j'), pathOf('c-extra')];

export const GRAPH = {
  nodes: NAMES.map((name) => ({
    id: name,
    tool: 'github-actions',
    description: `Write ${pathOf(name)}`,
    input: { file: pathOf(name) },
    deps: DEPS[name],
  })),
};

export function contentOf(name: string, loud = false): string {
  const steps = `    steps:\n      - run: echo ${loud ? name.toUpperCase() : name}\n`;
  return `name: ${name}\non: push\npermissions:\n  contents: read\njobs:\n  ${name}:\n    runs-on: ubuntu-24.04\n${steps}`;
}

/** Which question a call asks: the task, and whether changes were asked for. Equal names are the same question. */
export function questionOf({ user }: Pick<ModelCall, 'user'>): string {
  const name = /Write \.github\/workflows\/(\w)\.yml/.exec(user)?.[1] ?? '?';
  return user.includes(CHANGES) ? `${name} louder` : name;
}

/** What the model answers to a question. */
export function answerTo(question: string): { files: { path: string; content: string }[]; summary: string } {
  const [name = '?', loud] = question.split(' ');
  const files = [{ path: pathOf(name), content: contentOf(name, loud !== undefined) }];
  if (name === 'c') files.push({ path: pathOf('c-extra'), content: contentOf('c-extra') });
  return { files, summary: `made ${name}` };
}

/** What people say to a gate; the same for the same bytes, however often they are asked. */
export function decisionOn(gate: Pick<GateView, 'path' | 'sha256'>): { decision: string; by: string; reason?: string } {
  if (REFUSED.includes(gate.path ?? '')) return { decision: 'reject', by: 'ben', reason: 'not here' };
  if (gate.sha256 === sha256(contentOf('g'))) return { decision: 'request-changes', by: 'ana', reason: CHANGES };
  return { decision: 'approve', by: 'ana' };
}

/** Puts the workspace back to where a plan of this job begins. Our own folder stays. */
export function resetWorkspace(workspace: string): void {
  const folder = join(workspace, FOLDER);
  mkdirSync(folder, { recursive: true });
  // One by one: the folder itself may be a mount.
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  for (const [path, content] of Object.entries(ORIGINALS)) writeFileSync(join(workspace, path), content);
  writeFileSync(join(workspace, 'graph.json'), JSON.stringify(GRAPH));
  writeFileSync(join(workspace, 'package.json'), '{ "name": "disturbed" }');
}

/** Files of the workspace after the job, worked out by hand, so that the undisturbed run is compared with something too. */
export function expectedFiles(): { [path: string]: string } {
  const written = NAMES.filter((name) => name !== 'j').map((name) => [pathOf(name), contentOf(name, name === 'g')]);
  const backups = Object.entries(ORIGINALS).map(([path, content]) => [`${path}.bak`, content]);
  return Object.fromEntries([...written, ...backups]);
}
