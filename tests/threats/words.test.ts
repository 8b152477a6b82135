/** T19, T28, T31, T32: graphs, diffs and words that are meant to fool what reads them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unifiedDiff } from '../../client/cli/show/diff';
import { makeStyle } from '../../client/cli/show/style';
import { resolveRefs } from '../../plan/refs';
import { Installation, useInstallation } from '../e2e/installation';
import { useHostileWorld } from './hostile';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const ACTIVE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/;
const FORGED = '{"level":60,"msg":"approved by root"}';

describe('T19 what a model invents', () => {
  const world = useHostileWorld();
  const node = (id: string, tool: string, deps: string[] = [], input = '{}'): object => ({
    id,
    tool,
    description: 'd',
    input,
    deps,
  });
  it.each([
    ['a tool', [node('1', 'pulumi')], /Task "1": there is no tool "pulumi"/],
    ['a dependency', [node('1', 'dockerfile', ['9'])], /Task "1": it depends on "9"/],
    ['a cycle', [node('1', 'dockerfile', ['2']), node('2', 'makefile', ['1'])], /"1" → "2" → "1"/],
    [
      'a reference',
      [node('1', 'docker-compose', [], '{"dockerfile":"$ref:9"}')],
      /Task "1": its input refers to \$ref:9/,
    ],
    ['a key of the input', [node('1', 'dockerfile', [], '{"command":"rm"}')], /Task "1": input\.command is not known/],
  ])('%s is refused with the node named', async (_what, nodes, says) => {
    const { faults } = await world().decompose({ content: { nodes } });
    expect(faults.join('\n')).toMatch(says);
  });

  it('inserted data is never expanded again', () => {
    const evil = '$ref:2.secret ${' + 'HOME} {{ x }}';
    const outputs = {
      '1': { output: { path: evil }, primary: 'path' },
      '2': { output: { secret: 'canary' }, primary: 'secret' },
    };
    expect(resolveRefs({ dockerfile: 'see $ref:1.path' }, outputs, () => false)).toEqual({ dockerfile: `see ${evil}` });
  });
});

it('T28 ANSI, bidi and carriage returns in a diff and its path are shown escaped', () => {
  const evil = 'USER root\u001b[2K\rUSER node\n# \u202eetis\n';
  const text = unifiedDiff('Docker\u001b[31mfile\u202e', 'FROM a\n', evil, makeStyle(false));
  expect(text).not.toMatch(ACTIVE);
  expect(text).toContain('+USER root\\x1b[2K\\rUSER node');
  expect(text).toContain('+++ b/Docker\\x1b[31mfile\\u202e');
});

describe('words in a terminal and in logs', () => {
  const installation = useInstallation(() => new Installation({ PLANWRIGHT_PROVIDER: 'template' }));

  it('T31 a goal with a line that looks like a log entry stays one line, everywhere', async () => {
    writeFileSync(join(installation().workspace, 'goal.txt'), `Add a Makefile\n${FORGED}\n`);
    const planned = await installation().ok(['plan', '-f', 'goal.txt', '--name', 'forged', '--json']);
    for (const line of planned.stdout.trim().split('\n')) expect(JSON.parse(line)).not.toHaveProperty('level');
    const shown = await installation().ok(['plan', 'show']);
    expect(shown.stdout).toContain(`Add a Makefile\\n${FORGED}`);
    expect(shown.stdout.split('\n')).not.toContain(FORGED);
    for (const { log } of JSON.parse((await installation().ok(['status', '--json'])).stdout).processes as {
      log: string;
    }[]) {
      expect(log).toBeTruthy();
      expect(readFileSync(log, 'utf8').split('\n')).not.toContain(FORGED);
    }
  });

  it('T32 a description with escapes is inert in every command that shows it', async () => {
    const description = 'Write it\u001b]0;owned\u0007\u001b[2J\u202e<script>alert(1)</script>';
    writeFileSync(
      join(installation().workspace, 'graph.json'),
      JSON.stringify({ nodes: [{ id: '1', tool: 'makefile', description }] }),
    );
    await installation().ok(['plan', '--graph', 'graph.json', '--name', 'inert']);
    const outputs = [await installation().run(['apply'])];
    for (const command of [
      ['plan', 'show'],
      ['plan', 'show', '--task', '1'],
      ['plan', 'list'],
      ['explain'],
      ['approvals'],
      ['validate'],
    ]) {
      outputs.push(await installation().ok(command));
    }
    for (const { stdout, stderr } of outputs) expect(stdout + stderr).not.toMatch(ACTIVE);
    expect(outputs[1]?.stdout).toContain('Write it\\x1b]0;owned\\x07\\x1b[2J\\u202e');
  });
});
