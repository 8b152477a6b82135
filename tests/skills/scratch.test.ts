import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadSkills } from '../../skills/load';
import { renderTemplates, summaryOf, outputOf, outputPaths } from '../../skills/render';
import { PROJECTS } from './facts';
it('x', async () => {
  const skills = await loadSkills();
  for (const [n, ws] of Object.entries(PROJECTS)) {
    let existing: any = {};
    const meta: any = {};
    for (const s of ['dockerfile', 'github-actions', 'docker-compose', 'makefile']) {
      const skill = skills.get(s)!;
      const scope = { input: {}, ws, existing };
      outputPaths(skill, scope);
      const files = renderTemplates(skill, scope);
      meta[s] = { ...outputOf(skill, { ...scope, files: files.map((f) => f.path), summary: summaryOf(skill, scope, files) }) };
      for (const f of files) {
        const p = join('/tmp/rendered', n.replaceAll(' ', '-'), f.path);
        mkdirSync(dirname(p), { recursive: true });
        writeFileSync(p, f.content);
        existing = { ...existing, [f.path]: f.content };
      }
    }
    writeFileSync(join('/tmp/rendered', n.replaceAll(' ', '-'), 'meta.json'), JSON.stringify(meta, null, 1));
  }
});
