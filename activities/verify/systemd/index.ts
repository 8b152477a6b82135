import { z } from 'zod';
import type { Finding } from '../../../plan/types';
import { MAX_FINDINGS } from '../findings';
import { hint } from '../near';
import { readTable } from '../tables';
import type { Subject, Verifier, VerifyContext } from '../types';
import { type Entry, readUnit } from './read';
import { valueFault } from './values';

type Sections = Record<string, Record<string, string>>;

let known: Sections | null = null;

/** Keys that came after systemd 252, whose table this is. */
const NEWER: Sections = {
  Unit: { SurviveFinalKillSignal: 'BOOLEAN' },
  Service: {
    RestartSteps: 'UNSIGNED',
    RestartMaxDelaySec: 'SECONDS',
    RestartMode: 'STRING',
    FileDescriptorStorePreserve: 'STRING',
    OpenFile: 'STRING',
    ReloadSignal: 'SIGNAL',
    ExecReloadPost: 'PATH [ARGUMENT [...]]',
    RootImagePolicy: 'STRING',
    MountImagePolicy: 'STRING',
    ExtensionImagePolicy: 'STRING',
    ImportCredential: 'STRING',
    SetLoginEnvironment: 'BOOLEAN',
    MemoryPressureWatch: 'STRING',
    MemoryPressureThresholdSec: 'SECONDS',
    MemoryZSwapWriteback: 'BOOLEAN',
    MemoryKSM: 'BOOLEAN',
    PrivatePIDs: 'STRING',
    ProtectHostname: 'STRING',
    ProtectControlGroups: 'STRING',
    PrivateTmp: 'STRING',
    PrivateUsers: 'STRING',
    BPFTokenCreate: 'STRING',
    DelegateSubgroup: 'STRING',
    CoredumpReceive: 'BOOLEAN',
    StartupAllowedCPUs: 'STRING',
    UserNamespacePath: 'STRING',
  },
  Socket: {
    PollLimitIntervalSec: 'SECONDS',
    PollLimitBurst: 'UNSIGNED',
    PassFileDescriptorsToExec: 'BOOLEAN',
    DeferTrigger: 'STRING',
    MaxConnectionsPerSource: 'UNSIGNED',
  },
  Timer: { DeferReactivation: 'BOOLEAN', RandomizedOffsetSec: 'SECONDS' },
  Install: { UpheldBy: 'OTHER' },
};

function sections(): Sections {
  if (known) return known;
  const table = z
    .object({ sections: z.record(z.string(), z.record(z.string(), z.string())) })
    .parse(readTable('systemd'));
  known = {};
  for (const [name, keys] of Object.entries(table.sections)) known[name] = { ...keys, ...NEWER[name] };
  return known;
}

/** The section that a unit must have, by its ending. */
const OWN_SECTION: Readonly<Record<string, string>> = {
  service: 'Service',
  socket: 'Socket',
  timer: 'Timer',
  path: 'Path',
  mount: 'Mount',
  automount: 'Automount',
  swap: 'Swap',
};

const ENDING = /\.(service|socket|timer|path|mount|automount|swap|slice|scope|target)$/;
const DROP_IN = /\.(service|socket|timer|path|mount|automount|swap|slice|scope|target)\.d\/[^/]+\.conf$/;

function run({ text, path }: Subject, context: VerifyContext): { findings: Finding[] } {
  const { entries, heads, findings } = readUnit(text);
  const ending = (ENDING.exec(path) ?? DROP_IN.exec(path))?.[1] ?? 'service';
  const dropIn = DROP_IN.test(path);
  const own = OWN_SECTION[ending];
  const allowed = new Set([
    'Unit',
    'Install',
    ...(own ? [own] : []),
    ...(ending === 'slice' || ending === 'scope' ? [ending === 'slice' ? 'Slice' : 'Scope'] : []),
  ]);
  for (const { name, line } of heads) {
    if (allowed.has(name) || name.startsWith('X-')) continue;
    findings.push({
      rule: 'unknown-section',
      severity: 'error',
      message: `A ${ending} unit has no section [${name}].${hint(name, allowed)}`,
      line,
      column: 1,
    });
  }
  const acts = entries.some(({ key }) => key === 'SuccessAction' || key === 'FailureAction');
  if (own && !dropIn && !acts && !heads.some(({ name }) => name === own)) {
    findings.push({
      rule: 'missing-section',
      severity: 'error',
      message: `A ${ending} unit needs the section [${own}].`,
      line: 1,
      column: 1,
    });
  }
  for (const entry of entries) {
    if (findings.length > MAX_FINDINGS) break;
    findings.push(...entryFindings(entry));
  }
  if (!dropIn) findings.push(...wholeFindings(entries, heads, ending, path, context));
  return { findings };
}

