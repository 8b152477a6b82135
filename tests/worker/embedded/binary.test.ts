import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { UnreachableError } from '../../../plan/errors';
import { cachedBinary, findTemporalBinary } from '../../../worker/embedded/binary';
import type { Install } from '../../../worker/embedded/install';
import { buildWithGo } from '../../../worker/embedded/install';

const FAKE = '#!/bin/sh\necho "temporal version 9.9.9 (Server 1.30.0, UI 2.0.0)"\n';

describe('findTemporalBinary', () => {
  let root: string;
  let env: NodeJS.ProcessEnv;
  const notes: string[] = [];
  const note = (line: string): number => notes.push(line);
  const script = (path: string, content: string): string => {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
    chmodSync(path, 0o755);
    return path;
  };
  const failing: Install = () => Promise.reject(new Error('no network here'));

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'planwright-binary-'));
    env = { PATH: ['/usr/bin', '/bin'].join(delimiter), HOME: root, PLANWRIGHT_HOME: join(root, 'home') };
    notes.length = 0;
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const find = (more: NodeJS.ProcessEnv = {}, installs = [{ name: 'the download', run: failing }]) =>
    findTemporalBinary({ env: { ...env, ...more }, note, installs, sdkFolder: join(root, 'sdk') });

  it('takes what the variable names before all else', async () => {
    const path = script(join(root, 'mine'), FAKE);
    script(cachedBinary(env), FAKE);
    expect(await find({ PLANWRIGHT_TEMPORAL_BIN: path })).toEqual({
      path,
      source: 'PLANWRIGHT_TEMPORAL_BIN',
      version: '9.9.9 (Server 1.30.0, UI 2.0.0)',
    });
  });

  it.each([
    ['is missing', null, 'there is no such file'],
    ['is another program', '#!/bin/sh\necho hello\n', 'not the Temporal CLI'],
    ['fails', '#!/bin/sh\nexit 3\n', 'does not run'],
    ['is too old', '#!/bin/sh\necho "temporal version 0.10 (server 1.21.0)"\n', 'older than'],
  ])('refuses a named binary that %s instead of taking another', async (_, content, why) => {
    const path = join(root, 'mine');
    if (content !== null) script(path, content);
    script(cachedBinary(env), FAKE);
    const error: unknown = await find({ PLANWRIGHT_TEMPORAL_BIN: path }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UnreachableError);
    expect(String(error)).toContain(why);
  });

  it('prefers PATH to the cache, and ignores relative entries of PATH', async () => {
    script(cachedBinary(env), FAKE);
    expect((await find({ PATH: `.${delimiter}node_modules/.bin` })).source).toBe('the cache');
    const path = script(join(root, 'tools', 'temporal'), FAKE);
    expect((await find({ PATH: join(root, 'tools') })).path).toBe(path);
  });

  it('goes on past an unusable one on PATH', async () => {
    script(join(root, 'tools', 'temporal'), '#!/bin/sh\necho something else\n');
    script(cachedBinary(env), FAKE);
    expect((await find({ PATH: join(root, 'tools') })).source).toBe('the cache');
  });

  it('does not run a download of the SDK that others could have changed', async () => {
    const { version } = JSON.parse(readFileSync(require.resolve('@temporalio/client/package.json'), 'utf8'));
    const path = script(join(root, 'sdk', `temporal-sdk-typescript-${version}`), FAKE);
    expect((await find()).path).toBe(path);
    chmodSync(path, 0o777);
    await expect(find()).rejects.toThrow(/may have been changed by others/);
  });

  it('lists everything it tried, with exit code 4', async () => {
    const error: unknown = await find({}, [
      { name: 'the download', run: failing },
      { name: 'go install', run: buildWithGo },
    ]).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ exitCode: 4 });
    const text = String(error);
    for (const line of [
      'temporal on PATH: not there',
      'the cache: not there',
      'the download: no network here',
      'go install: Go is not installed',
    ]) {
      expect(text).toContain(line);
    }
    expect(readdirSync(join(root, 'home', 'cache', 'bin')).filter((name) => name.startsWith('.get-'))).toEqual([]);
  });

  it('gets it once for commands that start at the same moment, and puts it there whole', async () => {
    const go = `#!/bin/sh
echo "$2" >> ${join(root, 'builds')}
sleep 1
printf '#!/bin/sh\\necho "temporal version 1.5.1 (Server 1.29.1)"\\n' > "$GOBIN/temporal"
chmod 755 "$GOBIN/temporal"
`;
    script(join(root, 'go', 'go'), go);
    const PATH = [join(root, 'go'), env.PATH].join(delimiter);
    const installs = [
      { name: 'the download', run: failing },
      { name: 'go install', run: buildWithGo },
    ];
    const found = await Promise.all([find({ PATH }, installs), find({ PATH }, installs), find({ PATH }, installs)]);
    expect(found.map(({ path }) => path)).toEqual(Array(3).fill(cachedBinary(env)));
    expect(readFileSync(join(root, 'builds'), 'utf8')).toBe('github.com/temporalio/cli/cmd/temporal@v1.5.1\n');
    expect(notes.join('\n')).toContain('Could not get the Temporal server with the download: no network here');
    expect(existsSync(cachedBinary(env))).toBe(true);
  });

  it('leaves nothing that looks like a binary when a build fails', async () => {
    script(join(root, 'go', 'go'), '#!/bin/sh\necho half > "$GOBIN/temporal"\necho "no space left" >&2\nexit 1\n');
    const PATH = [join(root, 'go'), env.PATH].join(delimiter);
    await expect(find({ PATH }, [{ name: 'go install', run: buildWithGo }])).rejects.toThrow(/no space left/);
    expect(existsSync(cachedBinary(env))).toBe(false);
  });
});
