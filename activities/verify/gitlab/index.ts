import { type Document, isMap, isScalar, isSeq, visit } from 'yaml';
import type { Finding } from '../../../plan/types';
import { validateBySchema } from '../schema';
import type { Outcome, Subject, Verifier, VerifyContext } from '../types';
import { isRecord } from '../values';
import { yamlOf } from '../yaml-document';
import { jobFindings } from './jobs';

const PATH =
  /(?:^|\/)\.gitlab-ci[^/]*\.ya?ml$|(?:^|\/)[^/]+\.gitlab-ci\.ya?ml$|(?:^|\/)\.gitlab\/(?:ci|pipelines?)\/.*\.ya?ml$/i;
/** Only this file is a pipeline of its own; the others are parts that one includes. */
const WHOLE = /(?:^|\/)\.gitlab-ci\.ya?ml$/i;

/** What `!reference` puts in is not known here; the schema takes a list of names in its place. */
function references(document: Document): { job: string; node: unknown }[] {
  const found: { job: string; node: unknown }[] = [];
  visit(document, {
    Seq(_key, node) {
      if (node.tag !== '!reference') return;
      const [first] = node.items;
      if (isScalar(first) && typeof first.value === 'string') found.push({ job: first.value, node });
    },
  });
  return found;
}

async function run(subject: Subject, context: VerifyContext): Promise<Outcome> {
  const { documents, place } = yamlOf(subject);
  // A file with inputs has a header of its own before the pipeline.
  const document = documents.at(-1);
  const root = document?.contents;
  if (!document || !isMap(root)) {
    const whole = WHOLE.test(subject.path);
    return {
      findings: whole
        ? [{ rule: 'no-jobs', severity: 'error', message: 'The file has no jobs.', line: 1, column: 1 }]
        : [],
    };
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  const marked = references(document);
  const findings: Finding[] = jobFindings(value, {
    whole: WHOLE.test(subject.path),
    references: marked,
    at: (path) => place(nodeOf(document, path)),
    place,
  });
  if (hasInputs(subject.text)) return { findings };
  const checked = await validateBySchema('gitlab-ci', '', withoutNulls(value), {
    document,
    place,
    signal: context.signal,
  });
  if ('reason' in checked) return { findings, inconclusive: checked.reason };
  const unknown = marked.flatMap(({ node }) => Object.values(place(node)).slice(0, 1));
  const told = new Set<unknown>([...findings.map(({ line }) => line), ...unknown]);
  // The schema says of a place only that no form fits; where our own rule has spoken, that is enough.
  findings.push(...checked.findings.filter(({ line }) => !told.has(line)));
  return { findings };
}

/** A key of a job that is null is unset; the schema does not know that. */
function withoutNulls(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).map(([name, job]) => {
    const keys = isRecord(job) ? Object.entries(job).filter(([, one]) => one !== null) : null;
    return [name, keys ? Object.fromEntries(keys) : job] as const;
  });
  return Object.fromEntries(kept);
}

/** `$[[ inputs.x ]]` may stand for a value of any type. */
function hasInputs(text: string): boolean {
  return text.includes('$[[');
}

function nodeOf(document: Document, path: readonly (string | number)[]): unknown {
  let node: unknown = document.contents;
  for (const part of path) {
    const next: unknown = isMap(node) ? node.get(part, true) : isSeq(node) ? node.get(Number(part), true) : undefined;
    if (next === undefined || next === null) break;
    if (isMap(node) && part === path.at(-1)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
      return pair?.key ?? next;
    }
    node = next;
  }
  return node;
}

/** GitLab pipelines by GitLab's own schema, and by what refers to what. */
export const gitlabVerifier: Verifier = {
  id: 'gitlab-ci',
  version: 'planwright/1',
  applies: (path) => PATH.test(path),
  after: ['yaml'],
  run,
};
