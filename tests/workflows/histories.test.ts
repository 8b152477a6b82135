import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils';
import { type ReplayResult, Worker } from '@temporalio/worker';
import { forgetThisVersion, type Golden, goldenHistories, record } from '../histories/files';
import { SHAPES } from '../histories/shapes';
import { workflowBundle } from '../support/temporal';
import { usePlans } from './fake-world';

/** Set by `npm run histories:record` alone (CONTRIBUTING.md tells when that is allowed). */
const RECORDING = process.env.RECORD_HISTORIES === '1';

async function replay(
  histories: readonly Golden[],
  change: (code: string) => string = (code) => code,
): Promise<ReplayResult[]> {
  const bundle = await workflowBundle();
  if (!('code' in bundle)) throw new Error('the bundle has no code');
  const given = histories.map(({ name, history }) => ({ workflowId: name, history }));
  const results: ReplayResult[] = [];
  const options = {
    workflowBundle: { code: change(bundle.code) },
    sinks: { projection: { changed: { fn: () => undefined } }, runs: { stopped: { fn: () => undefined } } },
  };
  for await (const result of Worker.runReplayHistories(options, given)) results.push(result);
  return results;
}

const failed = (results: ReplayResult[]): string[] =>
  results.flatMap(({ workflowId, error }) => (error ? [`${workflowId}: ${error.message}`] : []));

const golden = (name: string): Golden => {
  const found = goldenHistories().find((one) => one.name.endsWith(`/${name}`));
  if (!found) throw new Error(`no golden history ${name}`);
  return found;
};

if (RECORDING) {
  describe('recording', () => {
    const start = usePlans();
    beforeAll(forgetThisVersion);
    it.each(Object.entries(SHAPES))('%s', async (name, play) => {
      const plan = await start();
      await play(plan);
      await record(name, plan);
    });
  });
} else {
  describe('golden histories', () => {
    it('are there for every shape', () => {
      const names = goldenHistories().map(({ name }) => name.replace(/^[^/]*\//, '').replace(/\.\d+$/, ''));
      expect(new Set(names)).toEqual(new Set(Object.keys(SHAPES)));
    });

    it('replay on the workflow as it is now', async () => {
      const histories = goldenHistories();
      const results = await replay(histories);
      expect(failed(results)).toEqual([]);
      expect(results).toHaveLength(histories.length);
    });

    it('survive their way to JSON and back', () => {
      const { history } = golden('gates');
      expect(historyToJSON(historyFromJSON(JSON.parse(historyToJSON(history))))).toBe(historyToJSON(history));
    });
  });

  describe('a replay fails', () => {
    it('when the workflow starts its tasks in another order', async () => {
      const order = 'for (const id of this.members)this.launchIfReady(id)';
      const results = await replay([golden('apply-yes')], (code) => {
        const changed = code.replace(/for \(const id of this\.members\)\s*this\.launchIfReady\(id\)/, (found) =>
          found.replace('this.members', '[...this.members].reverse()'),
        );
        if (changed === code) throw new Error(`the bundle does not contain: ${order}`);
        return changed;
      });
      expect(failed(results)).toEqual([expect.stringMatching(/nondeterminism/i)]);
    });

    it('when the history names another activity', async () => {
      const { name, history } = golden('apply-yes');
      const json = historyToJSON(history);
      const changed = json.replaceAll('make-2-g1-r1-c0', 'make-9-g1-r1-c0');
      expect(changed).not.toBe(json);
      const results = await replay([{ name, history: historyFromJSON(JSON.parse(changed)) }]);
      expect(failed(results)).toEqual([expect.stringMatching(/nondeterminism/i)]);
    });
  });
}
