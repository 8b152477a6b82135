/** The form of what comes with an `apply`: it may be typed by hand into `temporal workflow update execute`. */
import type { ApplyRequest } from '../plan/view';
import { RulingRefused } from './refused';

const DAY_MS = 86_400_000;
const TEXT_CHARS = 20_000;

/** Flags of a run, in the order of the command's help: all are checked here, and those that were set stand in the audit log. */
export const RUN_FLAGS = [
  'yes',
  'resume',
  'retry',
  'refresh',
  'allowAllPaths',
  'allowDirty',
  'skipVerify',
  'force',
  'dryRun',
  'replay',
  'recorded',
] as const satisfies readonly (keyof ApplyRequest)[];
const TEXTS = ['task', 'instruct'];
const LISTS = ['only', 'exclude'];
/** Largest value of each number; an absurd time-out would be one that no timer can hold. */
const NUMBERS: { [key: string]: number } = { timeoutMs: DAY_MS, concurrency: 10_000, maxTokens: 1e12 };

const isObject = (value: unknown): value is { [key: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function bad(message: string): never {
  throw new RulingRefused('BadInput', message);
}

/**
 * Called by the update validator, so a malformed request leaves no event. Unknown keys are left alone.
 * @throws RulingRefused of type BadInput
 */
export function checkApply(input: unknown): asserts input is ApplyRequest {
  if (!isObject(input) || typeof input.by !== 'string' || input.by === '') {
    bad('apply takes an object with at least "by": who asks.');
  }
  const given = (key: string): boolean => input[key] !== undefined;
  for (const key of RUN_FLAGS.filter(given)) {
    if (typeof input[key] !== 'boolean') bad(`"${key}" is true or false.`);
  }
  for (const key of TEXTS.filter(given)) {
    const value = input[key];
    if (typeof value !== 'string' || value === '' || value.length > TEXT_CHARS) {
      bad(`"${key}" is a string of 1 to ${TEXT_CHARS} characters.`);
    }
  }
  for (const key of LISTS.filter(given)) {
    const value = input[key];
    if (!Array.isArray(value) || value.length === 0 || !value.every((id) => typeof id === 'string' && id !== '')) {
      bad(`"${key}" is a list of at least one task id.`);
    }
  }
  for (const [key, most] of Object.entries(NUMBERS).filter(([name]) => given(name))) {
    const value = input[key];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > most) {
      bad(`"${key}" is a whole number from 1 to ${most}.`);
    }
  }
  if (given('onFailure') && input.onFailure !== 'stop' && input.onFailure !== 'wait')
    bad('"onFailure" is stop or wait.');
  if (given('settings')) checkSettings(input.settings);
}

/** As `checkApply`, for `rollback`, `clean`, `delete`, `pause` and `unpause`. @throws RulingRefused of type BadInput */
export function checkBy(name: string, input: unknown): asserts input is { by: string; overwriteChanged?: boolean } {
  if (!isObject(input) || typeof input.by !== 'string' || input.by === '' || input.by.length > 200) {
    bad(`${name} takes an object with at least "by": who asks.`);
  }
  if (input.overwriteChanged !== undefined && typeof input.overwriteChanged !== 'boolean') {
    bad('"overwriteChanged" is true or false.');
  }
  const { reason = null } = input;
  if (reason !== null && (typeof reason !== 'string' || reason.length > 4000)) {
    bad('"reason" is a string of at most 4,000 characters.');
  }
}

function checkSettings(settings: unknown): void {
  if (!isObject(settings)) bad('"settings" is an object: { provider, model, temperature }.');
  const { provider = '', model = '', temperature = 0 } = settings;
  if (typeof provider !== 'string' || typeof model !== 'string')
    bad('"provider" and "model" of "settings" are strings.');
  if (typeof temperature !== 'number') bad('"temperature" of "settings" is a number.');
  const { fallback = null } = settings;
  if (fallback === null) return;
  if (!isObject(fallback) || typeof fallback.provider !== 'string' || typeof fallback.model !== 'string')
    bad('"fallback" of "settings" is an object: { provider, model }, or null.');
}
