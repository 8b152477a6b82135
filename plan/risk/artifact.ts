import { escapeForDisplay } from '../display';
import { matcherOf } from '../globs';
import type { Risk, RiskReason } from '../types';
import { unpinnedActions } from './actions';
import { LINE_RULES, SELF_EXECUTED } from './artifactRules';
import { maxRisk } from './levels';
import { pipesIntoShell } from './shell';

const isSelfExecuted = matcherOf(SELF_EXECUTED);

/**
 * The risk of one generated file, by rules over its path and content (threats T05 and T10). Lines that are
 * whole comments (`#`) do not count; nothing in the text can lower a level.
 *
 * @param path relative to the workspace
 * @param content the file's new content as text
 * @param base the risk that the skill declares
 * @returns the risk, and for each rule the first line that met it ("Dockerfile, line 3")
 */
export function artifactRisk(path: string, content: string, base: Risk): { risk: Risk; reasons: RiskReason[] } {
  const shown = escapeForDisplay(path);
  const reasons: RiskReason[] = [];
  const add = (rule: string, level: Risk, line?: number): void => {
    if (reasons.some((reason) => reason.rule === rule)) return;
    reasons.push({ rule, level, where: line === undefined ? shown : `${shown}, line ${line}` });
  };
  if (isSelfExecuted(path)) add('a tool executes this file by itself', 'HIGH');

  const lines = effectiveLines(content);
  for (const { text, line } of lines) {
    for (const rule of LINE_RULES) if (rule.pattern.test(text)) add(rule.rule, rule.level, line);
    if (pipesIntoShell(text)) add('a download is piped into a shell', 'HIGH', line);
    for (const name of unpinnedActions(text))
      add(`third-party action ${escapeForDisplay(name)} is not pinned`, 'HIGH', line);
  }
  targetReasons(lines, add);
  return { risk: reasons.reduce((risk, reason) => maxRisk(risk, reason.level), base), reasons };
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
function targetReasons(lines: EffectiveLine[], add: (rule: string, level: Risk, line?: number) => void): void {
  const trigger = lines.find(({ text }) => /\b(?:pull_request_target|workflow_run)\b/.test(text));
  if (!trigger) return;
  const head =
    /github\.head_ref|github\.event\.(?:pull_request|workflow_run)\.(?:head|merge_commit_sha|head_\w+)|refs\/pull\/|gh\s+pr\s+checkout/;
  const checkout = lines.find(({ text }) => head.test(text));
  if (checkout) add('a privileged trigger checks out the code of a pull request', 'HIGH', checkout.line);
  else add('a trigger that runs with secrets for pull requests', 'MEDIUM', trigger.line);
}
