import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Room (or folder of one), module, and whether the lint lets the room import it. */
type Case = [from: string, module: string, allowed: boolean];

const rooms = ['client', 'worker', 'workflows', 'activities', 'audit', 'notify', 'skills', 'store', 'plan', 'tests'];

/** The arrows of the design: who may import whom, whole rooms only. */
const arrows: { [room: string]: string[] } = {
  plan: [],
  store: ['plan'],
  audit: ['plan', 'store'],
  notify: ['plan', 'store'],
  skills: ['plan', 'store'],
  workflows: ['plan'],
  activities: ['plan', 'store', 'audit', 'notify', 'skills'],
  worker: ['plan', 'store', 'audit', 'notify', 'skills', 'activities', 'workflows'],
  client: ['plan', 'store', 'audit', 'notify', 'skills'],
  tests: rooms,
};

const betweenRooms: Case[] = Object.entries(arrows).flatMap(([from, allowed]) =>
  rooms.filter((to) => to !== from).map((to): Case => [from, `../${to}/thing`, allowed.includes(to)]),
);

const further: Case[] = [
  ['plan/deep', '../../store/objects', false],
  ['plan', '../client', false],
  ['plan', '@temporalio/common', false],
  ['plan', 'node:fs', false],
  ['plan', 'node:crypto', true],
  ['plan', './store', true],
  ['workflows', '../activities/types', true],
  ['workflows', '../activities', false],
  ['workflows', '../plan/types', true],
  ['workflows', '../plan/digest', false],
  ['workflows', '../plan/schema', false],
  ['workflows', 'zod', false],
  ['workflows', 'node:crypto', false],
  ['workflows', '@temporalio/workflow', true],
  ['workflows', '@temporalio/client', false],
  ['worker', '../client/cli/main', false],
  ['worker/embedded', '../../activities/files/writer', false],
  ['worker/embedded', '../../plan/errors', true],
  ['client', '../worker/embedded', true],
  ['client', '../worker/connection', true],
  ['client/cli', '../../worker/embedded/binary', true],
  ['client/cli', '../../worker/run', false],
  ['client/cli', '../../activities/types', false],
  ['client', '../workflows/types', true],
  ['client', '../workflows/messages', true],
  ['client', '../workflows/index', false],
];

const cases = [...betweenRooms, ...further];
const repository = resolve(__dirname, '../..');
let folder: string;
let complaints: Map<string, string[]>;

/** Writes one file a case under the repository's own biome.json, lints them all at once, and maps file → rules. */
function lint(sources: { [file: string]: string }): Map<string, string[]> {
  for (const [file, source] of Object.entries(sources)) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), source);
  }
  const biome = join(repository, 'node_modules/.bin/biome');
  const run = spawnSync(biome, ['lint', '--max-diagnostics=none', '--reporter=json', '.'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 30_000,
  });
  const report: { diagnostics: { category: string; location: { path: string } }[] } = JSON.parse(run.stdout);
  const found = new Map<string, string[]>();
  for (const { category, location } of report.diagnostics) {
    found.set(location.path, [...(found.get(location.path) ?? []), category]);
  }
  return found;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'planwright-arrows-'));
  copyFileSync(join(repository, 'biome.json'), join(folder, 'biome.json'));
  const sources: { [file: string]: string } = {};
  for (const [index, [from, module]] of cases.entries()) {
    sources[`${from}/case${index}.ts`] = `import { Thing } from '${module}';\n\nexport const same = Thing;\n`;
  }
  sources['workflows/floating.ts'] =
    'async function go(): Promise<void> {}\nexport function start(): void {\n  go();\n}\n';
  sources['workflows/globals.ts'] = 'export const size = (text: string): number => Buffer.from(text).length;\n';
  sources['activities/globals.ts'] = 'export const size = (text: string): number => Buffer.from(text).length;\n';
  complaints = lint(sources);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each(cases)('%s importing %s is allowed: %s', (from, module, allowed) => {
  const index = cases.findIndex((one) => one[0] === from && one[1] === module);
  const about = (complaints.get(`${from}/case${index}.ts`) ?? []).filter((rule) =>
    ['lint/style/noRestrictedImports', 'lint/correctness/noNodejsModules'].includes(rule),
  );
  expect(about.length === 0).toBe(allowed);
});

it('a promise that nobody awaits is refused', () => {
  expect(complaints.get('workflows/floating.ts')).toContain('lint/nursery/noFloatingPromises');
});

it('a global that the workflow sandbox lacks is refused in workflows/ and nowhere else', () => {
  expect(complaints.get('workflows/globals.ts')).toContain('lint/style/noRestrictedGlobals');
  expect(complaints.has('activities/globals.ts')).toBe(false);
});
