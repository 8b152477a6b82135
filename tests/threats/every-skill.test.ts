/** What a model that is wrong answers for each skill: the verifiers of the file find it, and nothing is written. */

import { ACTIONS, COMPOSE, DOCKERFILE, HELM, KUBERNETES } from '../activities/verify/seeded/containers';
import { ANSIBLE, GITLAB, HCL, JENKINSFILE, SHELL } from '../activities/verify/seeded/pipelines';
import { MAKEFILE, NGINX, PROMETHEUS, SYSTEMD } from '../activities/verify/seeded/services';
import type { Corpus } from '../activities/verify/seeded/types';
import { useHostileWorld } from './hostile';

const world = useHostileWorld();

/** Files as a model would answer them, where the skill has a place of its own for them. */
const SKILLS: [skill: string, corpus: Corpus, path?: string][] = [
  ['github-actions', ACTIONS],
  ['gitlab-ci', GITLAB],
  ['jenkinsfile', JENKINSFILE],
  ['dockerfile', DOCKERFILE],
  ['docker-compose', COMPOSE],
  ['kubernetes', KUBERNETES],
  ['helm', HELM],
  ['terraform', HCL, 'terraform/main.tf'],
  ['ansible', ANSIBLE],
  ['nginx', NGINX],
  ['prometheus', PROMETHEUS],
  ['systemd', SYSTEMD],
  ['makefile', MAKEFILE],
  ['shell', SHELL],
];

describe.each(SKILLS)('the skill %s', (skill, corpus, path = corpus.path) => {
  it('with a wrong file of the model fails, and writes nothing', async () => {
    const [, from = '', to = ''] = corpus.faults[0] ?? [];
    const wrong = corpus.good.replace(from, () => to);
    expect(wrong).not.toBe(corpus.good);
    const before = world().disk();
    const { verified, written } = await world().carryOut(skill, { [path]: wrong });
    expect([verified.verdict, written]).toEqual(['failed', null]);
    expect(world().disk()).toEqual(before);
  });

  it('with a hidden character or a key of somebody in it fails, and no finding shows the key', async () => {
    const key = `AKIA${'IOSFODNN7'}QWERTYU`;
    const comment = path === 'Jenkinsfile' ? '//' : '#';
    const before = world().disk();
    for (const hostile of [`${comment} ok \u202e ko\n`, `${comment} ${key}\n`]) {
      const { verified, written } = await world().carryOut(skill, { [path]: `${corpus.good}${hostile}` });
      expect([verified.verdict, written]).toEqual(['failed', null]);
      expect(JSON.stringify(verified.verification)).not.toContain(key);
    }
    expect(world().disk()).toEqual(before);
  });
});
