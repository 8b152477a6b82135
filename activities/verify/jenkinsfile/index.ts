import type { Finding } from '../../../plan/types';
import { lineColumn } from '../findings';
import { hint } from '../near';
import type { Subject, Verifier } from '../types';
import { blankGroovy, blocksOf, type Fault, type GroovyBlock } from './read';

const MAX_LENGTH = 262_144;

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const SECTIONS = words('agent environment options parameters triggers tools stages post libraries input when');
const STAGE = words('agent environment options tools input when steps stages parallel matrix post failFast');
const WORK = ['steps', 'stages', 'parallel', 'matrix'];
const POST = words('always changed fixed regression aborted failure success unstable unsuccessful cleanup notBuilt');
const WHEN = words(
  'branch buildingTag changelog changeset changeRequest environment equals expression tag not allOf anyOf triggeredBy beforeAgent beforeInput beforeOptions isRestartedRun',
);
const AGENT = words('label node docker dockerfile kubernetes any none ecs podman');
const SINGLE = new Set([
  'agent',
  'stages',
  'steps',
  'post',
  'environment',
  'options',
  'parameters',
  'triggers',
  'tools',
  'when',
]);

interface Source {
  code: string;
  text: string;
  faults: Fault[];
}

const children = ({ code, text }: Source, block: GroovyBlock): GroovyBlock[] =>
  blocksOf(code, text, block.from, block.to);

