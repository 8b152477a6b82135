import type { Document } from 'yaml';
import type { Finding } from '../../../plan/types';
import { kubernetesKinds, validateBySchema } from '../schema';
import type { Outcome, Subject, Verifier, VerifyContext } from '../types';
import { dig, isRecord, list } from '../values';
import { parseYaml, yamlOf } from '../yaml-document';
import { podFindings } from './pods';
import { type Manifest, relationFindings } from './relations';

/** Groups whose kinds are all in the bundle; what it does not know there is a slip or was removed. */
const OWN_GROUP =
  /^(?:v1|(?:apps|autoscaling|batch|extensions|policy)\/\w+|(?:admissionregistration|apiextensions|apiregistration|authentication|authorization|certificates|coordination|discovery|events|networking|node|rbac\.authorization|resource|scheduling|storage)\.k8s\.io\/\w+|flowcontrol\.apiserver\.k8s\.io\/\w+)$/;

/** Folders that hold manifests of the same installation. */
const MANIFEST_PATH =
  /(?:^|\/)(?:k8s|kubernetes|manifests?|kustomize|overlays|base|argocd|deploy(?:ments?)?)(?:\/|[^/]*\.ya?ml$)/i;

/** Enough for a folder of manifests; more would make each file as slow as all. */
const MOST_SIBLINGS = 60;
const MOST_MANIFESTS = 400;

function isManifest(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && typeof value.apiVersion === 'string' && typeof value.kind === 'string';
}

