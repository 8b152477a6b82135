/**
 * Makes the tables of `activities/verify/schemas/` anew, from three unpacked Python wheels and one program's output:
 *
 *   node scripts/make-schemas.mjs FOLDER
 *
 * FOLDER holds `kubernetes_validate/` (kubernetes-validate, the strict definitions of Kubernetes), `check_jsonschema/`
 * (check-jsonschema, which carries the schemas of GitLab and of the Compose Specification), `crossplane/` (nginx's directives) and
 * `systemd.items` (what `systemd --dump-configuration-items` prints). Descriptions go, since a verifier needs none; what no kind
 * reaches goes too. Licences: schemas/NOTICE.md, which names the versions; change it with them.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const [source] = process.argv.slice(2);
if (!source) throw new Error('Name the folder that holds kubernetes_validate/ and check_jsonschema/.');
const target = join(dirname(dirname(fileURLToPath(import.meta.url))), 'activities', 'verify', 'schemas');

/** Words for people and for editors; they say nothing about what is valid. */
const PROSE = new Set(['description', 'markdownDescription', 'title', 'examples', 'default', '$comment', 'deprecated']);
/** Keywords whose keys are names of the author, among which "title" or "default" may be. */
const NAMES = new Set(['properties', 'patternProperties', 'definitions', '$defs', 'dependencies', 'dependentSchemas']);

function lean(schema) {
  if (Array.isArray(schema)) return schema.map(lean);
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).filter(([key, value]) => {
    return (
      !(PROSE.has(key) && typeof value !== 'object') && key !== 'examples' && key !== 'default' && !key.startsWith('x-')
    );
  });
  return Object.fromEntries(
    kept.map(([key, value]) => {
      if (key === 'enum' || key === 'const' || key === 'required') return [key, value];
      if (!NAMES.has(key)) return [key, lean(value)];
      return [key, Object.fromEntries(Object.entries(value).map(([name, one]) => [name, lean(one)]))];
    }),
  );
}

function reached(definitions, name, known) {
  if (known.has(name)) return;
  known.add(name);
  for (const [, other] of JSON.stringify(definitions[name]).matchAll(/"\$ref":"[^"]*\/([^"/]+)"/g)) {
    reached(definitions, other, known);
  }
}

function kubernetes() {
  const folder = join(source, 'kubernetes_validate', 'kubernetes-json-schema');
  const newest = readdirSync(folder)
    .filter((name) => name.endsWith('-local-strict'))
    .sort((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1]))
    .at(-1);
  const { $defs: definitions } = JSON.parse(readFileSync(join(folder, newest, '_definitions.json'), 'utf8'));
  const kinds = {};
  const needed = new Set();
  for (const [name, schema] of Object.entries(definitions)) {
    const gvk = schema['x-kubernetes-group-version-kind'];
    // Options of a request (DeleteOptions) belong to many groups and are no files.
    if (gvk?.length !== 1 || name.endsWith('List') || !schema.properties?.apiVersion || !schema.properties?.kind)
      continue;
    const [{ group, version, kind }] = gvk;
    kinds[`${group === '' ? '' : `${group}/`}${version}/${kind}`] = name;
    reached(definitions, name, needed);
  }
  const defs = Object.fromEntries([...needed].sort().map((name) => [name, lean(definitions[name])]));
  const text = JSON.stringify({ kinds, $defs: defs });
  return { version: newest.replace('-local-strict', ''), kinds: Object.keys(kinds).length, text };
}

function vendored(name) {
  const path = join(source, 'check_jsonschema', 'builtin_schemas', 'vendor', `${name}.json`);
  return { text: JSON.stringify(lean(JSON.parse(readFileSync(path, 'utf8')))) };
}

/** Directive names with bit masks: how many arguments, block or flag, and in which contexts; as in nginx's sources. */
function nginx() {
  const code = readFileSync(join(source, 'crossplane', 'analyzer.py'), 'utf8');
  const masks = new Map();
  const value = (expression) =>
    expression
      .replace(/[()\\\s]/g, '')
      .split('|')
      .reduce((sum, part) => (sum | (masks.get(part) ?? Number(part))) >>> 0, 0);
  for (const [, name, single, several] of code.matchAll(/^(NGX_\w+)\s*=\s*(?:(0x\w+)|\(([^)]*)\))/gm)) {
    masks.set(name, value(single ?? several));
  }
  const directives = {};
  for (const [, name, body] of code.matchAll(/^ {4}'([^']+)': \[([^\]]*)\]/gm)) {
    const forms = body
      .replace(/#.*$/gm, '')
      .split(',')
      .filter((one) => one.trim() !== '');
    directives[name] = forms.map(value);
  }
  return { directives: Object.keys(directives).length, text: JSON.stringify({ directives }) };
}

/** Keys by section, each with its type's name. */
function systemd() {
  const sections = {};
  let section = {};
  for (const line of readFileSync(join(source, 'systemd.items'), 'utf8').split('\n')) {
    const head = /^\[(\w+)\]$/.exec(line);
    if (head) section = sections[head[1]] ??= {};
    const item = /^(\w+)=(.*)$/.exec(line);
    if (item) section[item[1]] = item[2];
  }
  return { sections: Object.keys(sections).length, text: JSON.stringify({ sections }) };
}

mkdirSync(target, { recursive: true });
const bundles = {
  kubernetes: kubernetes(),
  'gitlab-ci': vendored('gitlab-ci'),
  compose: vendored('compose-spec'),
  nginx: nginx(),
  systemd: systemd(),
};
for (const [name, { text, ...about }] of Object.entries(bundles)) {
  const packed = gzipSync(text, { level: 9 });
  // The time in the header would make each run another file.
  packed.writeUInt32LE(0, 4);
  writeFileSync(join(target, `${name}.json.gz`), packed);
  process.stdout.write(`${name}: ${text.length} characters, ${packed.length} bytes packed ${JSON.stringify(about)}\n`);
}
