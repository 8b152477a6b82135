import { digestOf, sha256 } from '../../plan/digest';
import { checkPaths } from '../../plan/paths';
import { objectPlaces, RefError, resolveRefs } from '../../plan/refs';
import {
  GENERATED_FILES_WIRE,
  type GeneratedFiles,
  GeneratedFilesSchema,
  parseAnswer,
  SchemaError,
} from '../../plan/schema';
import type { ArtifactFile, GenerateRequest, GenerateResult, JsonObject } from '../../plan/types';
import { checkInput } from '../../skills/input';
import { skillRecord } from '../../skills/load';
import { nothingFor, outputOf, outputPaths, renderTemplates, summaryOf } from '../../skills/render';
import type { RenderScope, Skill } from '../../skills/types';
import { summarizeFacts } from '../workspace/summary';
import { askModel } from './ask';
import { type LlmDeps, type Overlay, readOverlay, readSnapshot, relevantFiles, TEMPLATE, whoOf } from './context';
import { finalFailure } from './errors';
import { generationSystem, generationUser } from './prompts';
import { templateTrace } from './trace';

/** Files as they were generated, and how. */
type Generated = GeneratedFiles &
  Pick<
    GenerateResult,
    | 'modelReturned'
    | 'temperatureSent'
    | 'promptDigest'
    | 'responseId'
    | 'finishReason'
    | 'usage'
    | 'raw'
    | 'fromRecord'
    | 'calls'
    | 'provider'
  >;

/** What one generation works on. */
interface Job {
  request: GenerateRequest;
  skill: Skill;
  scope: RenderScope;
  overlay: Overlay;
}

/**
 * The activity that generates a task's files: contents go into the object store, digests come back. It reads the
 * workspace only through objects, so it may run on any worker that has the store.
 *
 * It throws ApplicationFailure: `BadInput` for an unknown skill, a reference that cannot be resolved, an input against
 * the skill's schema or templates that do not render, and as `askModel`.
 */
export function createGenerate(deps: LlmDeps): (request: GenerateRequest) => Promise<GenerateResult> {
  return async (request) => {
    const skills = await deps.skills();
    const skill = skills.get(request.task.tool);
    if (!skill) throw badInput(request, `there is no skill "${request.task.tool}" on this worker.`);
    const input = resolvedInput(skills, request, skill);
    const snapshot = await readSnapshot(deps.objects, request.workspace);
    const overlay = await readOverlay(deps.objects, snapshot, request.overlay);
    const scope = { input, ws: snapshot.facts, existing: overlay.existing };
    const job: Job = { request, skill, scope, overlay };
    const {
      files: contents,
      summary,
      ...origin
    } = request.settings.provider === TEMPLATE ? await fromTemplates(deps, job) : await fromModel(deps, job);
    const files: ArtifactFile[] = [];
    for (const file of contents) files.push(await stored(deps, file, overlay));
    const output = guarded(request, () => outputOf(skill, { ...scope, files: files.map(({ path }) => path), summary }));
    return { files, summary, output, skill: skillRecord(skill, sha256(generationSystem(skill))), ...origin };
  };
}

function resolvedInput(skills: ReadonlyMap<string, Skill>, request: GenerateRequest, skill: Skill): JsonObject {
  const outputs = Object.fromEntries(
    Object.entries(request.refs).map(([id, { tool, output }]) => [
      id,
      { output, primary: skills.get(tool)?.primary ?? null },
    ]),
  );
  try {
    const input = resolveRefs(request.task.input, outputs, objectPlaces(skill.inputSchema));
    const faults = checkInput(skill, input, { references: 'resolved' });
    if (faults.length > 0)
      throw badInput(request, `its input breaks the schema of ${skill.name}: ${faults.join('; ')}.`);
    return input;
  } catch (error) {
    if (error instanceof RefError) throw badInput(request, error.message);
    throw error;
  }
}

async function fromModel(deps: LlmDeps, { request, skill, scope, overlay }: Job): Promise<Generated> {
  const { plan, task, generation, settings, timeoutMs, toldUntil, oneCall } = request;
  const paths = guarded(request, () => outputPaths(skill, scope));
  const fileBytes = await deps.fileBytes();
  const answer = await askModel(
    deps,
    whoOf(deps, settings),
    {
      plan,
      task: task.id,
      generation,
      timeoutMs,
      ...(toldUntil ? { toldUntil } : {}),
      ...(oneCall ? { oneCall } : {}),
    },
    {
      schemaName: 'generated_files',
      schema: GENERATED_FILES_WIRE,
      system: generationSystem(skill),
      user: generationUser({
        description: task.description,
        input: scope.input,
        facts: summarizeFacts(scope.ws),
        paths,
        existing: relevantFiles(skill, overlay, new Set(Object.keys(request.overlay))),
        instruction: request.instruction,
        feedback: request.feedback,
      }),
      model: settings.model,
      temperature: settings.temperature,
      seed: request.seed ?? generation,
    },
    (text) => withoutMasks(checkedFiles(parseAnswer(GeneratedFilesSchema, text), fileBytes)),
  );
  const { model, temperatureSent, responseId, finishReason, text } = answer.completion;
  const { promptDigest, usage, fromRecord, calls, provider } = answer;
  const raw = await deps.objects.put(text);
  return {
    ...answer.value,
    modelReturned: model,
    temperatureSent,
    promptDigest,
    responseId,
    finishReason,
    usage,
    raw,
    fromRecord,
    calls,
    ...(provider === undefined ? {} : { provider }),
  };
}

