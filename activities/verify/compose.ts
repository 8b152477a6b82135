import { isMap, isScalar, isSeq, type YAMLMap } from 'yaml';
import type { Finding } from '../../plan/types';
import { listOrKeys, portFindings, publishedPorts, volumeSource } from './compose-parts';
import { validateBySchema } from './schema';
import type { Outcome, Subject, Verifier, VerifyContext } from './types';
import { yamlOf } from './yaml-document';

const TOP_KEYS = new Set([
  'name',
  'version',
  'services',
  'networks',
  'volumes',
  'secrets',
  'configs',
  'include',
  'models',
]);
const CONDITIONS = new Set(['service_started', 'service_healthy', 'service_completed_successfully']);

/** What one check of a compose file sees. */
interface Model {
  root: YAMLMap;
  /** Names by section, and whether another file may add to them (`include`, an override file). */
  declared: Record<'networks' | 'volumes' | 'secrets' | 'configs' | 'services', Set<string>>;
  open: boolean;
  report(rule: string, severity: Finding['severity'], message: string, node: unknown): void;
}

async function run(subject: Subject, context: VerifyContext): Promise<Outcome> {
  const { path } = subject;
  const { documents, place } = yamlOf(subject);
  const document = documents[0];
  const root = document?.contents;
  const findings: Finding[] = [];
  const report: Model['report'] = (rule, severity, message, node) =>
    void findings.push({ rule, severity, message, ...place(node) });
  if (!isMap(root)) {
    report('no-services', 'error', 'A compose file is a mapping with `services:`.', root);
    return { findings };
  }
  // An override file completes another one, so what it lacks may stand there.
  const open = root.has('include') || /override|compose\.[^/]+\.ya?ml$/.test(path);
  const declared = {
    networks: names(root, 'networks').add('default'),
    volumes: names(root, 'volumes'),
    secrets: names(root, 'secrets'),
    configs: names(root, 'configs'),
    services: names(root, 'services'),
  };
  topLevel({ root, declared, open, report });
  const services = root.get('services');
  if (isMap(services)) {
    const used = new Map<string, string>();
    for (const { key, value } of services.items) service({ root, declared, open, report }, scalar(key), value, used);
  }
  const value: unknown = document?.toJS({ maxAliasCount: 100 });
  if (!document || subject.text.includes('{{')) return { findings };
  const checked = await validateBySchema('compose', '', value, { document, place, signal: context.signal });
  if ('reason' in checked) return { findings, inconclusive: checked.reason };
  // Our own rules say more of the same place.
  const told = new Set(findings.map(({ line }) => line));
  findings.push(...checked.findings.filter(({ line }) => !told.has(line)));
  return { findings };
}

function topLevel({ root, open, report }: Model): void {
  for (const { key } of root.items) {
    const name = scalar(key);
    if (!TOP_KEYS.has(name) && !name.startsWith('x-') && name !== '<<') {
      report(
        'unknown-key',
        'error',
        `"${name}" is not a top-level key of a compose file; extensions begin with "x-".`,
        key,
      );
    }
    if (name === 'version')
      report('obsolete-version', 'info', '`version:` is obsolete and ignored; leave it out.', key);
  }
  const services = root.get('services', true);
  if (services === undefined && !open) report('no-services', 'error', 'There is no `services:` mapping.', root);
  else if (services !== undefined && !isMap(services))
    report('no-services', 'error', '`services:` must be a mapping.', services);
  else if (isMap(services) && services.items.length === 0)
    report('no-services', 'error', '`services:` is empty.', services);
}

