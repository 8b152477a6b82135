import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { canonicalJson } from '../../plan/canonical';
import { sha256 } from '../../plan/digest';
import type { CarriedPlan } from '../../plan/export';
import { EXPORT_LIMITS, packExport, unpackExport } from '../../store/export-file';

/** A plan of one task for each content given, with one file each. */
function carried(contents: readonly string[]): { plan: CarriedPlan; objects: Map<string, Buffer> } {
  const objects = new Map(contents.map((text) => [sha256(text), Buffer.from(text)]));
  const settings = { provider: 'openai', model: 'gpt-4o', temperature: 0.2 };
  const plan: CarriedPlan = {
    id: 'plan-1a2b3c4d',
    name: 'release',
    goal: 'Set up CI',
    settings,
    risk: 'LOW',
    riskReasons: [],
    madeWith: { planwrightVersion: '0.1.0', policySnapshot: '', gitHead: null, updatedAt: '2026-01-01T00:00:00.000Z' },
    graph: {
      nodes: contents.map((_, at) => ({ id: `t${at}`, tool: 'dockerfile', description: 'x', input: {}, deps: [] })),
    },
    tasks: contents.map((text, at) => ({
      id: `t${at}`,
      revisions: [],
      artifact: {
        files: [
          {
            path: `k8s/f${at}.yaml`,
            sha256: sha256(text),
            bytes: Buffer.byteLength(text),
            preSha256: at % 2 === 0 ? null : sha256('base'),
            mode: '0644',
          },
        ],
        output: { summary: 's', files: [`k8s/f${at}.yaml`] },
        skill: null,
        modelReturned: 'gpt-4o',
        generation: 1,
        seed: 1,
        feedback: [],
        settings,
      },
    })),
  };
  return { plan, objects };
}

const pack = ({ plan, objects }: ReturnType<typeof carried>): Promise<Buffer> =>
  packExport(plan, async (digest) => objects.get(digest) ?? Buffer.from('?'));

/** The lines of an export, to be changed. */
const lines = (plan: CarriedPlan, objects: Map<string, Buffer>, head: object = {}): string[] => [
  canonicalJson({ schema: 'planwright.export/1', plan, objects: objects.size, ...head }),
  ...[...objects]
    .sort()
    .map(([digest, content]) => canonicalJson({ sha256: digest, content: content.toString('base64') })),
];
const zip = (text: readonly string[]): Buffer => gzipSync(`${text.join('\n')}\n`);