function entryFindings({ section, key, value, line }: Entry): Finding[] {
  const keys = Object.hasOwn(sections(), section) ? sections()[section] : undefined;
  if (!keys || key.startsWith('X-')) return [];
  const at = { line, column: 1 };
  if (!Object.hasOwn(keys, key)) {
    const elsewhere = Object.entries(sections()).find(([, others]) => Object.hasOwn(others, key))?.[0];
    const more = elsewhere === undefined ? hint(key, Object.keys(keys)) : ` It belongs to [${elsewhere}].`;
    return [
      {
        rule: 'unknown-key',
        severity: 'error',
        message: `[${section}] has no key "${key.slice(0, 80)}".${more}`,
        ...at,
      },
    ];
  }
  const fault = valueFault(key, keys[key] ?? '', value);
  return fault === null ? [] : [{ ...fault, ...at }];
}

/** What a unit as a whole must have; an empty value takes earlier ones of a list back. */
function wholeFindings(
  entries: readonly Entry[],
  heads: readonly { name: string; line: number }[],
  ending: string,
  path: string,
  context: VerifyContext,
): Finding[] {
  const findings: Finding[] = [];
  const get = (section: string, key: string): Entry[] =>
    entries.filter((one) => one.section === section && one.key === key && one.value !== '');
  const last = (section: string, key: string): Entry | undefined => get(section, key).at(-1);
  const report = (rule: string, severity: Finding['severity'], message: string, line?: number): void =>
    void findings.push({
      rule,
      severity,
      message,
      line: line ?? heads.find(({ name }) => OWN_SECTION[ending] === name)?.line ?? 1,
      column: 1,
    });
  if (ending === 'service' && heads.some(({ name }) => name === 'Service')) {
    const starts = get('Service', 'ExecStart');
    const type = last('Service', 'Type')?.value ?? 'simple';
    const oneshot = type === 'oneshot';
    if (starts.length === 0 && get('Service', 'ExecStop').length === 0 && get('Unit', 'SuccessAction').length === 0) {
      report('no-exec-start', 'error', 'The service has no ExecStart.');
    } else if (starts.length === 0 && !oneshot)
      report('no-exec-start', 'error', 'A service without ExecStart must be of Type=oneshot.');
    if (starts.length > 1 && !oneshot) {
      report('exec-start', 'error', 'Only a service of Type=oneshot may have several ExecStart.', starts[1]?.line);
    }
    const restart = last('Service', 'Restart');
    if (oneshot && restart && (restart.value === 'always' || restart.value === 'on-success')) {
      report('restart', 'error', `A service of Type=oneshot cannot have Restart=${restart.value}.`, restart.line);
    }
    if (type === 'dbus' && !last('Service', 'BusName')) report('bus-name', 'error', 'Type=dbus needs BusName.');
  }
  if (ending === 'timer' && heads.some(({ name }) => name === 'Timer')) {
    if (!entries.some(({ section, key, value }) => section === 'Timer' && /^On/.test(key) && value !== '')) {
      report('no-timer', 'error', 'The timer says nowhere when it fires (OnCalendar, OnBootSec …).');
    }
    const base = path.replace(/\.timer$/, '.service');
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    const unit = last('Timer', 'Unit');
    const wanted = unit ? `${folder}${unit.value}` : base;
    const beside = [...context.siblings.keys()].filter(
      (one) => one.endsWith('.service') && one.startsWith(folder) && one !== path,
    );
    if (beside.length > 0 && !context.siblings.has(wanted) && !wanted.includes('@') && !wanted.includes('%')) {
      report('unknown-unit', 'warning', `There is no "${wanted.slice(folder.length)}" beside this timer.`, unit?.line);
    }
  }
  if (ending === 'socket' && !entries.some(({ section, key }) => section === 'Socket' && key.startsWith('Listen'))) {
    report('no-listen', 'error', 'The socket listens nowhere (ListenStream …).');
  }
  if (
    ending === 'path' &&
    !entries.some(
      ({ section, key }) => section === 'Path' && /^(?:Path|Directory)/.test(key) && key !== 'DirectoryMode',
    )
  ) {
    report('no-path', 'error', 'The path unit watches nothing (PathExists, PathChanged …).');
  }
  return findings;
}

/** systemd units by the keys and values that systemd 252 knows. Nothing is started. */
export const systemdVerifier: Verifier = {
  id: 'systemd',
  version: 'v252/planwright-1',
  applies: (path, text) => (ENDING.test(path) || DROP_IN.test(path)) && (/^[ \t]*\[/m.test(text) || text.trim() !== ''),
  run,
};