function service(model: Model, name: string, value: unknown, used: Map<string, string>): void {
  const { report, open, declared } = model;
  if (name.startsWith('x-') || name === '<<') return;
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) report('service-name', 'error', `"${name}" is not a service name.`, value);
  if (!isMap(value)) {
    report('service', 'error', `Service "${name}" must be a mapping.`, value);
    return;
  }
  // What is merged (`<<`) or extended is not followed; such a service gets the benefit of the doubt.
  const whole = !open && !value.has('<<') && !value.has('extends') && !value.has('provider');
  if (whole && !value.has('image') && !value.has('build')) {
    report('no-image', 'error', `Service "${name}" has neither \`image\` nor \`build\`.`, value);
  }
  for (const { key, value: field } of value.items) {
    if (scalar(key) in MISSPELLED)
      report(
        'unknown-key',
        'error',
        `"${scalar(key)}" in service "${name}": did you mean "${MISSPELLED[scalar(key)]}"?`,
        key,
      );
    // Services of different profiles may take the same port, as they need not run together.
    if (scalar(key) === 'ports') ports(model, name, field, value.has('profiles') ? new Map() : used);
    if (scalar(key) === 'depends_on') dependsOn(model, name, field);
  }
  const reference = (section: 'networks' | 'secrets' | 'configs', item: string, node: unknown): void => {
    if (open || item.includes('$') || declared[section].has(item)) return;
    report(
      `undeclared-${section.slice(0, -1)}`,
      'error',
      `Service "${name}" uses "${item}", which the top-level \`${section}:\` does not declare.`,
      node,
    );
  };
  for (const section of ['networks', 'secrets', 'configs'] as const) {
    for (const { item, node } of listOrKeys(value.get(section, true))) reference(section, item, node);
  }
  const volumes = value.get('volumes', true);
  for (const node of isSeq(volumes) ? volumes.items : []) {
    const source = volumeSource(node);
    if (source === null || open || declared.volumes.has(source)) continue;
    report(
      'undeclared-volume',
      'error',
      `Service "${name}" mounts the volume "${source}", which the top-level \`volumes:\` does not declare; a path begins with "./".`,
      node,
    );
  }
}

/** Slips that models and people make; compose refuses every unknown key, and these say what was meant. */
const MISSPELLED: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  imagee: 'image',
  img: 'image',
  port: 'ports',
  volume: 'volumes',
  env: 'environment',
  environments: 'environment',
  network: 'networks',
  depends: 'depends_on',
  dependsOn: 'depends_on',
  'depends-on': 'depends_on',
  health_check: 'healthcheck',
  health: 'healthcheck',
  envFile: 'env_file',
  'env-file': 'env_file',
  containerName: 'container_name',
  cmd: 'command',
  secret: 'secrets',
});

function ports(model: Model, name: string, field: unknown, used: Map<string, string>): void {
  if (!isSeq(field)) {
    model.report('ports', 'error', `\`ports\` of service "${name}" must be a list.`, field);
    return;
  }
  for (const node of field.items) {
    for (const message of portFindings(node)) model.report('ports', 'error', `Service "${name}": ${message}`, node);
    for (const published of publishedPorts(node)) {
      const other = used.get(published);
      if (other !== undefined) {
        model.report(
          'duplicate-port',
          'error',
          `Service "${name}" publishes port ${published}, which service "${other}" publishes already.`,
          node,
        );
      }
      used.set(published, name);
    }
  }
}

function dependsOn(model: Model, name: string, field: unknown): void {
  for (const { item, node, value } of listOrKeys(field)) {
    if (item === name) model.report('depends-on', 'error', `Service "${name}" depends on itself.`, node);
    else if (!model.open && !model.declared.services.has(item)) {
      model.report('depends-on', 'error', `Service "${name}" depends on "${item}", which is not a service.`, node);
    }
    if (!isMap(value)) continue;
    const condition = value.get('condition');
    if (typeof condition === 'string' && !CONDITIONS.has(condition)) {
      model.report(
        'depends-on',
        'error',
        `"${condition}" is not a condition; use one of ${[...CONDITIONS].join(', ')}.`,
        value,
      );
    }
    const target = model.root.getIn(['services', item], true);
    const image = isMap(target) && !target.has('healthcheck') && !target.has('<<') && !target.has('extends');
    if (condition === 'service_healthy' && image && !model.open) {
      model.report(
        'depends-on',
        'warning',
        `Service "${name}" waits for "${item}" to be healthy, which has no \`healthcheck\` here; its image must bring one.`,
        node,
      );
    }
  }
}

function names(root: YAMLMap, section: string): Set<string> {
  const value = root.get(section);
  return new Set(isMap(value) ? value.items.map(({ key }) => scalar(key)) : []);
}

function scalar(node: unknown): string {
  return isScalar(node) ? String(node.value) : '';
}

/** Compose files by the schema of the Compose Specification, and by what refers to what; nothing is run. */
export const composeVerifier: Verifier = {
  id: 'compose',
  version: 'planwright/1',
  applies: (path) =>
    /(?:^|\/)(?:docker-)?compose[^/]*\.ya?ml$/i.test(path) &&
    !/(?:^|\/)(?:tasks|handlers|vars|defaults|templates)\//.test(path),
  after: ['yaml'],
  run,
};
