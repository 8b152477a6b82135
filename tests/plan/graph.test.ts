import fc from 'fast-check';
import { ancestorsOf, checkGraph, dependentsOf, type GraphRules, nearest, topologicalOrder } from '../../plan/graph';
import type { TaskGraph, TaskNode } from '../../plan/types';

const node = (id: string, deps: string[] = [], more: Partial<TaskNode> = {}): TaskNode => ({
  id,
  tool: 'dockerfile',
  description: `Task ${id}`,
  input: {},
  deps,
  ...more,
});

const rules = (more: Partial<GraphRules> = {}): GraphRules => ({
  maxTasks: 200,
  tools: ['dockerfile', 'docker-compose', 'makefile'],
  inputFaults: () => [],
  paths: (task) => [`out/${task.id}`],
  ...more,
});

const faultsOf = (nodes: TaskNode[], more: Partial<GraphRules> = {}): string[] => checkGraph({ nodes }, rules(more));

/** A random graph without cycles: each task depends on some of those before it. */
const acyclic: fc.Arbitrary<TaskGraph> = fc
  .array(fc.array(fc.nat({ max: 30 }), { maxLength: 4 }), { minLength: 1, maxLength: 30 })
  .map((rows) => ({
    nodes: rows.map((picks, index) =>
      node(`t${index}`, index === 0 ? [] : [...new Set(picks.map((pick) => `t${pick % index}`))]),
    ),
  }));

describe('the rules of a task graph', () => {
  it('finds nothing wrong with a sound graph', () => {
    expect(
      faultsOf([
        node('1'),
        node('2', ['1'], { input: { image: '$ref:1.path' } }),
        node('3', ['2'], { input: { x: '$ref:1' } }),
      ]),
    ).toEqual([]);
  });

  it('refuses an empty plan and one with too many tasks', () => {
    expect(faultsOf([])).toEqual([expect.stringContaining('no task')]);
    expect(faultsOf([node('1'), node('2')], { maxTasks: 1 })).toEqual([expect.stringContaining('2 tasks; at most 1')]);
  });

  it('names a repeated id, an ill-formed one and one that is too long', () => {
    const faults = faultsOf([node('a'), node('a'), node('b c'), node('x'.repeat(65)), node('.'), node('__proto__')]);
    expect(faults.filter((fault) => fault.includes('Two tasks have the id "a"'))).toHaveLength(1);
    expect(faults.filter((fault) => fault.includes('an id is'))).toEqual([
      expect.stringContaining('Task "b c"'),
      expect.stringContaining(`Task "${'x'.repeat(65)}"`),
      expect.stringContaining('Task "."'),
    ]);
  });

  it('suggests the nearest tool for an unknown one, and lists them where none is near', () => {
    expect(faultsOf([node('1', [], { tool: 'dockerfil' })])).toEqual([
      'Task "1": there is no tool "dockerfil". Did you mean "dockerfile"?',
    ]);
    expect(faultsOf([node('1', [], { tool: 'terraform-aws' })])[0]).toContain(
      'Known are: docker-compose, dockerfile, makefile.',
    );
  });

  it('names dependencies that do not exist and tasks that depend on themselves, once each', () => {
    const faults = faultsOf([node('1', ['1']), node('2', ['9', '9'])]);
    expect(faults).toEqual([
      'Task "1": it depends on itself.',
      'Task "2": it depends on "9", and there is no such task.',
    ]);
  });

  it('names each cycle with all its tasks', () => {
    const faults = faultsOf([
      node('1', ['3']),
      node('2', ['1']),
      node('3', ['2']),
      node('a', ['b']),
      node('b', ['a']),
      node('z', ['a']),
    ]);
    expect(faults.filter((fault) => fault.includes('circle'))).toHaveLength(2);
    expect(faults[0]).toMatch(/"1" → "3" → "2" → "1"/);
    expect(faults[1]).toMatch(/"a" → "b" → "a"/);
  });

  it('allows a reference to a transitive dependency, and no other', () => {
    const sideways = faultsOf([node('1'), node('2'), node('3', ['2'], { input: { a: ['x $ref:1.path y'] } })]);
    expect(sideways).toEqual([
      expect.stringContaining('Task "3": its input refers to $ref:1, which is not among its dependencies'),
    ]);
    expect(faultsOf([node('3', [], { input: { a: '$ref:7' } })])).toEqual([
      expect.stringContaining('$ref:7, which is no task'),
    ]);
    expect(faultsOf([node('3', [], { input: { a: '$ref:3' } })])).toHaveLength(1);
  });

  it('reports what the skill says of an input, with the task', () => {
    expect(faultsOf([node('1')], { inputFaults: () => ['input.x is not known.'] })).toEqual([
      'Task "1": input.x is not known.',
    ]);
  });

  it('refuses two tasks that write one path unless one depends on the other, whatever the case and Unicode form', () => {
    const paths = (task: TaskNode): string[] => [
      { '1': 'Dockerfile', '2': 'dockerfile', '3': 'caf\u00e9', '4': 'cafe\u0301' }[task.id] ?? 'x',
    ];
    const faults = faultsOf([node('1'), node('2'), node('3'), node('4')], { paths });
    expect(faults).toEqual([
      expect.stringContaining('Tasks "1" and "2" both write Dockerfile and dockerfile'),
      expect.stringContaining('Tasks "3" and "4" both write'),
    ]);
    expect(
      faultsOf([node('1'), node('2', ['m']), node('m', ['1'])], {
        paths: (task) => (task.id === 'm' ? [] : ['Dockerfile']),
      }),
    ).toEqual([]);
  });

  it('refuses a description that is empty or too long', () => {
    const faults = faultsOf([node('1', [], { description: ' ' }), node('2', [], { description: 'x'.repeat(2001) })]);
    expect(faults).toEqual([expect.stringContaining('Task "1"'), expect.stringContaining('Task "2"')]);
  });

  it('gives all faults at once', () => {
    expect(
      faultsOf([node('1', ['1', '8'], { tool: 'nothing-like-it', description: '' })]).length,
    ).toBeGreaterThanOrEqual(4);
  });
});

