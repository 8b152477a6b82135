import { rowOf, rules } from './help';

const GOOD = `SHELL := /bin/bash
.DEFAULT_GOAL := help
IMAGE ?= app:$(shell git rev-parse --short HEAD)
SRCS = $(wildcard src/*.c) \\
  $(foreach d,$(DIRS),$(d)/x.c)
export NODE_ENV = production
-include .env

define USAGE
target: no rule
    spaces are fine here
endef

ifeq ($(OS),Windows_NT)
  RM := del
else ifdef UNIX
  RM := rm -f
else
  RM = rm
endif

.PHONY: help build test clean
.PHONY: deploy-%

help: ## Show this help
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | \\
	  awk 'BEGIN {FS = ":.*##"}; {printf "%s\\n", $$1}'

build: export CGO_ENABLED = 0
build: $(SRCS) | out
	@echo "a: b = c"
ifdef VERBOSE
	@echo more
endif
	cc -o out/app $^

test: build; npm test
out:
	mkdir -p $@

%.o: %.c
	$(CC) -c $<
a.x b.x &: c
	touch a.x b.x
clean::
	$(RM) -r out
clean::
	$(RM) -r tmp
deploy-%: build
	./deploy $*
$(eval $(call rule,x))
`;

describe('the makefile verifier', () => {
  it('has nothing to say about a good Makefile', async () => {
    expect(await rowOf('makefile', 'Makefile', GOOD)).toMatchObject({ verdict: 'passed', findings: [] });
  });

  it.each([
    ['spaces instead of a tab', 'a: b\n    echo hi\n', 'spaces-for-tab', 2],
    ['spaces in the middle of a recipe', 'a:\n\techo 1\n    NODE_ENV=test npm test\n', 'spaces-for-tab', 3],
    ['a missing separator', 'a:\n\techo\n\nbuild test\n', 'missing-separator', 4],
    ['a conditional without end', 'ifeq ($(A),1)\nX := 1\n', 'unbalanced', 1],
    ['an endif too many', 'X := 1\nendif\n', 'unbalanced', 2],
    ['a second else', 'ifdef A\nelse\nelse\nendif\n', 'unbalanced', 3],
    ['a define without end', 'X = 1\ndefine A\nb\n', 'unbalanced', 2],
    ['an endef alone', 'endef\n', 'unbalanced', 1],
    ['a conditional with one argument', 'ifeq ($(A))\nendif\n', 'conditional', 1],
  ])('refuses %s', async (_name, text, rule, line) => {
    const row = await rowOf('makefile', 'Makefile', text);
    expect(row.verdict).toBe('failed');
    expect(row.findings[0]).toMatchObject({ rule, severity: 'error', line });
  });

  it('warns of .PHONY targets that do not exist and of recipes that replace one another', async () => {
    const row = await rowOf('makefile', 'Makefile', '.PHONY: a tset\na:\n\techo 1\nb: a\na:\n\techo 2\n');
    expect(row.verdict).toBe('passed');
    expect(rules(row, 'warning')).toEqual(['undefined-phony', 'duplicate-target']);
  });

  it('allows a target in both branches of a conditional, and more prerequisites for one with a recipe', async () => {
    const text = 'ifdef A\na:\n\techo 1\nelse\na:\n\techo 2\nendif\nb:\n\techo\nb: a\n';
    expect(rules(await rowOf('makefile', 'build/rules.mk', text))).toEqual([]);
  });

  it('accepts another recipe prefix', async () => {
    expect(rules(await rowOf('makefile', 'Makefile', '.RECIPEPREFIX = >\na:\n> echo hi\n'))).toEqual([]);
  });

  it.each(['a$(b)', 'export ', '$(', '" "', ',', 'a:'])(
    'reads a megabyte of "%s" in linear time (T20)',
    async (unit) => {
      for (const before of ['', 'ifeq (', 'ifeq "', 'a: ']) {
        const text = before + unit.repeat(Math.floor(1_000_000 / unit.length));
        expect(['passed', 'failed']).toContain((await rowOf('makefile', 'Makefile', text)).verdict);
      }
    },
  );

  it('comes back from hostile input', async () => {
    const text = `X := 1\n${'$('.repeat(100_000)}\n${'a '.repeat(100_000)}\n${'\\\n'.repeat(50_000)}`;
    expect((await rowOf('makefile', 'Makefile', text)).verdict).toBe('failed');
  });
});
