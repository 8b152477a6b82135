import type { Finding } from '../../../plan/types';
import { lineColumn } from '../findings';
import { FUNCTIONS, TOP_BLOCKS } from './functions';
import { attributesIn, type Block, blocksIn, type Scanned } from './scan';

type Found = Omit<Finding, 'line' | 'column'> & { at: number };

/** What the files of one folder declare: `var.x`, `local.x`, `module.x`, `data.t.n`, `t.n`, each with how often. */
export function declarations(files: readonly Scanned[]): Map<string, number> {
  const names = new Map<string, number>();
  const add = (name: string): void => void names.set(name, (names.get(name) ?? 0) + 1);
  for (const file of files) {
    for (const block of file.blocks) {
      if (block.type === 'locals')
        for (const name of attributesIn(file.code, block.from, block.to).keys()) add(`local.${name}`);
      const name = address(block);
      if (name !== null) add(name);
      // The assertions of a check bring a data source of their own.
      if (block.type === 'check') {
        for (const inner of blocksIn(file.code, file.text, block.from, block.to)) {
          const own = address(inner);
          if (own !== null) add(own);
        }
      }
    }
  }
  return names;
}

function address({ type, labels }: Block): string | null {
  const [first = '', second = ''] = labels;
  if (type === 'variable') return `var.${first}`;
  if (type === 'module' || type === 'output') return `${type}.${first}`;
  if (type === 'resource') return `${first}.${second}`;
  if (type === 'data' || type === 'ephemeral') return `${type}.${first}.${second}`;
  return null;
}

/**
 * References that name nothing, blocks that cannot be, files that reach out of the module.
 * @param declared of all files of the folder, this one included
 */
export function referenceFindings(file: Scanned, declared: ReadonlyMap<string, number>): Finding[] {
  const found = [
    ...undeclared(file, declared),
    ...blockFaults(file, declared),
    ...functionFaults(file),
    ...fileReaches(file),
  ];
  return found.map(({ at, ...finding }) => ({ ...finding, ...lineColumn(file.text, at) }));
}

const KINDS: Readonly<Record<string, string>> = { var: 'variable', local: 'local value', module: 'module' };

function undeclared({ code }: Scanned, declared: ReadonlyMap<string, number>): Found[] {
  const loops = new Set<string>();
  for (const match of code.matchAll(/\bfor\s+([\w-]+)(?:\s*,\s*([\w-]+))?\s+in\b/g)) {
    for (const name of [match[1], match[2]]) if (name !== undefined) loops.add(name);
  }
  const types = new Set([...declared.keys()].map((name) => name.split('.')[0] ?? ''));
  const found: Found[] = [];
  const report = (at: number, what: string, name: string): void => {
    const message = `There is no ${what} "${name}" in this folder's files.`;
    found.push({ rule: `undeclared-${what.split(' ')[0]}`, severity: 'error', message, at });
  };
  for (const match of code.matchAll(/(?<![\w.-])(var|local|module)\s*\.\s*([A-Za-z_][\w-]*)/g)) {
    const [, root = '', name = ''] = match;
    if (!loops.has(root) && !declared.has(`${root}.${name}`)) report(match.index, KINDS[root] ?? root, name);
  }
  for (const match of code.matchAll(/(?<![\w.-])data\s*\.\s*([A-Za-z_][\w-]*)\s*\.\s*([A-Za-z_][\w-]*)/g)) {
    const [, type = '', name = ''] = match;
    if (!loops.has('data') && !declared.has(`data.${type}.${name}`))
      report(match.index, 'data source', `${type}.${name}`);
  }
  // A resource's type has an underscore; a bare word before a dot may be anything that a loop or a block brings.
  for (const match of code.matchAll(/(?<![\w.-])([a-z][a-z0-9]*_[a-z0-9_]+)\.([A-Za-z_][\w-]*)/g)) {
    const [, type = '', name = ''] = match;
    const brought = name === 'key' || name === 'value' || loops.has(type) || declared.has(`${type}.${name}`);
    // Of a type that nothing in the folder has, the word may be a dynamic block's or an iterator's.
    if (!brought && types.has(type)) report(match.index, 'resource', `${type}.${name}`);
    else if (
      !brought &&
      /^(?:aws|azurerm|google|kubernetes|helm|random|null|local|tls|docker|github|cloudflare|digitalocean|hcloud)_/.test(
        type,
      )
    ) {
      report(match.index, 'resource', `${type}.${name}`);
    }
  }
  return found;
}

