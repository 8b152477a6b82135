import type { Finding } from '../../../plan/types';
import { distance } from '../near';
import { dig, isRecord, list, text } from '../values';
import { podOf } from './pods';

export interface Manifest {
  path: string;
  value: Record<string, unknown>;
  /** Tells a finding at a path inside of the manifest; does nothing for those of other files. */
  report(rule: string, severity: Finding['severity'], message: string, path?: (string | number)[]): void;
}

const namespaceOf = ({ value }: Manifest): string => text(dig(value, 'metadata', 'namespace'));
const nameOf = ({ value }: Manifest): string => text(dig(value, 'metadata', 'name'));

/** One that names none may end up in any. */
const sameNamespace = (a: Manifest, b: Manifest): boolean =>
  namespaceOf(a) === '' || namespaceOf(b) === '' || namespaceOf(a) === namespaceOf(b);

/**
 * What manifests say of each other. Where what is meant may lie in another place (a chart, the cluster), nothing is said.
 * @param own those of the file under test
 * @param all those and the ones of the files beside it
 */
export function relationFindings(own: readonly Manifest[], all: readonly Manifest[]): void {
  for (const manifest of own) {
    selector(manifest);
    if (manifest.value.kind === 'Service') service(manifest, all);
    if (manifest.value.kind === 'Ingress') ingress(manifest, all);
    if (manifest.value.kind === 'HorizontalPodAutoscaler') scaleTarget(manifest, all);
    if (manifest.value.kind === 'StatefulSet') governing(manifest, all);
    references(manifest, all);
  }
  duplicates(own);
}

/** A workload that does not select its own pods is refused by the API server. */
function selector({ value, report }: Manifest): void {
  const wanted = dig(value, 'spec', 'selector', 'matchLabels');
  const found = podOf(value);
  if (!isRecord(wanted) || !found || found.path.length === 0 || value.kind === 'Job' || value.kind === 'CronJob')
    return;
  const labels = dig(found.pod, 'metadata', 'labels');
  for (const [name, label] of Object.entries(wanted)) {
    if (isRecord(labels) && labels[name] === label) continue;
    report(
      'selector',
      'error',
      `The selector wants the label "${name}: ${String(label).slice(0, 60)}", which the pod template does not have.`,
      ['spec', 'selector', 'matchLabels', name],
    );
  }
}

function matches(wanted: Record<string, unknown>, labels: unknown): boolean {
  return isRecord(labels) && Object.entries(wanted).every(([name, label]) => labels[name] === label);
}

