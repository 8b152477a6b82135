import { isMap, isScalar, isSeq } from 'yaml';

/** One reference out of a list of names, a list of `{ source }`, or a mapping by name. */
export interface Reference {
  item: string;
  node: unknown;
  value: unknown;
}

export function listOrKeys(field: unknown): Reference[] {
  if (isSeq(field)) {
    return field.items.flatMap((node): Reference[] => {
      const item = isMap(node) ? node.get('source') : isScalar(node) ? node.value : undefined;
      return typeof item === 'string' ? [{ item, node, value: null }] : [];
    });
  }
  if (!isMap(field)) return [];
  return field.items.flatMap(({ key, value }): Reference[] =>
    isScalar(key) && key.value !== '<<' ? [{ item: String(key.value), node: key, value }] : [],
  );
}

/** `[HOST_IP:][PUBLISHED:]TARGET[/PROTOCOL]`; a part may be a variable, a published one may be empty or a range. */
const SHORT_PORT =
  /^(?:(\[[0-9a-fA-F:]+\]|\d{1,3}(?:\.\d{1,3}){3}|localhost|\$\{[^}]*\}|\$\w+):)?(?:(\d*|\d+-\d+|\$\{[^}]*\}|\$\w+):)?(\d+|\d+-\d+|\$\{[^}]*\}|\$\w+)(?:\/(?:tcp|udp|sctp))?$/;

/** What is wrong with one entry of `ports`: sentences, none where it is right. */
export function portFindings(node: unknown): string[] {
  if (isMap(node)) {
    return node.has('target') || node.has('<<') ? [] : ['a port in the long form needs `target`.'];
  }
  if (!isScalar(node)) return [];
  const text = String(node.value);
  const match = SHORT_PORT.exec(text);
  if (!match) return [`"${text}" is not a port; the form is [IP:][HOST:]CONTAINER[/PROTOCOL].`];
  const numbers = [match[2], match[3]].flatMap((part) => (part ?? '').split('-')).filter((part) => /^\d+$/.test(part));
  return numbers.some((part) => Number(part) < 1 || Number(part) > 65_535)
    ? [`"${text}" is out of the range 1 to 65535.`]
    : [];
}

/** The host ports that an entry takes, as `8080/tcp` with the address where one is given; ranges and variables: none. */
export function publishedPorts(node: unknown): string[] {
  if (isMap(node)) {
    const published = node.get('published');
    const protocol = node.get('protocol') ?? 'tcp';
    return /^\d+$/.test(String(published ?? '')) ? [`${hostPart(node.get('host_ip'))}${published}/${protocol}`] : [];
  }
  if (!isScalar(node)) return [];
  const text = String(node.value);
  const match = SHORT_PORT.exec(text);
  const published = match?.[2] ?? '';
  if (!/^\d+$/.test(published)) return [];
  const protocol = /\/(\w+)$/.exec(text)?.[1] ?? 'tcp';
  return [`${hostPart(match?.[1])}${published}/${protocol}`];
}

function hostPart(address: unknown): string {
  return typeof address === 'string' && address !== '' && address !== '0.0.0.0' ? `${address}:` : '';
}

/** The named volume that an entry of a service's `volumes` mounts; null for paths, anonymous volumes and variables. */
export function volumeSource(node: unknown): string | null {
  if (isMap(node)) {
    const type = node.get('type');
    const source = node.get('source');
    return type === 'volume' && typeof source === 'string' && !source.includes('$') ? source : null;
  }
  if (!isScalar(node)) return null;
  const text = String(node.value);
  const source = /^([a-zA-Z0-9][\w.-]*):/.exec(text)?.[1];
  // One letter before a colon is a drive.
  return source !== undefined && source.length > 1 ? source : null;
}
