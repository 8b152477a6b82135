import type { JsonObject, Risk, WorkspaceFacts } from '../plan/types';

/**
 * A skill as it was loaded: data from `SKILL.md` (front matter and prompt) and the template files beside it.
 * `{{ … }}` strings are Liquid over `{ input, ws, existing }` (see `RenderScope`).
 */
export interface Skill {
  name: string;
  version: string;
  description: string;
  risk: Risk;
  type: 'built-in' | 'custom';
  /** Where it was loaded from, as shown to people: "built-in" or a path relative to the workspace. */
  source: string;
  /** SHA-256 (hex) over the skill's whole folder: paths and contents. */
  digest: string;
  /** JSON Schema (draft 2020-12) of `input`; every key optional for built-in skills, unknown keys refused. */
  inputSchema: JsonObject;
  /** Key of the output that a scalar `$ref:<task>` stands for. */
  primary: string;
  /** JSON Schema of the output's own keys (`summary` and `files` are always there too). */
  outputSchema: JsonObject;
  /** Output keys as Liquid over the scope plus `files` and `summary`. */
  outputs: { [key: string]: string };
  /** Paths it will write for a given input, as Liquid; an empty result means: not this time. */
  paths: string[];
  /** Glob patterns that bound what it may write. */
  scope: string[];
  verifiers: string[];
  /** The system prompt's part that is the skill's own. */
  prompt: string;
  /** Template files: `path` is Liquid, `template` the Liquid text of the content. */
  templates: SkillTemplate[];
  /** Templates that others include by name (files whose name starts with `_`): name → Liquid text. */
  partials?: { [name: string]: string };
  /** Liquid: why there is nothing to write for a project (a library has nothing to deploy), or empty. Then no path is written. */
  nothing?: string;
  /** One line of Liquid over the scope plus `files`, `kept` and `extended` (paths): what was done, and what was left alone. */
  summary?: string;
  /** Words of a goal that call for this skill (the template provider's planning rules), lower case. */
  triggers: string[];
}

/** `path` is Liquid and gives one path, or nothing: not this time. */
export interface SkillTemplate {
  path: string;
  template: string;
  /**
   * What happens where a file already stands at the path, unless `input.replace` is true: "keep" (the default) leaves its
   * bytes alone, "lines" appends the lines that it lacks, "targets" appends the make targets that it lacks, "jobs" the jobs of a
   * GitLab pipeline, "scrapes" the jobs of Prometheus' `scrape_configs`.
   */
  existing?: 'keep' | 'lines' | 'targets' | 'jobs' | 'scrapes';
}

/** What templates and path patterns can see, with `project` beside it (see project.ts), which is computed from it. */
export interface RenderScope {
  input: JsonObject;
  ws: WorkspaceFacts;
  /** Contents of existing files that matter, by path: the overlay (disk with ancestors' artifacts over it). */
  existing: { [path: string]: string };
}

export interface RenderedFile {
  path: string;
  content: string;
}
