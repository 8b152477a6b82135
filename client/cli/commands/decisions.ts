import { PlanwrightError, UsageError } from '../../../plan/errors';
import { DECISIONS } from '../../../plan/gates';
import type { Decide, DecideAnswer } from '../../../plan/view';
import type { OpenGate } from '../../types';
import type { OptionSpec, Raw } from '../command';
import { flag, nonEmpty } from '../command';
import type { Context } from '../context';
import { EXIT } from '../exit-codes';
import type { GateSelection, Verb } from '../gates';
import { decideLine, selectGates } from '../gates';
import { gateLines } from '../show/gate-text';
import { safe } from '../show/style';
import { type Signer, signerOf } from '../signer';

/** What `approve` and `reject` have in common. */
export interface Verdict {
  plan?: string;
  selection: GateSelection;
  reason?: string;
  as?: string;
  key?: string;
}

export const KEY_OPTION: OptionSpec = {
  flags: '--key <file>',
  about: 'signs the decision with this private key (Ed25519, PEM or OpenSSH); needed where the policy names approvers',
};

export const VERDICT_OPTIONS: OptionSpec[] = [
  { flags: '--task <task>', about: 'the gates of this task, by number or id' },
  { flags: '--path <path>', about: 'the gate of this file' },
  { flags: '--gate <id>', about: 'this gate' },
  { flags: '--all', about: 'every open gate of the plan' },
  { flags: '--reason <text>', about: 'why; kept with the decision' },
  { flags: '--as <who>', about: 'who decides (your user name, or whose key it is)' },
  KEY_OPTION,
];

export function parseVerdict(raw: Raw): Verdict {
  const selection = {
    gate: nonEmpty(raw, 'gate'),
    task: nonEmpty(raw, 'task'),
    path: nonEmpty(raw, 'path'),
    all: flag(raw, 'all'),
  };
  if (selection.all && (selection.gate ?? selection.task ?? selection.path) !== undefined) {
    throw new UsageError('--all is every open gate; --gate, --task and --path choose some.', 'Give one or the other.');
  }
  return {
    plan: raw.args[0],
    selection,
    reason: nonEmpty(raw, 'reason'),
    as: nonEmpty(raw, 'as'),
    key: nonEmpty(raw, 'key'),
  };
}

/**
 * Decides the selected gates one after the other, each with the digest that was shown. One that is refused stops none
 * of the others; its error is thrown at the end.
 */
export async function decideSelected(context: Context, verdict: Verdict, decision: Verb): Promise<number> {
  const client = await context.client();
  const id = await client.resolve(verdict.plan);
  const open = (await client.gates(id)).filter(({ outcome }) => outcome === null);
  const gates = selectGates(open, verdict.selection, id, decision);
  for (const gate of gates) takes(gate, decision);
  const signer = await signerOf(context, verdict);
  return sendDecisions(context, id, gates, { decision, by: signer.by, reason: verdict.reason }, signer);
}

/** @throws UsageError where a gate of this kind does not know the decision */
export function takes(gate: OpenGate, decision: string): void {
  if (DECISIONS[gate.kind].includes(decision)) return;
  throw new UsageError(
    `A ${gate.kind} gate does not take "${safe(decision)}"; it takes ${DECISIONS[gate.kind].join(', ')}.`,
    decideLine(gate.plan, gate),
  );
}

export async function sendDecisions(
  context: Context,
  id: string,
  gates: readonly OpenGate[],
  decision: Omit<Decide, 'gate' | 'digest'>,
  signer: Signer,
): Promise<number> {
  const { show } = context;
  const client = await context.client();
  const { view } = await client.show(id);
  const answers: DecideAnswer[] = [];
  const errors: PlanwrightError[] = [];
  for (const gate of gates) {
    show.note(gateLines(view, gate, show.style).join('\n'));
    const digest = gate.digest === null ? {} : { digest: gate.digest };
    try {
      answers.push(await client.decide(id, signer.sign(id, { ...decision, ...digest, gate: gate.gate })));
    } catch (error) {
      if (!(error instanceof PlanwrightError)) throw error;
      errors.push(error);
      if (gates.length > 1)
        show.demand([`${show.style.bad('✗')} ${safe(gate.path ?? gate.gate)}: ${safe(error.message)}`]);
    }
  }
  if (answers.length > 0 || errors.length === 0) {
    show.document(answers, (style) =>
      answers
        .map((answer) => {
          const gate = gates.find((candidate) => candidate.gate === answer.gate);
          const mark = ['approve', 'retry', 'raise'].includes(answer.decision) ? style.good('✓') : style.warn('○');
          const { pending } = answer;
          const more = pending ? ` (${pending.approvals} of ${pending.needed} approvals)` : '';
          return `${mark} ${safe(gate?.path ?? `${gate?.kind} gate`)}: ${safe(answer.decision)} by ${safe(answer.by)}${more}\n`;
        })
        .join(''),
    );
  }
  const [first] = errors;
  if (first) throw first;
  show.next([`planwright watch ${id}`, `planwright approvals ${id}`]);
  return EXIT.done;
}
