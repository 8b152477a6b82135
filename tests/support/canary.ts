/** Words that must never be readable where only ciphertext belongs, and a plan that carries them to every place. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PlanView } from '../../plan/view';
import type { Installation } from '../e2e/installation';
import { type ModelServer, startModelServer } from './model-server';

/** Each begins alike, and says where it was put. */
export const CANARY = 'xylograph-canary';

/** An OpenAI-compatible server whose refusal of Dockerfiles holds a canary. */
export function canaryModel(): Promise<ModelServer> {
  return startModelServer({
    reply: (call) => (call.skill === 'dockerfile' ? { status: 400, error: `${CANARY}-error` } : undefined),
  });
}

export const canarySettings = (model: ModelServer): NodeJS.ProcessEnv => ({
  OPENAI_API_KEY: 'sk-test',
  OPENAI_BASE_URL: model.url,
});

/** Runs a plan with canaries in its goal, descriptions, inputs, a person's reason and a task's error, to its end. */
export async function runCanaryPlan(installation: Installation): Promise<PlanView> {
  const graph = {
    nodes: [
      { id: '1', tool: 'makefile', description: `${CANARY}-description`, input: {}, deps: [] },
      { id: '2', tool: 'dockerfile', description: `${CANARY}-description two`, input: {}, deps: [] },
    ],
  };
  const file = join(installation.home, 'graph.json');
  writeFileSync(file, JSON.stringify(graph));
  await installation.ok(['plan', `${CANARY}-goal`, '--graph', file]);
  const { id } = await installation.view();
  const { code } = await installation.run(['apply', id]);
  if (code !== 8) throw new Error(`apply ended with ${code}`);
  await installation.run(['reject', id, '--all', '--reason', `${CANARY}-reason`]);
  await installation.run(['watch', id]);
  const view = await installation.view(id);
  for (const where of ['goal', 'description', 'reason', 'error']) {
    if (!JSON.stringify(view).includes(`${CANARY}-${where}`)) throw new Error(`no ${where} in ${JSON.stringify(view)}`);
  }
  return view;
}

/** A text with all that is base64 in it in plain words behind it, as somebody who looks would read it. */
export const readable = (text: string): string =>
  text +
  [...text.matchAll(/[A-Za-z0-9+/]{16,}={0,2}/g)]
    .map(([match]) => Buffer.from(match, 'base64').toString('latin1'))
    .join('\n');

/** Files below a folder that hold a canary: as text, or in base64 of any alignment. */
export function filesWithCanary(folder: string): string[] {
  const needles = [0, 1, 2].map((shift) =>
    Buffer.from(`${'x'.repeat(shift)}${CANARY}`)
      .toString('base64')
      .slice(4, 20),
  );
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(folder, name);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
    const bytes = readFileSync(path);
    return [CANARY, ...needles].some((needle) => bytes.includes(needle));
  });
}
