import { type Dockerfile, From, type Instruction, ModifiableInstruction } from 'dockerfile-ast';
import type { Finding } from '../../plan/types';
import { nearest } from './near';

/** A build stage: its FROM and what follows. */
export interface Stage {
  index: number;
  /** Lower case, as BuildKit compares; null where it has none. */
  name: string | null;
  /** The image with the initial ARGs' defaults put in; null where a variable is left. */
  image: string | null;
  from: From;
  instructions: Instruction[];
}

/** Images that people copy tools from by a bare name. */
const WELL_KNOWN = new Set(
  'alpine bash busybox caddy composer debian docker golang gradle maven nginx node php python ruby rust ubuntu'.split(
    ' ',
  ),
);

export function placeOf(instruction: Instruction): { line: number; column: number } {
  const { start } = instruction.getRange();
  return { line: start.line + 1, column: start.character + 1 };
}

/** The file's stages in order; instructions before the first FROM (only ARG may stand there) belong to none. */
export function readStages(dockerfile: Dockerfile): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of dockerfile.getInstructions()) {
    if (instruction instanceof From) {
      const name = instruction.getBuildStage()?.toLowerCase() ?? null;
      const image = resolve(instruction.getArguments()[0]?.getValue() ?? '', dockerfile);
      stages.push({ index: stages.length, name, image, from: instruction, instructions: [] });
    } else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

/** Puts the defaults of the ARGs before the first FROM into an image name. */
function resolve(image: string, dockerfile: Dockerfile): string | null {
  const defaults = new Map<string, string>();
  for (const arg of dockerfile.getInitialARGs()) {
    const property = arg.getProperty();
    const value = property?.getValue();
    if (property && typeof value === 'string') defaults.set(property.getName(), value);
  }
  const resolved = image.replace(
    /\$(?:\{(\w{1,100})(?::-([^}]{0,200}))?\}|(\w{1,100}))/g,
    (whole, braced?: string, fallback?: string, bare?: string) =>
      defaults.get(braced ?? bare ?? '') ?? fallback ?? whole,
  );
  return resolved.includes('$') ? null : resolved;
}

/** The stage that an image name means, among those before `index`. */
export function stageNamed(stages: readonly Stage[], name: string, index: number): Stage | undefined {
  return stages.findLast((stage) => stage.index < index && stage.name === name.toLowerCase());
}

/** Base images: none at all, no tag, a moving tag, not a reference. */
export function baseFindings(dockerfile: Dockerfile, stages: readonly Stage[]): Finding[] {
  const findings: Finding[] = [];
  const first = dockerfile.getInstructions().find((instruction) => instruction.getKeyword() !== 'ARG');
  if (first !== undefined && stages.length > 0 && !(first instanceof From)) {
    const message = `${first.getKeyword()} stands before the first FROM; only ARG may.`;
    findings.push({ rule: 'no-source-image', severity: 'error', message, ...placeOf(first) });
  }
  for (const { image, from, index } of stages) {
    if (image === null || image === '' || image === 'scratch' || stageNamed(stages, image, index)) continue;
    if (!/^[\w.-]+(?::\d+)?(?:\/[\w.-]+)*(?::[\w][\w.-]{0,127})?(?:@[a-z0-9]+:[0-9a-f]{32,})?$/i.test(image)) {
      const message = `"${image}" is not an image reference.`;
      findings.push({ rule: 'invalid-reference', severity: 'error', message, ...placeOf(from) });
      continue;
    }
    if (image.includes('@')) continue;
    const tag = /:([^/:]+)$/.exec(image)?.[1];
    if (tag !== undefined && tag !== 'latest') continue;
    const message =
      tag === undefined
        ? `The base image "${image}" has no tag; name a version.`
        : `The base image "${image}" moves; name a version instead of "latest".`;
    findings.push({
      rule: tag === undefined ? 'untagged-base' : 'latest-tag',
      severity: 'warning',
      message,
      ...placeOf(from),
    });
  }
  return findings;
}

/** `COPY --from` and `RUN --mount=…,from=` that name no stage before them. */
export function stageReferenceFindings(stages: readonly Stage[], siblings: ReadonlyMap<string, string>): Finding[] {
  const findings: Finding[] = [];
  const contexts = namesContexts(siblings);
  for (const stage of stages) {
    for (const instruction of stage.instructions) {
      if (!(instruction instanceof ModifiableInstruction)) continue;
      for (const flag of instruction.getFlags()) {
        const value = flag.getValue() ?? '';
        const name = flag.getName() === 'from' ? value : flag.getName() === 'mount' ? mountSource(value) : null;
        const fault = name === null ? null : referenceFault(stages, stage, name, contexts);
        if (fault !== null) findings.push({ ...fault, ...placeOf(instruction) });
      }
    }
  }
  return findings;
}

function mountSource(options: string): string | null {
  return /(?:^|,)from=([^,]{1,200})/.exec(options)?.[1] ?? null;
}

function referenceFault(
  stages: readonly Stage[],
  stage: Stage,
  name: string,
  contexts: boolean,
): Pick<Finding, 'rule' | 'severity' | 'message'> | null {
  if (name === '' || name.includes('$') || stageNamed(stages, name, stage.index)) return null;
  if (/^\d+$/.test(name)) {
    if (Number(name) < stage.index) return null;
    return { rule: 'unknown-stage', severity: 'error', message: `There is no stage ${name} before this one.` };
  }
  if (/[/:@.]/.test(name)) return null;
  if (stages.some((other) => other.name === name.toLowerCase())) {
    return {
      rule: 'unknown-stage',
      severity: 'error',
      message: `Stage "${name}" begins only here or later in the file.`,
    };
  }
  if (WELL_KNOWN.has(name.toLowerCase())) {
    return {
      rule: 'untagged-base',
      severity: 'warning',
      message: `Copies from the image "${name}" without a tag; name a version.`,
    };
  }
  const known = stages.flatMap((other) => (other.name === null ? [] : [other.name]));
  const list = known.length > 0 ? `the stages are ${known.join(', ')}` : 'no stage has a name';
  const message = `There is no stage "${name}" (${list})`;
  // What is a letter off from a stage is that stage misspelt, whatever else is built with contexts.
  if (contexts && nearest(name.toLowerCase(), known) === null) {
    const rest = 'unless the build names a context so, as others of this project do';
    return { rule: 'unknown-stage', severity: 'warning', message: `${message}, ${rest}.` };
  }
  return { rule: 'unknown-stage', severity: 'error', message: `${message}.` };
}

/** How Compose, Bake, build-push-action and the command line give a build further contexts, which `--from` takes by name. */
const NAMES_CONTEXTS = /additional_contexts\s*:|build-contexts?\b|^\s*contexts\s*=/m;

function namesContexts(siblings: ReadonlyMap<string, string>): boolean {
  return [...siblings].some(([path, text]) => !/dockerfile/i.test(path) && NAMES_CONTEXTS.test(text));
}
