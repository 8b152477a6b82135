import fc from 'fast-check';
import { appendLines, appendTargets } from '../../skills/merge';

const FRESH = `.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
\t@awk 1

.PHONY: test
test: ## Run the tests
\tnpm test

.PHONY: lint
lint: ## Run the linter
\tnpm run lint
`;

it('appends the lines that are missing and keeps what stands there', () => {
  expect(appendLines('node_modules/\n.env', '# why\n**/node_modules\n.env\n.git\n!.env.example\n')).toBe(
    'node_modules/\n.env\n\n# Added by Planwright.\n.git\n',
  );
});

it('gives the same bytes back when no line is missing', () => {
  expect(appendLines('.git\r\nnode_modules', '.git\nnode_modules\n')).toBe('.git\r\nnode_modules');
});

it('appends only targets that do not exist, never help', () => {
  expect(appendTargets('all: test\n\ntest unit:\n\tjest', FRESH)).toBe(
    'all: test\n\ntest unit:\n\tjest\n\n# Added by Planwright.\n.PHONY: lint\n\nlint: ## Run the linter\n\tnpm run lint\n',
  );
});

it('leaves one empty line before an addition, also where the file ends with one', () => {
  expect(appendTargets('test:\n\tx\n\n', FRESH)).toMatch(/^test:\n\tx\n\n# Added/);
  expect(appendLines('', '.git')).toBe('# Added by Planwright.\n.git\n');
});

it('does not take a variable for a target', () => {
  expect(appendTargets('lint := eslint\ntest:\n\tx\n', FRESH)).toContain('\nlint: ##');
});

it.each(['include common.mk\n', '-include *.mk\n', '.RECIPEPREFIX = >\n', '$(eval x)\n', 'define R\nendef\n'])(
  'leaves a Makefile alone whose targets cannot be told by reading it: %j',
  (existing) => {
    expect(appendTargets(existing, FRESH)).toBe(existing);
  },
);

it('never takes a command that calls make again', () => {
  expect(appendTargets('x:\n\ty\n', 'test: ## Run the tests\n\tmake check\n')).toBe('x:\n\ty\n');
});

it('always starts with the existing bytes, and adds nothing the second time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (existing) => {
      for (const append of [appendLines, appendTargets]) {
        const once = append(existing, FRESH);
        expect(once.startsWith(existing)).toBe(true);
        expect(append(once, FRESH)).toBe(once);
      }
    }),
  );
});
