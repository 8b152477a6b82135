import { dig, isRecord, list, text } from '../values';
import type { Manifest } from './relations';

/** Where each kind keeps its pod's template. */
const TEMPLATE_OF: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  Deployment: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicationController: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};

/** The pod (metadata and spec) that a manifest makes, with the way to it; null where it makes none. */
export function podOf(value: Record<string, unknown>): { pod: Record<string, unknown>; path: string[] } | null {
  const kind = text(value.kind);
  const path = Object.hasOwn(TEMPLATE_OF, kind) ? TEMPLATE_OF[kind] : undefined;
  const pod = path && dig(value, ...path);
  return path && isRecord(pod) ? { pod, path: [...path] } : null;
}

const QUANTITY = /^[+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})(?:[eE][+-]?\d{1,3}|[numkMGTPE]|[KMGTPE]i)?$/;
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/;
/** Kinds whose names may hold colons. */
const FREE_NAMES = /^(?:Cluster)?Role(?:Binding)?$|^APIService$/;
const PULL = new Set(['Always', 'IfNotPresent', 'Never']);
const RESTART = new Set(['Always', 'OnFailure', 'Never']);
/** Set where a tool fills the value in later. */
const FILLED = /\$\{|\{\{|^\$\(/;

/**
 * What the API server refuses beyond the schema, in names, labels and pods.
 * @param setElsewhere names of images whose version a kustomization of the same files sets
 */
export function podFindings(manifest: Manifest, setElsewhere: ReadonlySet<string>): void {
  const { value, report } = manifest;
  const name = dig(value, 'metadata', 'name');
  if (
    name === undefined &&
    dig(value, 'metadata', 'generateName') === undefined &&
    !/Review$|^Kustomization$/.test(text(value.kind))
  ) {
    report('no-name', 'error', `The ${text(value.kind)} has no metadata.name.`, ['metadata']);
  } else if (typeof name === 'string' && !FILLED.test(name) && !FREE_NAMES.test(text(value.kind)) && !NAME.test(name)) {
    report('name', 'error', `"${name.slice(0, 80)}" is not a name: lower-case letters, digits, "-" and ".".`, [
      'metadata',
      'name',
    ]);
  }
  labels(manifest, ['metadata', 'labels']);
  const found = podOf(value);
  if (!found) return;
  const { pod, path } = found;
  if (path.length > 0) labels(manifest, [...path, 'metadata', 'labels']);
  const restart = dig(pod, 'spec', 'restartPolicy');
  const kind = text(value.kind);
  const allowed =
    kind === 'Job' || kind === 'CronJob'
      ? new Set(['OnFailure', 'Never'])
      : path.length > 0
        ? new Set(['Always'])
        : RESTART;
  if (typeof restart === 'string' && !FILLED.test(restart) && !allowed.has(restart)) {
    report('restart-policy', 'error', `restartPolicy of a ${kind} is ${[...allowed].join(' or ')}.`, [
      ...path,
      'spec',
      'restartPolicy',
    ]);
  } else if (restart === undefined && (kind === 'Job' || kind === 'CronJob')) {
    report('restart-policy', 'error', `A ${kind} sets restartPolicy to OnFailure or Never.`, [...path, 'spec']);
  }
  const names = new Set<string>();
  const volumes = volumeNames(value, pod);
  for (const section of ['initContainers', 'containers'] as const) {
    const containers = list(dig(pod, 'spec', section));
    if (section === 'containers' && containers.length === 0) {
      report('no-containers', 'error', 'The pod has no containers.', [...path, 'spec']);
    }
    containers.forEach((container, index) => {
      if (!isRecord(container)) return;
      const where = [...path, 'spec', section, index];
      if (names.has(text(container.name))) {
        report('duplicate-container', 'error', `Two containers are named "${text(container.name)}".`, where);
      }
      names.add(text(container.name));
      containerFindings(container, where, { volumes, setElsewhere }, manifest);
    });
  }
}

function volumeNames(value: Record<string, unknown>, pod: Record<string, unknown>): Set<string> {
  const claims = list(dig(value, 'spec', 'volumeClaimTemplates')).map((one) => text(dig(one, 'metadata', 'name')));
  return new Set([...list(dig(pod, 'spec', 'volumes')).map((one) => text(dig(one, 'name'))), ...claims]);
}

function containerFindings(
  container: Record<string, unknown>,
  where: (string | number)[],
  { volumes, setElsewhere }: { volumes: ReadonlySet<string>; setElsewhere: ReadonlySet<string> },
  { report }: Manifest,
): void {
  const name = text(container.name);
  const image = container.image;
  if (image === undefined) report('no-image', 'error', `Container "${name}" has no image.`, where);
  else if (typeof image === 'string' && !FILLED.test(image)) {
    if (/\s|^$|^https?:/.test(image))
      report('image', 'error', `"${image.slice(0, 100)}" is not an image reference.`, [...where, 'image']);
    else if (!setElsewhere.has(image) && !image.includes('@') && /(?::latest|^[^:]*|\/[^:]*)$/.test(image)) {
      report('latest-tag', 'warning', `The image "${image.slice(0, 100)}" moves; name a version.`, [...where, 'image']);
    }
  }
  const pull = container.imagePullPolicy;
  if (typeof pull === 'string' && !FILLED.test(pull) && !PULL.has(pull)) {
    report('pull-policy', 'error', `imagePullPolicy is one of ${[...PULL].join(', ')}.`, [...where, 'imagePullPolicy']);
  }
  const mounted = new Set<string>();
  list(container.volumeMounts).forEach((mount, index) => {
    const volume = text(dig(mount, 'name'));
    const path = text(dig(mount, 'mountPath'));
    if (volume !== '' && !FILLED.test(volume) && !volumes.has(volume)) {
      report(
        'undeclared-volume',
        'error',
        `Container "${name}" mounts the volume "${volume}", which the pod does not have.`,
        [...where, 'volumeMounts', index, 'name'],
      );
    }
    if (mounted.has(path))
      report('duplicate-mount', 'error', `Two volumes are mounted at "${path}".`, [...where, 'volumeMounts', index]);
    mounted.add(path);
  });
  portsAndProbes(container, where, report);
  resources(container, where, report);
  envNames(container, where, report);
}

function portsAndProbes(
  container: Record<string, unknown>,
  where: (string | number)[],
  report: Manifest['report'],
): void {
  const names = new Set<string>();
  list(container.ports).forEach((port, index) => {
    const number = dig(port, 'containerPort');
    if (typeof number === 'number' && (number < 1 || number > 65_535)) {
      report('port-range', 'error', `${number} is not a port (1 to 65535).`, [
        ...where,
        'ports',
        index,
        'containerPort',
      ]);
    }
    const name = text(dig(port, 'name'));
    if (
      name !== '' &&
      !FILLED.test(name) &&
      (!/^[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?$/.test(name) || !/[a-z]/.test(name))
    ) {
      report(
        'port-name',
        'error',
        `"${name.slice(0, 60)}" is not a port's name: at most 15 lower-case letters, digits and "-".`,
        [...where, 'ports', index, 'name'],
      );
    }
    if (name !== '' && names.has(name))
      report('port-name', 'error', `Two ports are named "${name}".`, [...where, 'ports', index]);
    names.add(name);
  });
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const value = container[probe];
    if (!isRecord(value)) continue;
    const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc'].filter((one) => value[one] !== undefined);
    if (handlers.length !== 1) {
      report('probe', 'error', `The ${probe} needs exactly one of exec, httpGet, tcpSocket and grpc.`, [
        ...where,
        probe,
      ]);
    }
    for (const handler of ['httpGet', 'tcpSocket']) {
      const port = dig(value, handler, 'port');
      if (typeof port === 'string' && !FILLED.test(port) && !/^\d+$/.test(port) && !names.has(port)) {
        report(
          'probe',
          'error',
          `The ${probe} uses the port "${port.slice(0, 60)}", which the container does not name.`,
          [...where, probe, handler, 'port'],
        );
      }
      if (typeof port === 'number' && (port < 1 || port > 65_535))
        report('port-range', 'error', `${port} is not a port (1 to 65535).`, [...where, probe]);
    }
  }
}

function resources(container: Record<string, unknown>, where: (string | number)[], report: Manifest['report']): void {
  for (const side of ['limits', 'requests']) {
    const amounts = dig(container, 'resources', side);
    for (const [name, amount] of Object.entries(isRecord(amounts) ? amounts : {})) {
      if (typeof amount !== 'string' || FILLED.test(amount) || QUANTITY.test(amount)) continue;
      report(
        'quantity',
        'error',
        `"${amount.slice(0, 40)}" is not an amount of ${name.slice(0, 40)}; write for example 500m, 128Mi or 2.`,
        [...where, 'resources', side, name],
      );
    }
  }
  const limit = bytes(dig(container, 'resources', 'limits', 'memory'));
  const request = bytes(dig(container, 'resources', 'requests', 'memory'));
  if (limit !== null && request !== null && request > limit) {
    report('quantity', 'error', 'More memory is requested than the limit allows.', [...where, 'resources']);
  }
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

function bytes(value: unknown): number | null {
  const match = /^(\d{1,15}(?:\.\d{1,9})?)(k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(
    typeof value === 'number' ? String(value) : text(value),
  );
  return match ? Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1) : null;
}

function envNames(container: Record<string, unknown>, where: (string | number)[], report: Manifest['report']): void {
  list(container.env).forEach((one, index) => {
    if (isRecord(one) && one.value !== undefined && one.valueFrom !== undefined) {
      report('env', 'error', `The variable "${text(one.name)}" has both value and valueFrom.`, [
        ...where,
        'env',
        index,
      ]);
    }
  });
}

function labels({ value, report }: Manifest, path: string[]): void {
  const found = dig(value, ...path);
  for (const [name, label] of Object.entries(isRecord(found) ? found : {})) {
    if (typeof label === 'string' && !FILLED.test(label) && !LABEL_VALUE.test(label)) {
      report(
        'label',
        'error',
        `"${label.slice(0, 80)}" is not a label's value: at most 63 letters, digits, "-", "_" and ".".`,
        [...path, name],
      );
    }
  }
}