describe('the order of a task graph', () => {
  it('puts every task after its dependencies and loses none', () => {
    fc.assert(
      fc.property(acyclic, (graph) => {
        const order = topologicalOrder(graph);
        expect([...order].sort()).toEqual(graph.nodes.map(({ id }) => id).sort());
        for (const { id, deps } of graph.nodes) {
          for (const dep of deps) expect(order.indexOf(dep)).toBeLessThan(order.indexOf(id));
        }
      }),
    );
  });

  it("makes ancestors and dependents each other's mirror", () => {
    fc.assert(
      fc.property(acyclic, (graph) => {
        for (const { id } of graph.nodes) {
          for (const ancestor of ancestorsOf(graph, id)) expect(dependentsOf(graph, ancestor)).toContain(id);
          for (const dependent of dependentsOf(graph, id)) expect(ancestorsOf(graph, dependent)).toContain(id);
        }
      }),
    );
  });

  it('finds a cycle in every graph that got an edge backwards along a path', () => {
    fc.assert(
      fc.property(acyclic, fc.nat(), (graph, pick) => {
        const edges = graph.nodes.flatMap(({ id, deps }) => deps.map((dep) => ({ id, dep })));
        fc.pre(edges.length > 0);
        const edge = edges[pick % edges.length];
        const nodes = graph.nodes.map((task) =>
          task.id === edge?.dep ? { ...task, deps: [...task.deps, edge.id] } : task,
        );
        expect(checkGraph({ nodes }, rules()).some((fault) => fault.includes('circle'))).toBe(true);
      }),
    );
  });

  it('takes a chain and a fan of 10,000 tasks without overflowing the stack', () => {
    const chain = Array.from({ length: 10_000 }, (_, index) => node(`t${index}`, index === 0 ? [] : [`t${index - 1}`]));
    expect(ancestorsOf({ nodes: chain }, 't9999').size).toBe(9999);
    expect(dependentsOf({ nodes: chain }, 't0').size).toBe(9999);
    expect(checkGraph({ nodes: chain }, rules({ maxTasks: 10_000 }))).toEqual([]);
    const fan = chain.map(({ id }, index) => node(id, index === 0 ? [] : ['t0']));
    expect(topologicalOrder({ nodes: fan })).toHaveLength(10_000);
    const ring = chain.map((task, index) => (index === 0 ? node('t0', ['t9999']) : task));
    expect(checkGraph({ nodes: ring }, rules({ maxTasks: 10_000 }))).toHaveLength(1);
  });
});

describe('the nearest word', () => {
  it('is found for a slip and not for another word', () => {
    expect(nearest('Makefile', ['makefile', 'dockerfile'])).toBe('makefile');
    expect(nearest('docker_compose', ['docker-compose'])).toBe('docker-compose');
    expect(nearest('shwo', ['show', 'list'])).toBe('show');
    expect(nearest('kubernetes', ['makefile', 'dockerfile'])).toBeNull();
  });
});