function blockFaults({ code, text, blocks }: Scanned, declared: ReadonlyMap<string, number>): Found[] {
  const found: Found[] = [];
  const error = (rule: string, message: string, at: number): void =>
    void found.push({ rule, severity: 'error', message, at });
  for (const block of blocks) {
    const { type, labels, at, from, to } = block;
    const shape = Object.hasOwn(TOP_BLOCKS, type) ? TOP_BLOCKS[type] : undefined;
    if (!shape) {
      error('unknown-block', `"${type}" is not a block of a Terraform file.`, at);
      continue;
    }
    if (labels.length !== shape.labels) {
      error('block-labels', `A "${type}" block takes ${shape.labels} labels, and this one has ${labels.length}.`, at);
    }
    const name = address(block);
    if (name !== null && (declared.get(name) ?? 0) > 1) error('duplicate', `"${name}" is declared twice.`, at);
    const attributes = attributesIn(code, from, to);
    for (const [attribute, place] of shape.attributes ? attributes : []) {
      if (!shape.attributes?.includes(attribute)) {
        error('unknown-attribute', `A "${type}" block has no argument "${attribute}".`, place);
      }
    }
    for (const wanted of shape.required ?? []) {
      if (!attributes.has(wanted)) error('missing-attribute', `The "${type}" block lacks "${wanted}".`, at);
    }
    if (attributes.has('count') && attributes.has('for_each')) {
      error('count-and-for-each', '"count" and "for_each" exclude each other.', attributes.get('count') ?? at);
    }
    const legacy =
      type === 'variable'
        ? /^type[ \t]*=[ \t]*"(string|list|map)"/.exec(text.slice(attributes.get('type') ?? to))
        : null;
    if (legacy) {
      const message = `The type is written without quotes: type = ${legacy[1]}.`;
      found.push({ rule: 'quoted-type', severity: 'warning', message, at: attributes.get('type') ?? at });
    }
    if (type === 'resource') found.push(...provisioners(code, text, block));
    if (type === 'data' && labels[0] === 'external') {
      const message = 'The data source "external" runs a program on whoever plans.';
      found.push({ rule: 'external-program', severity: 'warning', message, at });
    }
  }
  return found;
}

function provisioners(code: string, text: string, block: Block): Found[] {
  return blocksIn(code, text, block.from, block.to).flatMap((inner): Found[] => {
    if (inner.type !== 'provisioner' || inner.labels[0] !== 'local-exec') return [];
    const message = 'A "local-exec" provisioner runs a command on whoever applies.';
    return [{ rule: 'local-exec', severity: 'warning', message, at: inner.at }];
  });
}

function functionFaults({ code }: Scanned): Found[] {
  return [...code.matchAll(/(?<![\w.:-])([A-Za-z_]\w*)\(/g)].flatMap((match): Found[] => {
    const name = match[1] ?? '';
    if (FUNCTIONS.has(name) || name === 'for' || name === 'in' || name === 'if') return [];
    return [
      { rule: 'unknown-function', severity: 'error', message: `There is no function "${name}".`, at: match.index },
    ];
  });
}

const READERS =
  /\b(?:file(?:base64|exists|md5|sha1|sha256|sha512|base64sha256|base64sha512|set)?|templatefile|abspath)\(\s*"/g;

/** Paths that functions read at plan time: outside of the module, their content would get into state and messages. */
function fileReaches({ code, text }: Scanned): Found[] {
  return [...code.matchAll(READERS)].flatMap((match): Found[] => {
    const from = match.index + match[0].length;
    const path = /^[^"\n]{0,400}/.exec(text.slice(from, from + 400))?.[0] ?? '';
    if (/^(?:\/|~|[A-Za-z]:\\)|^\$\{pathexpand/.test(path)) {
      const message =
        'A file outside of the module is read; put it into the module, or take the value from a variable.';
      return [{ rule: 'file-outside', severity: 'error', message, at: match.index }];
    }
    if (!/(?:^|[\\/])\.\.(?:[\\/]|$)/.test(path)) return [];
    // The repository's own files above the module are common; what is above the repository cannot be known here.
    const far = (path.match(/\.\.(?:[\\/]|$)/g) ?? []).length > 4;
    const message = 'A file above the module is read; its content gets into the plan.';
    return [{ rule: 'file-above', severity: far ? 'error' : 'warning', message, at: match.index }];
  });
}
