import { closeVerifiers, verifyFiles } from '../../activities/verify';
import { loadSkills } from '../../skills/load';
import { renderTemplates } from '../../skills/render';
import { PROJECTS } from './facts';

afterAll(closeVerifiers);

it.each(Object.keys(PROJECTS))('every file for a %s passes every verifier that applies to it', async (project) => {
  const ws = PROJECTS[project];
  if (!ws) throw new Error(project);
  const existing: { [path: string]: string } = {};
  for (const [, skill] of [...(await loadSkills())].sort(([a], [b]) => b.length - a.length)) {
    const files = renderTemplates(skill, { input: {}, ws, existing: { ...existing } });
    const rows = await verifyFiles({
      files: files.map(({ path, content }) => ({ path, content, preContent: null })),
      verifiers: skill.verifiers,
      siblings: existing,
      listing: [...ws.topLevel, 'Dockerfile'],
    });
    const troubles = rows
      .filter(
        ({ verdict, findings }) =>
          ['failed', 'inconclusive'].includes(verdict) || findings.some(({ severity }) => severity !== 'info'),
      )
      .map(({ verifier, path, verdict, reason, findings }) => ({ verifier, path, verdict, reason, findings }));
    expect(troubles).toEqual([]);
    for (const { path, content } of files) existing[path] = content;
  }
});
