/** What is sent: our own JSON, or a message as Slack takes it. Nothing of a file's content is in it, and no secret. */
import { escapeForDisplay } from '../plan/display';
import { maskSecrets } from '../plan/mask';
import type { News, NotifyEvent } from '../plan/news';

export const NOTIFICATION = 'planwright.notification/1';

/** A test of a sink, besides what happens to plans. */
export type SentEvent = NotifyEvent | 'notification.test';

/** One notification for one sink. */
export interface Notification {
  /** The same for every attempt to deliver it: receivers know a repetition by it. */
  id: string;
  event: SentEvent;
  news: News;
}

const TEXT = 500;

/** Text that people or a model wrote: masked, and of bounded length. */
const told = (text: string): string => {
  const masked = maskSecrets(text);
  return masked.length > TEXT ? `${masked.slice(0, TEXT).toWellFormed()}…` : masked;
};
const toldOrNull = (text: string | null): string | null => (text === null ? null : told(text));

/** The body as documented in docs/approvals.md; one line of JSON. */
export function jsonBody({ id, event, news }: Notification): string {
  const { seq, at, plan, run, gate, decision, tasks, command } = news;
  return JSON.stringify({
    schema: NOTIFICATION,
    id,
    event,
    seq,
    at,
    plan: { ...plan, name: told(plan.name), goal: told(plan.goal) },
    run,
    gate: gate && { ...gate, path: toldOrNull(gate.path) },
    decision: decision && { ...decision, reason: toldOrNull(decision.reason) },
    reason: toldOrNull(news.reason),
    tasks,
    command,
  });
}

/** Slack's three control characters, so that no text of ours becomes a link or calls people. */
const slackText = (text: string): string =>
  escapeForDisplay(told(text)).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A message of an incoming webhook: `text`, and nothing that other services of that shape would not know. */
export function slackBody({ event, news }: Notification): string {
  const { plan, gate, decision, run, command } = news;
  const lines = [`*${slackText(plan.name)}* (${plan.id}): ${slackText(headline(event, news))}`];
  if (gate) {
    const about = gate.path ?? 'the whole plan';
    const lineCount = gate.path === null ? '' : `, +${gate.diffStat.added} -${gate.diffStat.removed}`;
    lines.push(`${gate.kind} gate for ${slackText(about)}, ${gate.risk} risk${lineCount}`);
    if (gate.until !== null && decision === null) lines.push(`until ${gate.until}`);
    if (gate.by !== null && decision === null) lines.push(`for ${slackText(gate.by.join(', '))}`);
  }
  if (decision?.reason) lines.push(slackText(decision.reason));
  if (news.reason !== null) lines.push(slackText(news.reason));
  if (run && news.tasks)
    lines.push(
      Object.entries(news.tasks)
        .map(([status, count]) => `${count} ${status}`)
        .join(', '),
    );
  lines.push(`\`${slackText(command).replaceAll('`', "'")}\``);
  return JSON.stringify({ text: lines.join('\n') });
}

function headline(event: SentEvent, { decision, run }: News): string {
  switch (event) {
    case 'notification.test':
      return 'this is a test';
    case 'gate.opened':
      return 'waits for a decision';
    case 'gate.reminded':
      return 'still waits for a decision';
    case 'gate.escalated':
      return 'waits for a decision, and others are asked now';
    case 'gate.decided':
    case 'gate.expired':
      return decision?.decision === 'expire'
        ? 'nobody decided in time, so it was rejected'
        : `${decision?.decision} by ${decision?.by}`;
    case 'gate.withdrawn':
      return 'no longer waits for this decision';
    case 'plan.stuck':
      return 'is stuck and waits for a person';
    case 'plan.failed':
    case 'run.finished':
      return run ? `run ${run.number} ended ${run.status}` : 'could not be planned';
  }
}