function service(manifest: Manifest, all: readonly Manifest[]): void {
  const { value, report } = manifest;
  const wanted = dig(value, 'spec', 'selector');
  const ports = list(dig(value, 'spec', 'ports'));
  const names = ports.map((port) => text(dig(port, 'name')));
  const external = dig(value, 'spec', 'type') === 'ExternalName';
  const headless = dig(value, 'spec', 'clusterIP') === 'None';
  if (ports.length === 0 && !external && !headless)
    report('service-ports', 'error', 'The Service has no ports.', ['spec']);
  if (ports.length > 1 && names.some((name) => name === '')) {
    report('service-ports', 'error', 'Each of several ports needs a name.', ['spec', 'ports']);
  }
  ports.forEach((port, index) => {
    for (const key of ['port', 'nodePort']) {
      const number = dig(port, key);
      if (typeof number === 'number' && (number < 1 || number > 65_535))
        report('port-range', 'error', `${number} is not a port (1 to 65535).`, ['spec', 'ports', index, key]);
    }
    if (names.indexOf(names[index] ?? '') !== index && names[index] !== '') {
      report('service-ports', 'error', `Two ports are named "${names[index]}".`, ['spec', 'ports', index]);
    }
  });
  if (!isRecord(wanted) || Object.keys(wanted).length === 0) return;
  const workloads = all.filter((other) => sameNamespace(manifest, other) && podOf(other.value));
  const selected = workloads.filter((other) => matches(wanted, dig(podOf(other.value)?.pod, 'metadata', 'labels')));
  if (selected.length === 0) {
    const near = workloads.filter(({ path }) => path === manifest.path);
    // With a workload in the same file, a Service that selects nothing there is a slip far more often than not.
    if (near.length > 0) {
      const severity = near.length === 1 || workloads.length === near.length ? 'error' : 'warning';
      const labels = Object.entries(wanted)
        .map(([name, label]) => `${name}: ${String(label)}`)
        .join(', ');
      report(
        'service-selector',
        severity,
        `The Service selects "${labels.slice(0, 120)}", and no pod here has these labels.`,
        ['spec', 'selector'],
      );
    }
    return;
  }
  const containers = selected.flatMap((other) => {
    const pod = podOf(other.value)?.pod;
    return [...list(dig(pod, 'spec', 'containers')), ...list(dig(pod, 'spec', 'initContainers'))];
  });
  const open = containers.flatMap((container) => list(dig(container, 'ports')));
  ports.forEach((port, index) => {
    const target = dig(port, 'targetPort') ?? dig(port, 'port');
    const known =
      typeof target === 'number'
        ? open.some((one) => dig(one, 'containerPort') === target)
        : open.some((one) => dig(one, 'name') === target) || /^\d+$|\$\{|\{\{/.test(text(target));
    if (known || open.length === 0) return;
    // A port need not be listed to be open, a name must be.
    const severity = typeof target === 'number' ? 'warning' : 'error';
    const where = dig(port, 'targetPort') === undefined ? 'port' : 'targetPort';
    report(
      'target-port',
      typeof target === 'number' && selected.length === 1 ? 'error' : severity,
      `The Service sends to port "${String(target).slice(0, 60)}", which the pods it selects do not list.`,
      ['spec', 'ports', index, where],
    );
  });
}

function find(all: readonly Manifest[], from: Manifest, kind: string, name: string): Manifest | undefined {
  return all.find((other) => other.value.kind === kind && nameOf(other) === name && sameNamespace(from, other));
}

function ingress(manifest: Manifest, all: readonly Manifest[]): void {
  const services = all.filter(({ value }) => value.kind === 'Service');
  const backend = (value: unknown, path: (string | number)[]): void => {
    const name = text(dig(value, 'service', 'name'));
    if (name === '' || services.length === 0) return;
    const target = find(all, manifest, 'Service', name);
    if (!target) {
      manifest.report('ingress-backend', 'error', `The Ingress sends to the Service "${name}", which is not here.`, [
        ...path,
        'service',
        'name',
      ]);
      return;
    }
    const ports = list(dig(target.value, 'spec', 'ports'));
    const number = dig(value, 'service', 'port', 'number');
    const portName = dig(value, 'service', 'port', 'name');
    const known = ports.some((port) =>
      number === undefined ? dig(port, 'name') === portName : dig(port, 'port') === number,
    );
    if (!known && (number !== undefined || portName !== undefined)) {
      manifest.report(
        'ingress-backend',
        'error',
        `The Service "${name}" has no port "${String(number ?? portName).slice(0, 60)}".`,
        [...path, 'service', 'port'],
      );
    }
  };
  backend(dig(manifest.value, 'spec', 'defaultBackend'), ['spec', 'defaultBackend']);
  list(dig(manifest.value, 'spec', 'rules')).forEach((rule, index) => {
    list(dig(rule, 'http', 'paths')).forEach((one, at) => {
      backend(dig(one, 'backend'), ['spec', 'rules', index, 'http', 'paths', at, 'backend']);
    });
  });
}

function scaleTarget(manifest: Manifest, all: readonly Manifest[]): void {
  const target = dig(manifest.value, 'spec', 'scaleTargetRef');
  const least = dig(manifest.value, 'spec', 'minReplicas');
  const most = dig(manifest.value, 'spec', 'maxReplicas');
  if (typeof least === 'number' && typeof most === 'number' && least > most) {
    manifest.report('replicas', 'error', 'minReplicas is above maxReplicas.', ['spec', 'minReplicas']);
  }
  const [kind, name] = [text(dig(target, 'kind')), text(dig(target, 'name'))];
  const beside = all.filter(({ value }) => value.kind === kind);
  if (name === '' || beside.length === 0 || find(all, manifest, kind, name)) return;
  const surely = beside.some((other) => other.path === manifest.path || distance(nameOf(other), name) <= 2);
  manifest.report('scale-target', surely ? 'error' : 'warning', `There is no ${kind} "${name}" here to scale.`, [
    'spec',
    'scaleTargetRef',
    'name',
  ]);
}

function governing(manifest: Manifest, all: readonly Manifest[]): void {
  const name = text(dig(manifest.value, 'spec', 'serviceName'));
  if (name === '' || !all.some(({ value, path }) => value.kind === 'Service' && path === manifest.path)) return;
  if (!find(all, manifest, 'Service', name)) {
    manifest.report('service-name', 'warning', `There is no Service "${name}" here for the StatefulSet.`, [
      'spec',
      'serviceName',
    ]);
  }
}

/** Config maps, secrets, claims and accounts: an error where others of the kind stand here, under other names; the cluster may have it, hence a warning. */
function references(manifest: Manifest, all: readonly Manifest[]): void {
  const found = podOf(manifest.value);
  if (!found) return;
  const check = (kind: string, name: string, path: (string | number)[], optional: unknown): void => {
    if (name === '' || optional === true || /\$\{|\{\{/.test(name)) return;
    const beside = all.filter((other) => other.value.kind === kind && sameNamespace(manifest, other));
    if (beside.length === 0 || beside.some((other) => nameOf(other) === name)) return;
    // Kustomize adds a digest to names that it generates, so a prefix is enough.
    const near = beside.some((other) => distance(nameOf(other), name) <= 2);
    manifest.report(
      `unknown-${kind.toLowerCase()}`,
      near ? 'error' : 'warning',
      `There is no ${kind} "${name.slice(0, 80)}" here.`,
      path,
    );
  };
  const { pod, path } = found;
  list(dig(pod, 'spec', 'volumes')).forEach((volume, index) => {
    const at = [...path, 'spec', 'volumes', index];
    check('ConfigMap', text(dig(volume, 'configMap', 'name')), at, dig(volume, 'configMap', 'optional'));
    check('Secret', text(dig(volume, 'secret', 'secretName')), at, dig(volume, 'secret', 'optional'));
    check('PersistentVolumeClaim', text(dig(volume, 'persistentVolumeClaim', 'claimName')), at, false);
  });
  check('ServiceAccount', text(dig(pod, 'spec', 'serviceAccountName')), [...path, 'spec', 'serviceAccountName'], false);
  list(dig(pod, 'spec', 'containers')).forEach((container, index) => {
    const at = [...path, 'spec', 'containers', index];
    list(dig(container, 'envFrom')).forEach((from, place) => {
      check(
        'ConfigMap',
        text(dig(from, 'configMapRef', 'name')),
        [...at, 'envFrom', place],
        dig(from, 'configMapRef', 'optional'),
      );
      check(
        'Secret',
        text(dig(from, 'secretRef', 'name')),
        [...at, 'envFrom', place],
        dig(from, 'secretRef', 'optional'),
      );
    });
    list(dig(container, 'env')).forEach((one, place) => {
      for (const [key, kind] of [
        ['configMapKeyRef', 'ConfigMap'],
        ['secretKeyRef', 'Secret'],
      ] as const) {
        const reference = dig(one, 'valueFrom', key);
        check(kind, text(dig(reference, 'name')), [...at, 'env', place], dig(reference, 'optional'));
      }
    });
  });
}

function duplicates(own: readonly Manifest[]): void {
  const seen = new Set<string>();
  for (const manifest of own) {
    const { value, report } = manifest;
    const key = JSON.stringify([value.apiVersion, value.kind, namespaceOf(manifest), nameOf(manifest)]);
    if (nameOf(manifest) !== '' && seen.has(key)) {
      report('duplicate', 'error', `${text(value.kind)} "${nameOf(manifest)}" stands twice in this file.`, [
        'metadata',
        'name',
      ]);
    }
    seen.add(key);
  }
}
