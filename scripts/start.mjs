/**
 * `npm start`: builds, then shows the main job from end to end on a copy of examples/node-service in a fresh temporary
 * workspace: plan, apply, the written files as diffs, the plan's record. Each step is a command that anyone can type.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const require = createRequire(import.meta.url);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const example = join(root, 'examples', 'node-service');
const goal = 'Set up CI/CD with GitHub Actions, a Dockerfile and docker-compose for this Node.js app';

const say = (text = '') => process.stdout.write(`${text}\n`);

/** Shows a command as a person would type it, runs it there, and ends the demo with its exit code where it fails. */
function planwright(workspace, ...args) {
  say(`\n$ planwright ${args.map((arg) => (/\s/.test(arg) ? `"${arg}"` : arg)).join(' ')}`);
  const command = [join(root, 'bin', 'planwright.js'), ...args];
  const { status, signal } = spawnSync(process.execPath, command, { cwd: workspace, stdio: 'inherit' });
  if (status === 0) return;
  say(`\nThe demo stopped here. Its workspace is kept: ${workspace}`);
  process.exit(status ?? (signal === 'SIGINT' ? 130 : 1));
}

/** The workspace's own files, relative and sorted; neither Planwright's records nor its backups. */
function filesOf(workspace) {
  return readdirSync(workspace, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(workspace, join(entry.parentPath ?? entry.path, entry.name)))
    .filter((path) => !/^(\.planwright|node_modules)[/\\]|\.bak$/.test(path))
    .sort();
}

/** What the plan did to the workspace, as unified diffs against the example that it was copied from. */
function showDiffs(workspace) {
  const { createTwoFilesPatch } = require('diff');
  const { green, red, cyan } = require('picocolors');
  // createTwoFilesPatch begins with a line of equals signs, which no other tool prints.
  const paint = (line) =>
    line.startsWith('+') ? green(line) : line.startsWith('-') ? red(line) : line.startsWith('@@') ? cyan(line) : line;
  for (const path of filesOf(workspace)) {
    const before = existsSync(join(example, path)) ? readFileSync(join(example, path), 'utf8') : null;
    const after = readFileSync(join(workspace, path), 'utf8');
    if (before === after) continue;
    const patch = createTwoFilesPatch(before === null ? '/dev/null' : `a/${path}`, `b/${path}`, before ?? '', after);
    say(patch.trimEnd().split('\n').slice(1).map(paint).join('\n'));
    say();
  }
}

say('Building; the first time takes half a minute.');
await build().catch((error) => {
  process.stderr.write(`The build failed: ${error.message}\n`);
  process.exit(1);
});

const workspace = join(mkdtempSync(join(tmpdir(), 'planwright-demo-')), 'node-service');
cpSync(example, workspace, {
  recursive: true,
  filter: (path) => !/node_modules|\.planwright/.test(relative(example, path)),
});
say(`A small Node service was copied to a workspace of its own:\n  ${workspace}`);

planwright(workspace, 'init');
planwright(workspace, 'plan', goal);
planwright(workspace, 'validate', 'latest');
planwright(workspace, 'apply', '--yes');
say('\nWhat was written:\n');
showDiffs(workspace);
planwright(workspace, 'plan', 'show');

say(`
The workspace is kept: ${workspace}

In a project of your own:
  npm link                          once, in this folder: makes \`planwright\` a command
  cd your-project
  planwright init
  planwright plan "${goal.replace('this Node.js app', 'this project')}"
  planwright apply                  asks before each file; --yes does not
  planwright down                   stops the Temporal server and the worker, which go on in the background`);