async function fromTemplates(deps: LlmDeps, { request, skill, scope }: Job): Promise<Generated> {
  const files = guarded(request, () => renderTemplates(skill, scope));
  if (files.length === 0) {
    const why =
      skill.templates.length === 0
        ? 'it has no templates, so only a model can carry it out'
        : guarded(request, () => nothingFor(skill, scope));
    throw badInput(request, `the skill ${skill.name} has nothing to write for this project${why && `: ${why}`}.`);
  }
  const wishes = request.instruction !== null || request.feedback.length > 0;
  const note = wishes ? ' The template provider cannot follow instructions or comments; only a model can.' : '';
  const generated = { files, summary: `${guarded(request, () => summaryOf(skill, scope, files))}${note}` };
  const fileBytes = await deps.fileBytes();
  try {
    checkedFiles(generated, fileBytes);
  } catch (error) {
    throw badInput(request, error instanceof Error ? error.message : String(error));
  }
  const { workspace, overlay } = request;
  const promptDigest = digestOf({ provider: TEMPLATE, skill: skill.digest, input: scope.input, workspace, overlay });
  const raw = await deps.objects.put(JSON.stringify(generated, null, 2));
  return {
    ...generated,
    modelReturned: TEMPLATE,
    temperatureSent: null,
    promptDigest,
    responseId: null,
    finishReason: null,
    usage: { promptTokens: 0, completionTokens: 0, calls: 0 },
    raw,
    fromRecord: false,
    calls: [templateTrace(promptDigest, raw)],
  };
}

/**
 * Refuses at once what the writer would refuse later: a hostile path, a path twice, a file that is too large. Scope
 * and allowlist are the writer's to check, since only there the flags of the run are known.
 *
 * @throws SchemaError, so that a model can correct itself
 */
function checkedFiles(generated: GeneratedFiles, most: number): GeneratedFiles {
  const paths = generated.files.map(({ path }) => path);
  const faults = checkPaths(paths, { allowlist: [], allowAllPaths: true }).map(({ reason }) => reason);
  for (const { path, content } of generated.files) {
    const bytes = Buffer.byteLength(content);
    if (bytes > most) faults.push(`${JSON.stringify(path)} has ${bytes} bytes; at most ${most} are allowed.`);
    if (content.includes('\0'))
      faults.push(`${JSON.stringify(path)} holds a NUL character; only text files can be written.`);
  }
  if (faults.length > 0) throw new SchemaError(faults.slice(0, 10).join(' '));
  return generated;
}

/** A mask that comes back would replace somebody's secret by the word for it. */
function withoutMasks(generated: GeneratedFiles): GeneratedFiles {
  const masked = generated.files.filter(({ content }) => /\[masked [a-z-]+\]/.test(content));
  if (masked.length === 0) return generated;
  const paths = masked.map(({ path }) => JSON.stringify(path)).join(', ');
  throw new SchemaError(`${paths}: "[masked …]" is no content. Refer to the secret by a variable or a secret store.`);
}

async function stored(deps: LlmDeps, file: { path: string; content: string }, overlay: Overlay): Promise<ArtifactFile> {
  const base = overlay.base(file.path);
  return {
    path: file.path,
    sha256: await deps.objects.put(file.content),
    bytes: Buffer.byteLength(file.content),
    preSha256: base?.sha256 ?? null,
    mode: base?.mode ?? (file.path.endsWith('.sh') || file.content.startsWith('#!') ? '0755' : '0644'),
  };
}

function badInput(request: GenerateRequest, why: string): Error {
  return finalFailure(
    'BadInput',
    `Task "${request.task.id}" cannot be generated: ${why} Change its input, or plan again.`,
  );
}

/** A template or path pattern that does not render is a fault of skill or input: trying again does not help. */
function guarded<T>(request: GenerateRequest, render: () => T): T {
  try {
    return render();
  } catch (error) {
    throw badInput(request, error instanceof Error ? error.message : String(error));
  }
}
