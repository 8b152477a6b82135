import { closeVerifiers, verifyFiles } from '../../../activities/verify';
import type { Verification } from '../../../plan/types';
import { ACTIONS, COMPOSE, DOCKERFILE, HELM, KUBERNETES } from './seeded/containers';
import { ANSIBLE, GITLAB, HCL, JENKINSFILE, SHELL } from './seeded/pipelines';
import { MAKEFILE, NGINX, PROMETHEUS, SYSTEMD } from './seeded/services';
import type { Corpus } from './seeded/types';

const CORPORA = [
  ACTIONS,
  KUBERNETES,
  COMPOSE,
  DOCKERFILE,
  HCL,
  GITLAB,
  SHELL,
  HELM,
  PROMETHEUS,
  NGINX,
  SYSTEMD,
  JENKINSFILE,
  ANSIBLE,
  MAKEFILE,
];

async function rows({ path, siblings }: Corpus, content: string): Promise<Verification[]> {
  return verifyFiles({ files: [{ path, content, preContent: null }], verifiers: [], siblings });
}

const table: string[] = [];

afterAll(async () => {
  process.stdout.write(`${table.join('\n')}\n`);
  await closeVerifiers();
});

describe.each(CORPORA.map((corpus) => [corpus.verifier, corpus] as const))('%s', (verifier, corpus) => {
  it('passes the good file', async () => {
    const found = await rows(corpus, corpus.good);
    expect(found.flatMap(({ findings }) => findings.filter(({ severity }) => severity === 'error'))).toEqual([]);
    expect(found.find((row) => row.verifier === verifier)?.verdict).toBe('passed');
  });

  it(`finds at least ${corpus.wanted} % of ten seeded faults`, async () => {
    const missed: string[] = [];
    for (const [name, from, to] of corpus.faults) {
      // A fault that changes nothing would be missed for ever.
      expect(corpus.good).toContain(from);
      const found = await rows(
        corpus,
        corpus.good.replace(from, () => to),
      );
      if (!found.some(({ verdict }) => verdict === 'failed')) missed.push(name);
    }
    const share = (100 * (corpus.faults.length - missed.length)) / corpus.faults.length;
    table.push(`${verifier.padEnd(12)} ${share} %${missed.length > 0 ? `, missed: ${missed.join('; ')}` : ''}`);
    expect(corpus.faults).toHaveLength(10);
    expect(share).toBeGreaterThanOrEqual(corpus.wanted);
  });
});
