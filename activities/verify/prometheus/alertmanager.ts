import { hint } from '../near';
import { dig, isRecord, list, text } from '../values';
import { checkDuration, checkKeys, type Report, words } from './report';

const TOP = words('global route receivers inhibit_rules templates mute_time_intervals time_intervals tracing');
const ROUTE = words(
  'receiver group_by group_wait group_interval repeat_interval matchers match match_re continue routes mute_time_intervals active_time_intervals',
);
const RECEIVER = words(
  `name ${'discord email incidentio jira mattermost msteams msteamsv2 opsgenie pagerduty pushover rocketchat slack sns telegram victorops webex webhook wechat'
    .split(' ')
    .map((one) => `${one}_configs`)
    .join(' ')}`,
);
const INHIBIT = words(
  'name target_matchers target_match target_match_re source_matchers source_match source_match_re equal sources target_labels',
);
const MAX_DEPTH = 50;

/** What each kind of receiver cannot be without, where nothing global stands for it. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  email_configs: ['to'],
  discord_configs: ['webhook_url', 'webhook_url_file'],
  webhook_configs: ['url', 'url_file'],
  telegram_configs: ['chat_id', 'chat_id_file'],
};

/** `alertmanager.yml`. */
export function alertmanagerFindings(value: Record<string, unknown>, report: Report): void {
  checkKeys(value, TOP, 'The configuration', [], report);
  const receivers = new Set<string>();
  list(value.receivers).forEach((receiver, index) => {
    const at = ['receivers', index];
    if (!isRecord(receiver)) {
      report('structure', 'error', 'A receiver is a mapping.', at);
      return;
    }
    checkKeys(receiver, RECEIVER, 'A receiver', at, report);
    const name = text(receiver.name);
    if (name === '') report('receiver', 'error', 'The receiver has no name.', at);
    else if (receivers.has(name))
      report('receiver', 'error', `Two receivers are named "${name.slice(0, 80)}".`, [...at, 'name']);
    receivers.add(name);
    for (const [kind, keys] of Object.entries(NEEDED)) {
      list(receiver[kind]).forEach((one, place) => {
        if (isRecord(one) && !keys.some((key) => one[key] !== undefined))
          report('receiver', 'error', `An entry of ${kind} needs \`${keys[0]}\`.`, [...at, kind, place]);
      });
    }
  });
  const intervals = new Set(
    [...list(value.time_intervals), ...list(value.mute_time_intervals)].map((one) => text(dig(one, 'name'))),
  );
  if (!isRecord(value.route)) report('route', 'error', 'The configuration needs a `route:`.', ['route']);
  else {
    if (text(value.route.receiver) === '') report('route', 'error', 'The first route names no receiver.', ['route']);
    if (['matchers', 'match', 'match_re'].some((key) => value.route && dig(value.route, key) !== undefined))
      report('route', 'error', 'The first route takes every alert and has no matchers.', ['route']);
    route(value.route, ['route'], { receivers, intervals }, report, 0);
  }
  list(value.inhibit_rules).forEach((rule, index) => {
    if (!isRecord(rule)) return;
    checkKeys(rule, INHIBIT, 'An inhibition', ['inhibit_rules', index], report);
    for (const key of ['source_matchers', 'target_matchers'])
      matchers(rule[key], ['inhibit_rules', index, key], report);
  });
  if (isRecord(value.global)) checkDuration(value.global.resolve_timeout, ['global', 'resolve_timeout'], report);
}

interface Known {
  receivers: ReadonlySet<string>;
  intervals: ReadonlySet<string>;
}

function route(
  value: Record<string, unknown>,
  at: (string | number)[],
  known: Known,
  report: Report,
  depth: number,
): void {
  if (depth > MAX_DEPTH) return;
  checkKeys(value, ROUTE, 'A route', at, report);
  const receiver = text(value.receiver);
  if (receiver !== '' && !known.receivers.has(receiver))
    report(
      'unknown-receiver',
      'error',
      `There is no receiver "${receiver.slice(0, 80)}".${hint(receiver, known.receivers)}`,
      [...at, 'receiver'],
    );
  for (const key of ['group_wait', 'group_interval', 'repeat_interval']) {
    checkDuration(value[key], [...at, key], report);
    if ((value[key] === '0s' || value[key] === 0) && key !== 'group_wait')
      report('duration', 'error', `\`${key}\` cannot be 0.`, [...at, key]);
  }
  if (value.group_by !== undefined && !Array.isArray(value.group_by))
    report('structure', 'error', '`group_by` is a list of labels.', [...at, 'group_by']);
  for (const key of ['mute_time_intervals', 'active_time_intervals']) {
    for (const name of list(value[key])) {
      if (!known.intervals.has(text(name)))
        report(
          'unknown-interval',
          'error',
          `There is no time interval "${text(name).slice(0, 80)}".${hint(text(name), known.intervals)}`,
          [...at, key],
        );
    }
  }
  matchers(value.matchers, [...at, 'matchers'], report);
  list(value.routes).forEach((one, index) => {
    if (isRecord(one)) route(one, [...at, 'routes', index], known, report, depth + 1);
  });
}

function matchers(value: unknown, at: (string | number)[], report: Report): void {
  if (value !== undefined && value !== null && !Array.isArray(value))
    report('structure', 'error', '`matchers` is a list.', at);
  for (const matcher of list(value)) {
    if (
      typeof matcher === 'string' &&
      matcher.length < 1000 &&
      /^\{?\s*(?:"[^"]*"|[^\s=!~"]+)\s*(?:=|!=|=~|!~)\s*(?:"(?:\\.|[^"\\])*"|[^"{}]*)\s*(?:,|\}|$)/.test(matcher)
    )
      continue;
    report(
      'matcher',
      'error',
      `"${String(matcher).slice(0, 80)}" is not a matcher; write for example severity="critical".`,
      at,
    );
  }
}
