import type { Finding } from '../../plan/types';
import { isAssignment, logicalLines, type MakeLine, splitRule } from './makefile-lines';
import type { Subject, Verifier } from './types';

const OPENERS = /^(ifeq|ifneq|ifdef|ifndef)\b/;
const DIRECTIVE = /^(?:-?include|sinclude|export|unexport|override|private|vpath|undefine|load|-load)\b/;
/** Targets that make itself knows. */
const SPECIAL = /^\.[A-Z_]+$/;

interface Reading {
  findings: Finding[];
  /** Open conditionals and defines with the line that they began on. */
  open: { word: string; line: number; elseSeen: boolean }[];
  /** Every target, with the line of the rule that gave it a recipe (null: none yet, or a conditional one). */
  defined: Map<string, number | null>;
  phony: { name: string; line: number }[];
  /** The rule that the next recipe line belongs to; null before the first rule. `counted`: its recipe was seen. */
  current: { targets: string[]; line: number; conditional: boolean; counted: boolean } | null;
  /** True directly after a rule or a recipe line: there, a line that begins with spaces is meant as a recipe. */
  recipeExpected: boolean;
  includes: boolean;
}

function report(state: Reading, rule: string, severity: Finding['severity'], message: string, line: number): void {
  state.findings.push({ rule, severity, message, line, column: 1 });
}

function run({ text }: Subject): { findings: Finding[] } {
  const state: Reading = {
    findings: [],
    open: [],
    defined: new Map(),
    phony: [],
    current: null,
    recipeExpected: false,
    includes: false,
  };
  // Another prefix changes what a recipe line is; then only the structure is checked.
  const ownPrefix = /^\.RECIPEPREFIX\s*[:+?]?=/m.test(text);
  for (const line of logicalLines(text)) readLine(state, line, ownPrefix);
  for (const { word, line } of state.open) {
    report(state, 'unbalanced', 'error', `"${word}" has no "${word === 'define' ? 'endef' : 'endif'}".`, line);
  }
  for (const { name, line } of state.phony) {
    if (state.includes || state.defined.has(name) || /[$%*]/.test(name)) continue;
    report(state, 'undefined-phony', 'warning', `.PHONY names "${name}", and there is no such target.`, line);
  }
  return { findings: state.findings };
}

function readLine(state: Reading, line: MakeLine, ownPrefix: boolean): void {
  const word = line.text.trimStart();
  const define = state.open.at(-1)?.word === 'define';
  if (define || /^(?:override\s+)?define\b/.test(word)) {
    readDefine(state, line, word);
    return;
  }
  // With another prefix, whatever does not look like a rule is taken for a recipe line.
  const prefixed = ownPrefix && !/^[\w./%$(){} -]+:/.test(line.text) && word !== '' && !word.startsWith('#');
  if (
    state.current !== null &&
    (line.text.startsWith('\t') || (prefixed && !OPENERS.test(word) && !/^(?:else|end)/.test(word)))
  ) {
    readRecipe(state);
    return;
  }
  if (word === '' || word.startsWith('#')) return;
  if (readConditional(state, word, line.number)) return;
  if (/^ /.test(line.text) && state.recipeExpected && !/^\S+\s*(?:\s|:{1,3}|[+?!])=\s/.test(word)) {
    const message = 'The recipe line begins with spaces; make wants a tab ("missing separator").';
    report(state, 'spaces-for-tab', 'error', message, line.number);
    return;
  }
  if (DIRECTIVE.test(word) && !/^(?:private|override)\b/.test(word)) {
    if (/include/.test(word)) state.includes = true;
    state.recipeExpected = false;
    return;
  }
  if (isAssignment(word)) {
    state.recipeExpected = false;
    return;
  }
  readRule(state, word, line.number);
}

function readDefine(state: Reading, line: MakeLine, word: string): void {
  if (/^(?:override\s+)?define\b/.test(word) && !line.text.startsWith('\t')) {
    state.open.push({ word: 'define', line: line.number, elseSeen: false });
  } else if (/^endef\b/.test(word)) state.open.pop();
}

function readRecipe(state: Reading): void {
  state.recipeExpected = true;
  const rule = state.current;
  if (rule === null || rule.counted) return;
  rule.counted = true;
  // The branches of a conditional may each define a target.
  if (rule.conditional) return;
  for (const name of rule.targets) {
    const first = state.defined.get(name);
    if (typeof first === 'number') {
      const message = `Target "${name}" has a recipe already (line ${first}); the last one wins.`;
      report(state, 'duplicate-target', 'warning', message, rule.line);
    } else state.defined.set(name, rule.line);
  }
}

/** True where the line is part of a conditional. */
function readConditional(state: Reading, word: string, line: number): boolean {
  const opener = OPENERS.exec(word)?.[1];
  if (opener !== undefined) {
    state.open.push({ word: opener, line, elseSeen: false });
    if (opener.endsWith('eq') && !hasTwoArguments(word.slice(opener.length).trim())) {
      report(state, 'conditional', 'error', `"${opener}" needs two arguments: (a,b) or "a" "b".`, line);
    }
  } else if (/^else\b/.test(word)) {
    const top = state.open.at(-1);
    if (!top) report(state, 'unbalanced', 'error', '"else" stands outside of a conditional.', line);
    else if (top.elseSeen) report(state, 'unbalanced', 'error', 'The conditional has a second "else".', line);
    else top.elseSeen = !/^else\s+if/.test(word);
  } else if (/^endif\b/.test(word)) {
    if (!state.open.pop()) report(state, 'unbalanced', 'error', '"endif" has no conditional to end.', line);
  } else if (/^endef\b/.test(word)) {
    report(state, 'unbalanced', 'error', '"endef" has no "define" to end.', line);
  } else return false;
  state.recipeExpected = false;
  return true;
}

function hasTwoArguments(text: string): boolean {
  if (text.startsWith('(')) return text.includes(',') && text.includes(')');
  return /^["']/.test(text) && (text.match(/["']/g)?.length ?? 0) >= 4;
}

function readRule(state: Reading, word: string, line: number): void {
  const rule = splitRule(word);
  if (rule === null) {
    state.recipeExpected = false;
    // A line of function calls alone, such as $(eval …), may expand to anything.
    if (/^\$[({]/.test(word)) return;
    report(
      state,
      'missing-separator',
      'error',
      'This is neither a rule (a colon is missing), nor an assignment, nor a directive.',
      line,
    );
    return;
  }
  for (const name of rule.targets) {
    if (name === '.PHONY') state.phony.push(...rule.prerequisites.map((one) => ({ name: one, line })));
    if (!state.defined.has(name)) state.defined.set(name, null);
  }
  const targets = rule.doubleColon ? [] : rule.targets.filter((name) => !SPECIAL.test(name) && !/[%$]/.test(name));
  state.recipeExpected = !rule.variable;
  if (rule.variable) return;
  state.current = { targets, line, conditional: state.open.length > 0, counted: false };
  if (rule.inlineRecipe) readRecipe(state);
}

/** Makefiles by reading alone: even `make -n` executes `$(shell …)`, so make is never run. */
export const makefileVerifier: Verifier = {
  id: 'makefile',
  version: 'planwright/1',
  applies: (path) => /(?:^|\/)(?:GNUmakefile|[Mm]akefile)(?:\.[\w-]+)?$|\.mk$/.test(path),
  run,
};
