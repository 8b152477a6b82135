import type { Finding } from '../../../plan/types';
import { hint } from '../near';

type Fault = Pick<Finding, 'rule' | 'severity' | 'message'>;

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Values of keys that take one of a few words. */
const ENUMS: Readonly<Record<string, ReadonlySet<string>>> = {
  SERVICETYPE: words('simple exec forking oneshot dbus notify notify-reload idle'),
  SERVICERESTART: words('no on-success on-failure on-abnormal on-watchdog on-abort always'),
  KILLMODE: words('control-group process mixed none'),
  SERVICEEXITTYPE: words('main cgroup'),
  CPUSCHEDPOLICY: words('other batch idle fifo rr ext'),
};

const ENUMS_BY_KEY: Readonly<Record<string, ReadonlySet<string>>> = {
  ProtectSystem: words('yes no true false 1 0 on off full strict'),
  ProtectHome: words('yes no true false 1 0 on off read-only tmpfs'),
  NotifyAccess: words('none main exec all'),
  RestartMode: words('normal direct debug'),
  ProtectProc: words('noaccess invisible ptraceable default'),
  OOMPolicy: words('continue stop kill'),
  DevicePolicy: words('auto closed strict'),
};

const BOOLEAN = words('1 yes y true t on 0 no n false f off');
const UNIT_NAME = /^[\w:\\.@%-]+\.(?:service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/;
const SPAN =
  /^(?:infinity|\d+(?:\.\d+)?(?:\s*(?:usec|us|µs|msec|ms|seconds?|sec|s|minutes?|min|m|hours?|hr|h|days?|d|weeks?|w|months?|M|years?|y)?)(?:\s*\d+(?:\.\d+)?\s*(?:usec|us|msec|ms|seconds?|sec|s|minutes?|min|m|hours?|hr|h|days?|d|weeks?|w|months?|M|years?|y))*)$/;
const SHORTHAND = words('minutely hourly daily monthly weekly yearly annually quarterly semiannually');
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*';
const PART = String.raw`(?:\*|\d{1,4}(?:\.\.\d{1,4})?)(?:\/\d{1,4})?`;
const PARTS = `${PART}(?:,${PART})*`;
/** systemd.time(7), calendar events. */
const CALENDAR = new RegExp(
  String.raw`^(?:${DAY}(?:(?:,|\.\.|-)${DAY})*,?(?:\s+|$))?(?:${PARTS}-${PARTS}(?:[-~]${PARTS})?(?:\s+|T|$))?(?:${PARTS}:${PARTS}(?::${PARTS}(?:\.\d+)?)?)?(?:\s*(?:UTC|[A-Z][A-Za-z]+(?:\/[A-Za-z_+-]+\d*){0,2}))?$`,
  'i',
);
const SIGNALS =
  /^(?:SIG)?(?:HUP|INT|QUIT|ILL|TRAP|ABRT|BUS|FPE|KILL|USR1|SEGV|USR2|PIPE|ALRM|TERM|STKFLT|CHLD|CONT|STOP|TSTP|TTIN|TTOU|URG|XCPU|XFSZ|VTALRM|PROF|WINCH|IO|PWR|SYS|RTMIN(?:\+\d+)?|RTMAX(?:-\d+)?)$|^\d{1,2}$/;

/** No span or event is longer, and the expressions are not linear. */
const MAX_TIME = 200;
const isSpan = (value: string): boolean => value.length <= MAX_TIME && SPAN.test(value);

/** What is wrong with a value, or null. Empty values reset; values with specifiers (%) are only looked at where that is safe. */
export function valueFault(key: string, type: string, value: string): Fault | null {
  if (value === '') return null;
  const allowed = ENUMS[type] ?? (Object.hasOwn(ENUMS_BY_KEY, key) ? ENUMS_BY_KEY[key] : undefined);
  if (allowed) {
    return allowed.has(value)
      ? null
      : error('value', `${key}="${value.slice(0, 60)}" is none of ${[...allowed].join(', ')}.${hint(value, allowed)}`);
  }
  if (type === 'BOOLEAN' && !BOOLEAN.has(value.toLowerCase()))
    return error('value', `${key} is yes or no, not "${value.slice(0, 60)}".`);
  if (type === 'PATH [ARGUMENT [...]]') return command(key, value);
  if (type === 'SECONDS' || type === 'NANOSECONDS') {
    return isSpan(value) || value.includes('%')
      ? null
      : error('value', `"${value.slice(0, 60)}" is not a span of time; write for example 30s or 5min.`);
  }
  if (type === 'TIMER') return timer(key, value);
  if (type === 'SIGNAL' && !SIGNALS.test(value)) return error('value', `"${value.slice(0, 40)}" is not a signal.`);
  if (type === 'MODE' && !key.endsWith('JobMode') && !/^[0-7]{3,5}$/.test(value))
    return error('value', `${key} is an octal mode, not "${value.slice(0, 40)}".`);
  if (type === 'UNSIGNED' && !/^\d+$/.test(value) && value !== 'infinity' && !value.includes('%'))
    return error('value', `${key} is a number, not "${value.slice(0, 40)}".`);
  if (type === 'UNIT [...]') {
    const bad = value.split(/\s+/).find((unit) => !unit.includes('%') && !UNIT_NAME.test(unit));
    return bad === undefined
      ? null
      : error(
          'unit-name',
          `"${bad.slice(0, 80)}" is not a unit; the name ends with ".service", ".target" or the like.`,
        );
  }
  if (key === 'WantedBy' || key === 'RequiredBy') {
    const bad = value.split(/\s+/).find((unit) => !unit.includes('%') && !UNIT_NAME.test(unit));
    if (bad !== undefined)
      return error('unit-name', `"${bad.slice(0, 80)}" is not a unit; the name ends with ".target" or the like.`);
    const targets = [
      'multi-user.target',
      'default.target',
      'graphical.target',
      'timers.target',
      'sockets.target',
      'network-online.target',
      'network.target',
    ];
    const slip = value
      .split(/\s+/)
      .find((unit) => unit.endsWith('.target') && !targets.includes(unit) && hint(unit, targets) !== '');
    return slip === undefined
      ? null
      : {
          rule: 'unit-name',
          severity: 'warning',
          message: `"${slip.slice(0, 80)}" is not one of systemd's targets.${hint(slip, targets)}`,
        };
  }
  if (key === 'WorkingDirectory' && !/^[-]?(?:~|\/|%)/.test(value))
    return error('path', `WorkingDirectory is an absolute path or "~", not "${value.slice(0, 80)}".`);
  if (key === 'EnvironmentFile' && !/^-?(?:\/|%)/.test(value))
    return error('path', `EnvironmentFile is an absolute path, not "${value.slice(0, 80)}".`);
  if (key === 'Environment' && /^[A-Za-z_]\w*\s+=|^[^="'%]+$/.test(value))
    return error('environment', 'Environment is NAME=value, with quotes around values that have spaces.');
  if ((key === 'User' || key === 'Group') && /\s/.test(value)) return error('value', `${key} is one name.`);
  return null;
}

/** `ExecStart=` and its sisters: prefixes, a path or a bare name, no shell. */
function command(key: string, value: string): Fault | null {
  const bare = value.replace(/^[@:+!|-]{1,5}/, '');
  const program = bare.split(/\s/)[0]?.replace(/^["']|["']$/g, '') ?? '';
  if (program.includes('/') && !program.startsWith('/') && !program.startsWith('%') && !program.startsWith('$')) {
    return error('exec-path', `${key} starts "${program.slice(0, 80)}"; a path must be absolute.`);
  }
  if (program.startsWith('~') || program.startsWith('$'))
    return error('exec-path', `${key} does not expand "${program.slice(0, 80)}"; write the path.`);
  const isShell = /(?:^|\/)(?:ba|da|z|k)?sh$/.test(program) || /\ssh\s+-c|\sbash\s+-l?c/.test(bare);
  const unquoted = bare.replace(/"[^"]*"|'[^']*'/g, '');
  if (!isShell && /\s(?:\|\|?|&&|>{1,2}|<|2>&1|&)(?:\s|$)/.test(unquoted)) {
    return error('exec-shell', `${key} runs no shell, so "|", "&&" and ">" are given to the program; use sh -c '…'.`);
  }
  const quotes = bare.replace(/\\./g, '');
  if (
    ((quotes.match(/"/g) ?? []).length % 2 === 1 && !quotes.includes("'")) ||
    ((quotes.match(/'/g) ?? []).length % 2 === 1 && !quotes.includes('"'))
  ) {
    return error('quote', `${key} has a quote that is not closed.`);
  }
  return null;
}

function timer(key: string, value: string): Fault | null {
  if (key === 'OnCalendar') {
    if (
      SHORTHAND.has(value.toLowerCase().split(/\s+/)[0] ?? '') ||
      value.includes('%') ||
      (value.length <= MAX_TIME && CALENDAR.test(value))
    )
      return null;
    return error(
      'calendar',
      `"${value.slice(0, 80)}" is not a calendar event; write for example daily or Mon..Fri 09:00.`,
    );
  }
  return isSpan(value) || value.includes('%')
    ? null
    : error('value', `"${value.slice(0, 60)}" is not a span of time; write for example 15min.`);
}

function error(rule: string, message: string): Fault {
  return { rule, severity: 'error', message };
}
