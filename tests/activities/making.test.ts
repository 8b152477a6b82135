import type { MakeRequest } from '../../plan/steps';
import { ObjectStore } from '../../store/objects';
import { answerOf, useHostileWorld } from '../threats/hostile';

const world = useHostileWorld();
const DOCKERFILE = 'FROM node:22-alpine\nUSER node\nCMD ["node", "server.js"]\n';
const original = ObjectStore.prototype.put;
let plans = 0;

async function request(change: Partial<MakeRequest> = {}): Promise<MakeRequest> {
  plans += 1;
  world().model.reply = () => answerOf({ Dockerfile: DOCKERFILE });
  const { digest: workspace } = await world().read();
  return {
    generate: {
      plan: `plan-${String(plans).padStart(8, 'a')}`,
      task: { id: '1', tool: 'dockerfile', description: 'Write it', input: {}, deps: [] },
      refs: {},
      generation: 1,
      settings: { provider: 'openai', model: 'm', temperature: 0.2 },
      timeoutMs: 10_000,
      workspace,
      overlay: {},
      feedback: [],
      instruction: null,
    },
    write: `write-${plans}`,
    run: 1,
    allowAllPaths: false,
    keepBackup: {},
    riskPassed: 'MEDIUM',
    ...change,
  };
}

describe('a task in one step', () => {
  it('is generated, verified and written, and a second attempt asks no model and reports the same', async () => {
    world().put('Dockerfile', 'FROM scratch\n');
    const asked = await request();
    const first = await world().call('make', asked, 'make-1');
    expect(first).toMatchObject({
      generated: { fromRecord: false, files: [{ path: 'Dockerfile' }] },
      done: { verified: { verdict: 'passed' }, written: { files: [{ action: 'modify', backup: 'Dockerfile.bak' }] } },
    });
    expect(world().disk()).toMatchObject({ Dockerfile: DOCKERFILE, 'Dockerfile.bak': 'FROM scratch\n' });
    const calls = world().model.calls.length;
    const second = await world().call('make', asked, 'make-1-again1');
    expect(world().model.calls).toHaveLength(calls);
    expect(second).toEqual({ ...first, generated: { ...first.generated, fromRecord: true } });
  });

  it('that could not write is gone on with by the write of its own name, with the backup that it chose', async () => {
    world().put('Dockerfile', 'FROM busybox\n');
    const asked = await request();
    // The disk is full when the old content is to be kept: its backup's name has been chosen, and nothing is replaced yet.
    const put = jest.spyOn(ObjectStore.prototype, 'put');
    put.mockImplementation(async function (this: ObjectStore, content) {
      if (typeof content !== 'string') throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      return original.call(this, content);
    });
    const blocked = await world().call('make', asked, 'make-2');
    put.mockRestore();
    expect(blocked).toMatchObject({ done: null, begun: true, generated: { files: [{ path: 'Dockerfile' }] } });
    const begun = await world().call('begunWrite', { write: asked.write });
    expect(begun).toMatchObject([{ path: 'Dockerfile', sha256: blocked.generated.files[0]?.sha256 }]);
    const { plan, task, workspace, overlay } = asked.generate;
    const { allowAllPaths, keepBackup, riskPassed } = asked;
    const about = { plan, task: task.id, tool: task.tool, files: blocked.generated.files, workspace, overlay };
    const rest = await world().call('verifyAndWrite', { ...about, allowAllPaths, keepBackup, riskPassed }, asked.write);
    expect(rest.written).toMatchObject({ files: [{ action: 'modify', backup: 'Dockerfile.bak.1' }], conflicts: [] });
    expect(world().disk()).toMatchObject({ Dockerfile: DOCKERFILE, 'Dockerfile.bak.1': 'FROM busybox\n' });
  });

  it('writes nothing once its run was cancelled, and has begun nothing', async () => {
    const before = world().disk();
    const asked = await request({ run: 7 });
    world().model.reply = () => {
      world().stop(asked.generate.plan, 7);
      return answerOf({ Dockerfile: `${DOCKERFILE}# other\n` });
    };
    expect(await world().call('make', asked, 'make-3')).toMatchObject({ done: null, begun: false });
    expect(await world().call('begunWrite', { write: asked.write })).toEqual([]);
    expect(world().disk()).toEqual(before);
  });

  it('may have a file as large as the policy says, and not a byte more', async () => {
    const content = `# ${'x'.repeat(100)}\n`.repeat(20_000);
    const bytes = Buffer.byteLength(content);
    const asked = await request({ run: 8 });
    const generate = { ...asked.generate, task: { ...asked.generate.task, tool: 'makefile' } };
    world().model.reply = () => answerOf({ Makefile: content });
    world().put('.planwright/policy.yaml', `version: 1\nlimits: { fileBytes: ${bytes - 1} }\n`);
    await expect(world().call('make', { ...asked, generate }, 'make-4')).rejects.toThrow(
      `at most ${bytes - 1} are allowed`,
    );
    world().put('.planwright/policy.yaml', `version: 1\nlimits: { fileBytes: ${bytes} }\n`);
    const made = await world().call('make', { ...asked, generate: { ...generate, generation: 2 } }, 'make-5');
    expect(made.done).toMatchObject({ verified: { verdict: 'passed' }, written: { files: [{ bytes }] } });
  });
});
