import { unifiedDiff } from '../../../client/cli/show/diff';
import { liveLines } from '../../../client/cli/show/live';
import { elapsed, makeStyle, shellWord, short } from '../../../client/cli/show/style';
import { completed, planView, runView, taskView } from './views';
import { FakeClient, settle, world } from './world';

const plain = makeStyle(false);
const now = Date.parse('2026-01-01T00:01:05.000Z');

function running() {
  const usage = { promptTokens: 900, completionTokens: 334, calls: 1 };
  return planView({
    status: 'running',
    runs: [runView()],
    tasks: { docker: taskView(1, 'generating', { usage, attempts: 2 }), ci: taskView(2, 'pending') },
  });
}

describe('the live view', () => {
  it('has one line for each running task, with elapsed time and tokens', () => {
    expect(liveLines(running(), now, 100)).toEqual([
      'Task 1 dockerfile · generating · 1m 5s · 1234 tokens · attempt 2',
    ]);
    expect(liveLines(completed(), now, 100)).toEqual([]);
  });

  it('never wraps: lines are cut to the width', () => {
    expect(liveLines(running(), now, 30).every((line) => [...line].length <= 28)).toBe(true);
  });

  it('is redrawn on a terminal only; completed lines stay', async () => {
    const screens = [];
    for (const tty of [true, false]) {
      const client = new FakeClient(planView()).push(running());
      const w = world({ client, tty });
      const done = w.run('watch');
      await settle();
      client.push(completed());
      expect(await done).toBe(0);
      screens.push(w.stderr.text);
    }
    const [screen = '', log = ''] = screens;
    expect(screen).toContain('\u001b[1A\u001b[J');
    expect(screen).toContain('Task 1 dockerfile · 1 file · 4s');
    expect(log).not.toContain('\u001b');
    expect(log).toContain('→ Task 1 dockerfile: Write a Dockerfile\n');
  });
});

describe('a diff', () => {
  it('of a new file is against nothing', () => {
    expect(unifiedDiff('a', null, 'x\n', plain)).toBe('--- /dev/null\n+++ b/a\n@@ -0,0 +1,1 @@\n+x\n');
  });

  it('of two files that differ too much gives the new one whole, and soon', () => {
    const lines = (word: string): string => Array.from({ length: 20_000 }, (_, at) => `${word}${at}\n`).join('');
    const text = unifiedDiff('a', lines('x'), lines('y'), plain);
    expect(text).toContain('differ too much');
    expect(text).toContain('y19999');
  });
});

describe('words for people', () => {
  it.each([
    [900, '0s'],
    [80_000, '1m 20s'],
    [7_500_000, '2h 5m'],
    [273_600_000, '3d 4h'],
  ])('%i ms are %s', (ms, text) => expect(elapsed(ms)).toBe(text));

  it('cut by characters and escape what is hidden', () => {
    expect(short('a\n b\u202ec', 20)).toBe('a b\\u202ec');
    expect(short('abcdef', 4)).toBe('abc…');
  });

  it('quote what a shell would read otherwise', () => {
    expect(shellWord('g-1')).toBe('g-1');
    expect(shellWord("a'b $(x)")).toBe(`'a'\\''b $(x)'`);
  });
});
