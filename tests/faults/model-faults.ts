/** A model server that misbehaves, at random questions of a run. */
import type { ModelReply } from '../support/model-server';
import { NAMES } from './job';
import type { Fault } from './series';

/** Questions that are answered badly, and how often in a row each. */
const MOST_SPOILED = 3;

/**
 * @param least to @param most bad answers to the same question, one after the other
 */
function fault(
  name: string,
  reply: ModelReply,
  options: { strictness?: Fault['strictness']; most?: number; apply?: string[] } = {},
): Fault {
  const { strictness = 'asked again', most = 1, apply } = options;
  return {
    name: `model-${name}`,
    strictness,
    apply,
    spoil: (random) => {
      const times = new Map<string, number>();
      const count = random.between(1, MOST_SPOILED);
      for (let one = 0; one < count; one++) times.set(random.pick(NAMES), random.between(1, most));
      return (question, time) => (time <= (times.get(question) ?? 0) ? reply : undefined);
    },
  };
}

/** Passing: the answer comes in the end, and the plan is that of an undisturbed run. */
export const PASSING: readonly Fault[] = [
  fault('429', { status: 429, error: 'slow down' }, { most: 3 }),
  fault('429-retry-after', { status: 429, error: 'slow down', headers: { 'retry-after': '1' } }, { most: 2 }),
  fault('500', { status: 500, error: 'oops' }, { most: 3 }),
  fault('503', { status: 503, body: '<html>busy</html>' }, { most: 3 }),
  fault('closed', { close: true }, { most: 3 }),
  fault('truncated', { content: '{"files":[{"path":".github/wor', finishReason: 'length' }, { most: 2 }),
  fault('broken-json', { content: '{"files":[{"path":' }, { most: 2 }),
  fault('wrong-shape', { content: { files: 'none' } }, { most: 2 }),
  fault('no-choices', { empty: true }, { most: 2 }),
];

/** Final: the task fails and says why; what depends on it is skipped; a retry does the rest and nothing else. */
export const FINAL: readonly Fault[] = [
  fault('refusal', { refusal: 'I would rather not' }, { strictness: 'retried' }),
  fault('401', { status: 401, error: 'bad key' }, { strictness: 'retried' }),
  fault('hang', { hang: true }, { strictness: 'retried', apply: ['--timeout', '2'] }),
  fault('stall', { stall: true }, { strictness: 'retried', apply: ['--timeout', '2'] }),
];
