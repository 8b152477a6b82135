import { z } from 'zod';

const liquid = z.string();
const jsonObject = z.record(z.string(), z.json());

/**
 * The front matter of a SKILL.md: `name` and `description` as the Agent Skills layout has them, everything that Planwright
 * adds under `metadata`. Unknown keys are refused, so that a misspelt one cannot silently do nothing.
 */
export const FRONT_MATTER = z.strictObject({
  name: z
    .string()
    .max(64)
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case letters, digits and single hyphens'),
  description: z.string().min(1).max(1024),
  license: z.string().optional(),
  compatibility: z.string().max(500).optional(),
  /** Of the open layout; a skill here has no tools to call, so it says nothing. */
  'allowed-tools': z.string().optional(),
  metadata: z.strictObject({
    version: z.string().regex(/^\d+\.\d+\.\d+$/, 'a version such as "1.0.0" (in quotes)'),
    risk: z.enum(['LOW', 'MEDIUM', 'HIGH']),
    input: jsonObject,
    primary: z.string(),
    output: jsonObject,
    outputs: z.record(z.string(), liquid),
    paths: z.array(liquid).min(1),
    scope: z.array(z.string()).min(1),
    verifiers: z.array(z.string()),
    triggers: z.array(z.string().regex(/^[^A-Z]+$/, 'lower case')),
    nothing: liquid.optional(),
    summary: liquid.optional(),
    templates: z.array(
      z.strictObject({
        file: z.string().regex(/^[\w.-]+\.liquid$/, 'the name of a .liquid file in templates/'),
        path: liquid,
        existing: z.enum(['keep', 'lines', 'targets', 'jobs', 'scrapes']).optional(),
      }),
    ),
  }),
});

export type FrontMatter = z.infer<typeof FRONT_MATTER>;

/**
 * Faults of scope patterns: each must be a relative path with `/`, without `..`, negation or a first segment that matches
 * everything. `allowed` (the write allowlist) bounds them further, by a sample path of every alternative of each pattern.
 */
export function scopeFaults(scope: readonly string[], allowed: (path: string) => boolean): string[] {
  return scope.flatMap((pattern) => {
    const plain = /^(\*\*\/)?\*?[\w.@{-]/.test(pattern) && /^[\w.@*/{},-]{1,200}$/.test(pattern);
    if (!plain || pattern.split('/').includes('..')) {
      return [`scope "${pattern}" must be a relative pattern with a plain name to begin with`];
    }
    const samples = alternatives(pattern);
    if (samples === null) return [`scope "${pattern}" has too many alternatives`];
    const beyond = samples.some((one) => !allowed(one.replaceAll('**', 'x/y').replaceAll('*', 'x')));
    return beyond ? [`scope "${pattern}" reaches beyond the write allowlist`] : [];
  });
}

const MOST_ALTERNATIVES = 64;

/** A pattern without braces for each of its alternatives; null where there are too many, or one stands in another. */
function alternatives(pattern: string): string[] | null {
  let all = [''];
  for (const part of pattern.split(/(\{[^{}]*\})/)) {
    const choices = part.startsWith('{') ? part.slice(1, -1).split(',') : [part];
    if (choices.some((choice) => /[{}]/.test(choice))) return null;
    all = all.flatMap((start) => choices.map((choice) => start + choice));
    if (all.length > MOST_ALTERNATIVES) return null;
  }
  return all;
}