function pipeline(source: Source, block: GroovyBlock): void {
  const { faults, code } = source;
  const inner = children(source, block);
  const own = code.slice(block.from, block.to);
  for (const one of inner) {
    if (!SECTIONS.has(one.name))
      faults.push({
        rule: 'unknown-section',
        message: `A pipeline has no section "${one.name}".${hint(one.name, SECTIONS)}`,
        at: one.at,
      });
  }
  repeated(inner, faults);
  if (!/(?:^|[\s;{])agent\b/.test(own))
    faults.push({ rule: 'no-agent', message: 'The pipeline has no `agent`.', at: block.at });
  agent(source, block, inner);
  const stages = inner.find(({ name }) => name === 'stages');
  if (!stages) faults.push({ rule: 'no-stages', message: 'The pipeline has no `stages`.', at: block.at });
  else stageList(source, stages);
  post(source, inner);
}

/** Without a block, `agent` is a word: any or none. */
function agent(source: Source, block: GroovyBlock, inner: readonly GroovyBlock[]): void {
  const match = /(?:^|[\s;{])agent[ \t]+([A-Za-z_]\w*)[ \t]*(?=[\r\n;}])/.exec(
    source.code.slice(block.from, firstBrace(source.code, block)),
  );
  if (match && match[1] !== 'any' && match[1] !== 'none') {
    source.faults.push({
      rule: 'agent',
      message: `\`agent ${match[1]}\` is neither any nor none; a label is written agent { label '${match[1]}' }.`,
      at: block.from + match.index,
    });
  }
  for (const one of inner.filter(({ name }) => name === 'agent')) {
    for (const kind of children(source, one)) {
      if (!AGENT.has(kind.name))
        source.faults.push({
          rule: 'agent',
          message: `There is no agent "${kind.name}".${hint(kind.name, AGENT)}`,
          at: kind.at,
        });
    }
  }
}

function firstBrace(code: string, block: GroovyBlock): number {
  const at = code.indexOf('stages', block.from);
  return at === -1 || at > block.to ? block.to : at;
}

function repeated(inner: readonly GroovyBlock[], faults: Fault[]): void {
  const seen = new Set<string>();
  for (const { name, at } of inner) {
    if (SINGLE.has(name) && seen.has(name))
      faults.push({ rule: 'duplicate-section', message: `\`${name}\` stands twice.`, at });
    seen.add(name);
  }
}

function stageList(source: Source, block: GroovyBlock): void {
  const inner = children(source, block);
  const stages = inner.filter(({ name }) => name === 'stage');
  for (const one of inner) {
    if (
      one.name !== 'stage' &&
      !(block.name === 'matrix' && ['axes', 'excludes', 'stages'].includes(one.name)) &&
      !STAGE.has(one.name)
    ) {
      source.faults.push({
        rule: 'unknown-section',
        message: `\`${block.name}\` holds stages, and no "${one.name}".${hint(one.name, ['stage'])}`,
        at: one.at,
      });
    }
  }
  if (stages.length === 0 && !/\bstage\b/.test(source.code.slice(block.from, block.to)))
    source.faults.push({ rule: 'no-stages', message: `\`${block.name}\` holds no stage.`, at: block.at });
  const own = new Set<string>();
  for (const one of stages) {
    const name = /^["'](.*)["']$/s.exec(one.args.trim())?.[1];
    if (one.args.trim() === '')
      source.faults.push({ rule: 'stage-name', message: "A stage has a name: stage('Build') { … }.", at: one.at });
    if (name !== undefined && own.has(name))
      source.faults.push({
        rule: 'duplicate-stage',
        message: `Two stages are named "${name.slice(0, 60)}".`,
        at: one.at,
      });
    if (name !== undefined) own.add(name);
    stage(source, one);
  }
}

function stage(source: Source, block: GroovyBlock): void {
  const { faults, code } = source;
  const inner = children(source, block);
  repeated(inner, faults);
  for (const one of inner) {
    if (!STAGE.has(one.name))
      faults.push({
        rule: 'unknown-section',
        message: `A stage has no section "${one.name}"; steps stand in \`steps { … }\`.${hint(one.name, STAGE)}`,
        at: one.at,
      });
  }
  const work = inner.filter(({ name }) => WORK.includes(name));
  if (work.length === 0)
    faults.push({
      rule: 'no-steps',
      message: 'The stage has none of steps, stages, parallel and matrix.',
      at: block.at,
    });
  if (work.length > 1)
    faults.push({
      rule: 'no-steps',
      message: 'A stage has exactly one of steps, stages, parallel and matrix.',
      at: work[1]?.at ?? block.at,
    });
  for (const one of work) {
    if (one.name === 'steps' && code.slice(one.from, one.to).trim() === '')
      faults.push({ rule: 'empty-steps', message: '`steps` is empty.', at: one.at });
    if (one.name === 'stages' || one.name === 'parallel') stageList(source, one);
  }
  for (const one of inner.filter(({ name }) => name === 'when')) {
    for (const condition of children(source, one)) {
      if (!WHEN.has(condition.name))
        faults.push({
          rule: 'when',
          message: `\`when\` has no condition "${condition.name}".${hint(condition.name, WHEN)}`,
          at: condition.at,
        });
    }
  }
  post(source, inner);
}

function post(source: Source, inner: readonly GroovyBlock[]): void {
  for (const one of inner.filter(({ name }) => name === 'post')) {
    const conditions = children(source, one);
    if (conditions.length === 0)
      source.faults.push({
        rule: 'post',
        message: '`post` holds no condition (always, success, failure …).',
        at: one.at,
      });
    for (const { name, at } of conditions) {
      if (!POST.has(name))
        source.faults.push({ rule: 'post', message: `\`post\` has no condition "${name}".${hint(name, POST)}`, at });
    }
  }
}

/** A variable of a user in a Groovy string is put into the script before the shell sees it. */
const INJECTED =
  /\b(?:sh|bat|powershell|pwsh)\b[ \t]*\(?[ \t]*(?:script:[ \t]*)?("""[\s\S]{0,4000}?"""|"(?:\\.|[^"\\\n]){0,2000}")/g;
const TYPED =
  /\$\{?(?:params\.\w+|env\.(?:CHANGE_TITLE|CHANGE_BRANCH|BRANCH_NAME|CHANGE_AUTHOR\w*|GIT_COMMIT_MESSAGE))/;

function injections(text: string): Finding[] {
  return [...text.matchAll(INJECTED)].flatMap((match): Finding[] => {
    const found = TYPED.exec(match[1] ?? '');
    if (!found) return [];
    const message = `"${found[0].slice(0, 60)}" is put into the script as code; use single quotes and let the shell read the variable.`;
    return [{ rule: 'script-injection', severity: 'warning', message, ...lineColumn(text, match.index) }];
  });
}

function run({ text }: Subject): { findings: Finding[] } {
  if (text.length > MAX_LENGTH)
    return {
      findings: [
        { rule: 'too-large', severity: 'error', message: `The file is longer than ${MAX_LENGTH} characters.` },
      ],
    };
  const { code, faults } = blankGroovy(text);
  const source: Source = { code, text, faults };
  if (faults.length === 0) {
    const tops = blocksOf(code, text, 0, code.length);
    const declared = tops.filter(({ name }) => name === 'pipeline');
    for (const block of declared) pipeline(source, block);
    if (declared.length > 1)
      faults.push({ rule: 'duplicate-section', message: 'There are two pipelines.', at: declared[1]?.at ?? 0 });
    if (declared.length === 0) {
      const near = tops.find(({ name }) => hint(name, ['pipeline']) !== '');
      if (near)
        faults.push({
          rule: 'unknown-section',
          message: `"${near.name}" opens the file. Did you mean "pipeline"?`,
          at: near.at,
        });
      else if (code.trim() === '') {
        faults.push({ rule: 'no-pipeline', message: 'There is neither `pipeline` nor `node`.', at: 0 });
      }
    }
  }
  const findings = faults.map(
    ({ at, rule, message }): Finding => ({ rule, severity: 'error', message, ...lineColumn(text, at) }),
  );
  return { findings: [...findings, ...injections(text)] };
}

/** Jenkinsfiles by balance and by the structure of declarative pipelines; Groovy itself is not parsed and nothing is run. */
export const jenkinsfileVerifier: Verifier = {
  id: 'jenkinsfile',
  version: 'planwright/1 (syntax-lite)',
  applies: (path) =>
    /(?:^|\/)Jenkinsfile(?:\.[\w-]+)?$|\.jenkinsfile$|(?:^|\/)jenkins\/[^/]+\.groovy$/i.test(path) &&
    !/\.(?:md|txt|ya?ml|json)$/.test(path),
  run,
};
