import { escapeForDisplay } from '../display';
import { matcherOf } from '../globs';
import type { Risk, RiskReason } from '../types';
import { unpinnedActions } from './actions';
import { LINE_RULES, SELF_EXECUTED } from './artifact-rules';
import { maxRisk } from './levels';
import { pipesIntoShell } from './shell';

const isSelfExecuted = matcherOf(SELF_EXECUTED);

/**
 * The risk of one generated file, by rules over its path and content (threats T05 and T10). Lines that are
 * whole comments (`#`) do not count; nothing in the text can lower a level. Where a file stood there before, its own
 * lines are its maintainer's: a rule that they meet counts again only where more lines meet it now.
 *
 * @param path relative to the workspace
 * @param content the file's new content as text
 * @param base the risk that the skill declares
 * @param before what stood at the path; null or left out where nothing did
 * @returns the risk, and for each rule the first line that met it ("Dockerfile, line 3")
 */
export function artifactRisk(
  path: string,
  content: string,
  base: Risk,
  before: string | null = null,
): { risk: Risk; reasons: RiskReason[] } {
  const shown = escapeForDisplay(path);
  const reasons: RiskReason[] = [];
  if (isSelfExecuted(path) && before !== content)
    reasons.push({ rule: 'a tool executes this file by itself', level: 'HIGH', where: shown });
  const had = before === null ? new Map<string, Met>() : rulesMet(before);
  for (const [rule, { level, lines, texts }] of rulesMet(content)) {
    const known = had.get(rule);
    const fresh = texts.findIndex((text) => !known?.texts.includes(text));
    const same = known && fresh < 0 && texts.length <= known.texts.length && texts.length < MAX_MET;
    if (same) continue;
    reasons.push({
      rule,
      level,
      where: `${shown}, line ${lines[fresh >= 0 ? fresh : Math.min(known?.texts.length ?? 0, lines.length - 1)]}`,
    });
  }
  return { risk: reasons.reduce((risk, reason) => maxRisk(risk, reason.level), base), reasons };
}

/** A rule that a text meets: the lines (1-based) and what stands in them, at most `MAX_MET` of them. */
interface Met {
  level: Risk;
  lines: number[];
  texts: string[];
}

/** Enough to tell an addition from what was there; past that, a file is no better for one more. */
const MAX_MET = 200;

function rulesMet(content: string): Map<string, Met> {
  const met = new Map<string, Met>();
  const lines = effectiveLines(content);
  const add = (rule: string, level: Risk, line: number, text: string): void => {
    const one = met.get(rule) ?? { level, lines: [], texts: [] };
    if (one.texts.length < MAX_MET) {
      one.lines.push(line);
      one.texts.push(text);
    }
    met.set(rule, one);
  };
  for (const { text, line } of lines) {
    for (const rule of LINE_RULES) if (rule.pattern.test(text)) add(rule.rule, rule.level, line, text);
    if (pipesIntoShell(text)) add('a download is piped into a shell', 'HIGH', line, text);
    for (const name of unpinnedActions(text))
      add(`third-party action ${escapeForDisplay(name)} is not pinned`, 'HIGH', line, text);
  }
  targetReasons(lines, add);
  return met;
}

interface EffectiveLine {
  text: string;
  /** 1-based line where it begins. */
  line: number;
}

/** Lines without whole-line comments, with `\` continuations joined as a shell joins them. */
function effectiveLines(content: string): EffectiveLine[] {
  const out: EffectiveLine[] = [];
  let open: EffectiveLine | null = null;
  for (const [at, raw] of content.split(/\r\n|\n|\r/).entries()) {
    if (/^\s*#/.test(raw)) continue;
    const continues = raw.endsWith('\\');
    const text = continues ? raw.slice(0, -1) : raw;
    const joined: EffectiveLine = { text: open ? `${open.text} ${text}` : text, line: open?.line ?? at + 1 };
    open = continues ? joined : null;
    if (!open) out.push(joined);
  }
  if (open) out.push(open);
  return out;
}

/**
 * `pull_request_target` and `workflow_run` run with the repository's secrets on a stranger's request. That is
 * HIGH with a checkout of the stranger's code, and MEDIUM by itself.
 */
function targetReasons(
  lines: EffectiveLine[],
  add: (rule: string, level: Risk, line: number, text: string) => void,
): void {
  const trigger = lines.find(({ text }) => /\b(?:pull_request_target|workflow_run)\b/.test(text));
  if (!trigger) return;
  const head =
    /github\.head_ref|github\.event\.(?:pull_request|workflow_run)\.(?:head|merge_commit_sha|head_\w+)|refs\/pull\/|gh\s+pr\s+checkout/;
  const checkout = lines.find(({ text }) => head.test(text));
  if (checkout) add('a privileged trigger checks out the code of a pull request', 'HIGH', checkout.line, checkout.text);
  else add('a trigger that runs with secrets for pull requests', 'MEDIUM', trigger.line, trigger.text);
}
