import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { graphFaults } from '../../../client/cli/graph-faults';
import { workspaceLayout } from '../../../store/layout';
import { completed, planView } from './views';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'planwright-faults-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('graphFaults', () => {
  it('finds nothing wrong with a sound plan', async () => {
    expect(await graphFaults(planView(), workspaceLayout(root), { PLANWRIGHT_HOME: root })).toEqual([]);
  });

  it('names tools that do not exist, inputs that no schema has, and two writers of one file', async () => {
    const view = completed();
    const file = view.tasks.docker?.files[0];
    if (file) view.tasks.ci?.files.push(file);
    view.graph = {
      nodes: [
        { id: 'docker', tool: 'dockerfil', description: 'x', input: {}, deps: [] },
        { id: 'ci', tool: 'github-actions', description: 'y', input: { wat: 1 }, deps: [] },
      ],
    };
    const faults = await graphFaults(view, workspaceLayout(root), { PLANWRIGHT_HOME: root });
    expect(faults).toContainEqual(expect.stringContaining('Did you mean "dockerfile"?'));
    expect(faults).toContainEqual(expect.stringContaining('wat'));
    view.graph.nodes = view.graph.nodes.map((node) => ({ ...node, tool: 'dockerfile', input: {} }));
    expect(await graphFaults(view, workspaceLayout(root), { PLANWRIGHT_HOME: root })).toContainEqual(
      expect.stringContaining('both write Dockerfile'),
    );
  });
});