describe('an exported plan', () => {
  it('comes back as it went, and the same plan is the same bytes', async () => {
    const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 200 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(texts, async (contents) => {
        const given = carried(contents.map((text, at) => `${at}: ${text}`));
        const packed = await pack(given);
        expect(await pack(given)).toEqual(packed);
        const { plan, objects } = unpackExport(packed);
        expect(plan).toEqual(given.plan);
        expect(objects).toEqual(new Map([...given.objects].sort()));
      }),
      { numRuns: 40 },
    );
  });

  it('is not made of anything that holds a secret, and the message does not show it', async () => {
    const secret = `ghp_${'a1B2'.repeat(9)}`;
    const inFile = pack(carried([`token: ${secret}`]));
    await expect(inFile).rejects.toMatchObject({ exitCode: 5, message: expect.stringContaining('k8s/f0.yaml') });
    await expect(inFile).rejects.not.toMatchObject({ message: expect.stringContaining(secret) });
    const { plan, objects } = carried(['a']);
    const told = { ...plan, goal: `Deploy with ${secret}` };
    await expect(pack({ plan: told, objects })).rejects.toMatchObject({ exitCode: 5 });
  });

  it('that is not one, or of another version, is refused as bad input', () => {
    const { plan, objects } = carried(['a']);
    const cases: [Buffer, RegExp][] = [
      [Buffer.from(''), /no exported plan/],
      [Buffer.from('{"schema":"planwright.plan/1"}'), /no exported plan/],
      [zip(['hello']), /no exported plan/],
      [zip(['null']), /no exported plan/],
      [
        zip(lines(plan, objects, { schema: 'planwright.export/2' })),
        /"planwright.export\/2".*reads "planwright.export\/1"/,
      ],
    ];
    for (const [bytes, message] of cases) expect(() => unpackExport(bytes)).toThrow(message);
    for (const [bytes] of cases) expect(() => unpackExport(bytes)).toThrow(expect.objectContaining({ exitCode: 2 }));
  });

  const withFile = (change: object): CarriedPlan => {
    const { plan } = carried(['a']);
    const [task] = plan.tasks;
    const [file] = task?.artifact?.files ?? [];
    if (!task?.artifact || !file) throw new Error('the test has no artifact');
    return { ...plan, tasks: [{ ...task, artifact: { ...task.artifact, files: [{ ...file, ...change }] } }] };
  };
  it.each<[string, CarriedPlan | object, number]>([
    ['a path above the workspace', withFile({ path: '../../etc/cron.d/x' }), 2],
    ['an absolute path', withFile({ path: '/etc/passwd' }), 2],
    ['a path of git', withFile({ path: '.git/hooks/pre-commit' }), 2],
    ['a path of planwright', withFile({ path: '.planwright/policy.yaml' }), 2],
    ['a credential', withFile({ path: '.env' }), 2],
    ['a path with a control character', withFile({ path: 'k8s/a\u0000.yaml' }), 2],
    ['a digest that leads elsewhere', withFile({ sha256: '../../x' }), 2],
    ['a base that leads elsewhere', withFile({ preSha256: '../../x' }), 2],
    ['a mode with more than permissions', withFile({ mode: '4755' }), 2],
    ['a file that is larger than it says', withFile({ bytes: 2 }), 3],
    ['a file that is too large', withFile({ bytes: 1e9 }), 2],
    ['an artifact whose object is not in it', withFile({ sha256: sha256('elsewhere') }), 3],
    ['an unknown key', { ...carried(['a']).plan, apiKey: 'x' }, 2],
    ['a graph that is none', { ...carried(['a']).plan, graph: { nodes: 'none' } }, 2],
    ['tasks that the graph has not', { ...carried(['a']).plan, tasks: [] }, 2],
    ['an id that is a path', { ...carried(['a']).plan, id: '../plan' }, 2],
  ])('with %s is refused', (_what, plan, exitCode) => {
    const { objects } = carried(['a']);
    const text = lines(plan as CarriedPlan, objects);
    expect(() => unpackExport(zip(text))).toThrow(expect.objectContaining({ exitCode }));
  });

  it('whose bytes were changed on the way is refused as damaged', async () => {
    const { plan, objects } = carried(['first', 'second']);
    const packed = await pack({ plan, objects });
    const [head = '', one = '', two = ''] = lines(plan, objects);
    const swapped = canonicalJson({ sha256: sha256('first'), content: Buffer.from('other').toString('base64') });
    const foreign = canonicalJson({ sha256: sha256('x'), content: Buffer.from('x').toString('base64') });
    const flipped = Buffer.from(packed);
    flipped[40] = (flipped[40] ?? 0) ^ 0xff;
    for (const bytes of [
      packed.subarray(0, packed.length - 20),
      flipped,
      zip([head, one]),
      zip([head, one, swapped]),
      zip([head, one, foreign]),
      zip([head, one, one]),
      zip([head, one, '{}']),
      gzipSync([head, one, two].join('\n')),
    ]) {
      expect(() => unpackExport(bytes)).toThrow(expect.objectContaining({ exitCode: 3 }));
    }
  });

  it('that unpacks to more than it may is refused before it fills the memory', () => {
    const bomb = gzipSync(Buffer.alloc(EXPORT_LIMITS.unpacked + 1));
    expect(bomb.length).toBeLessThan(EXPORT_LIMITS.packed);
    expect(() => unpackExport(bomb)).toThrow(expect.objectContaining({ exitCode: 2 }));
    expect(() => unpackExport(Buffer.alloc(EXPORT_LIMITS.packed + 1))).toThrow(
      expect.objectContaining({ exitCode: 2 }),
    );
  });
});
