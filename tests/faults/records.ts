/** The calls on record in a workspace: a question that was answered and recorded must never be asked again. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelCall } from '../support/model-server';
import { questionOf } from './job';

/** What was on record at a moment. */
export interface Sealed {
  at: number;
  questions: string[];
}

interface Stored {
  task: string | null;
  generation: number;
  end: { completion: object | null } | null;
}

/** Questions of a plan whose answers are on disk. */
export function answeredQuestions(workspace: string, plan: string): string[] {
  const folder = join(workspace, '.planwright', 'calls', plan);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.json$/.test(name)) : [];
  return names.flatMap((name) => {
    const { body } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { body: string };
    const { task, generation, end } = JSON.parse(body) as Stored;
    // Only one task of the job is generated twice: the second time because changes were asked for.
    return end?.completion ? [generation === 1 ? `${task}` : `${task} louder`] : [];
  });
}

export function brokenSeals(calls: readonly ModelCall[], sealed: readonly Sealed[]): string[] {
  return calls
    .filter((call) => sealed.some(({ at, questions }) => call.at > at && questions.includes(questionOf(call))))
    .map((call) => `${questionOf(call)}, which was on record`);
}