async function run(subject: Subject, context: VerifyContext): Promise<Outcome> {
  // Read as YAML, a placeholder without quotes is a mapping.
  if (/(?::|-)[ \t]+\{\{|^[ \t]*\{\{/m.test(subject.text)) {
    return { findings: [], inconclusive: 'the file is a template, and the cluster gets what is made of it' };
  }
  const { documents, place } = yamlOf(subject);
  const findings: Finding[] = [];
  const manifests: Manifest[] = [];
  const unknown = new Set<string>();
  let inconclusive: string | undefined;
  for (const document of documents) {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    if (value === null || value === undefined) continue;
    for (const { item, prefix } of itemsOf(value)) {
      const report = (
        rule: string,
        severity: Finding['severity'],
        message: string,
        path: (string | number)[] = [],
      ): void => void findings.push({ rule, severity, message, ...place(nodeOf(document, [...prefix, ...path])) });
      if (!isManifest(item)) {
        report('no-kind', 'error', 'A manifest names its `apiVersion` and its `kind`, both as text.');
        continue;
      }
      const outcome = await schemaOf(item, { document, prefix, place, signal: context.signal });
      if ('reason' in outcome) inconclusive = outcome.reason;
      else if ('unknown' in outcome) unknown.add(outcome.unknown);
      else findings.push(...outcome.findings);
      manifests.push({ path: subject.path, value: item, report });
    }
  }
  const setElsewhere = kustomizedImages(context);
  for (const manifest of manifests) podFindings(manifest, setElsewhere);
  const all = [...manifests, ...siblingManifests(subject, context)];
  // Each is compared with all.
  if (all.length > MOST_MANIFESTS) inconclusive ??= `there are more than ${MOST_MANIFESTS} manifests to compare`;
  else relationFindings(manifests, all);
  if (unknown.size > 0) inconclusive ??= `no schema is known of ${[...unknown].slice(0, 5).join(', ')}`;
  return inconclusive === undefined ? { findings } : { findings, inconclusive };
}

/** A document's manifests: itself, or what a `List` holds. */
function itemsOf(value: unknown): { item: unknown; prefix: (string | number)[] }[] {
  if (isRecord(value) && value.kind === 'List' && value.apiVersion === 'v1' && Array.isArray(value.items)) {
    return value.items.map((item: unknown, index) => ({ item, prefix: ['items', index] }));
  }
  return [{ item: value, prefix: [] }];
}

interface From {
  document: Document;
  prefix: (string | number)[];
  place(node: unknown): object;
  signal?: AbortSignal;
}

async function schemaOf(
  item: Record<string, unknown>,
  from: From,
): Promise<{ findings: Finding[] } | { reason: string } | { unknown: string }> {
  const version = String(item.apiVersion);
  const name = `${version}/${String(item.kind)}`;
  const definition = kubernetesKinds().get(name);
  if (definition !== undefined) return validateBySchema('kubernetes', `/$defs/${definition}`, item, from);
  if (!OWN_GROUP.test(version)) return { unknown: name.slice(0, 120) };
  const group = version.includes('/') ? `${version.split('/')[0]}/` : '';
  const kind = `/${String(item.kind)}`;
  const sameGroup = [...kubernetesKinds().keys()].filter((one) =>
    group === '' ? /^v\d\w*\//.test(one) : one.startsWith(group),
  );
  const elsewhere =
    sameGroup.find((one) => one.endsWith(kind)) ?? [...kubernetesKinds().keys()].find((one) => one.endsWith(kind));
  const message =
    elsewhere === undefined
      ? `Kubernetes has no "${name.slice(0, 120)}".`
      : `Kubernetes has no "${name.slice(0, 120)}"; the kind's apiVersion is ${elsewhere.slice(0, elsewhere.lastIndexOf('/'))}.`;
  const node = nodeOf(from.document, [...from.prefix, elsewhere === undefined ? 'kind' : 'apiVersion']);
  return { findings: [{ rule: 'unknown-kind', severity: 'error', message, ...from.place(node) }] };
}

function siblingManifests(subject: Subject, context: VerifyContext): Manifest[] {
  const manifests: Manifest[] = [];
  let read = 0;
  for (const [path, text] of context.siblings) {
    if (path === subject.path || !/\.ya?ml$/i.test(path) || !isKubernetes(path, text)) continue;
    if (++read > MOST_SIBLINGS) break;
    for (const document of parseYaml(text, path).documents) {
      if (document.errors.length > 0) continue;
      const value: unknown = document.toJS({ maxAliasCount: 100 });
      for (const { item } of itemsOf(value)) {
        if (isManifest(item)) manifests.push({ path, value: item, report: () => undefined });
      }
    }
  }
  return manifests;
}

/** Images that a kustomization beside the manifests gives a name or a version. */
function kustomizedImages({ siblings }: VerifyContext): Set<string> {
  const names = new Set<string>();
  for (const [path, text] of siblings) {
    if (!/(?:^|\/)kustomization\.ya?ml$/i.test(path)) continue;
    const [document] = parseYaml(text, path).documents;
    if (!document || document.errors.length > 0) continue;
    for (const image of list(dig(document.toJS({ maxAliasCount: 100 }), 'images'))) {
      const name = dig(image, 'name');
      if (typeof name === 'string' && (dig(image, 'newTag') ?? dig(image, 'digest'))) names.add(name);
    }
  }
  return names;
}

function nodeOf(document: Document, path: readonly (string | number)[]): unknown {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (node !== undefined && node !== null) return node;
  }
  return document.contents;
}

const APPLIED = /^apiVersion:[ \t]*\S/m;
const KIND = /^kind:[ \t]*\S/m;

function isKubernetes(path: string, text: string): boolean {
  // Charts and kustomizations have apiVersion too, and other readers.
  if (/(?:^|\/)(?:Chart|kustomization|values[^/]*|skaffold|config|catalog-info)\.ya?ml$/i.test(path)) return false;
  if (/(?:^|\/)templates\//.test(path) && text.includes('{{')) return false;
  if (/(?:^|\/)(?:\.github|\.circleci|\.gitlab)\//.test(path)) return false;
  return APPLIED.test(text) && KIND.test(text);
}

/** Kubernetes manifests by the strict schemas of its own kinds, and by what refers to what. */
export const kubernetesVerifier: Verifier = {
  id: 'kubernetes',
  version: 'v1.37.0/planwright-1',
  applies: (path, text) =>
    /\.ya?ml$/i.test(path) &&
    (isKubernetes(path, text) ||
      (MANIFEST_PATH.test(path) &&
        !/(?:^|\/)templates\//.test(path) &&
        !/(?:compose|values|kustomization|Chart|playbook)[^/]*\.ya?ml$/i.test(path) &&
        (APPLIED.test(text) || KIND.test(text)))),
  after: ['yaml'],
  run,
};
