import { RefusedError, UsageError } from '../../plan/errors';
import { DECISIONS } from '../../plan/gates';
import type { Decide, GateView, PlanView } from '../../plan/view';
import type { PlanClient } from '../types';
import { decideLine, openGates } from './gates';
import type { Prompter } from './prompter';
import { gateDiff } from './show/diff';
import { gateLines } from './show/gate-text';
import { safe } from './show/style';
import type { Show } from './show/types';
import type { Signer } from './signer';

/** Why the person is not asked any more. */
export type Ended = 'end of input' | 'interrupt';

type Decision = Pick<Decide, 'decision' | 'reason' | 'value'>;
/** `all`: this one and the open rest of its task. */
type Choice =
  | { kind: 'decide'; decision: Decision; all?: boolean }
  | { kind: 'ended'; why: Ended }
  | { kind: 'withdrawn' };

interface Options {
  client: PlanClient;
  by: string;
  /** Signs what is decided, for a policy that names approvers; without it such gates are shown and not asked about. */
  sign?: Signer['sign'];
  /** Who generates in this run, where that is not the plan's own provider. */
  provider?: string;
  prompter: Prompter;
  show: Show;
  /** Called once: input is over. Nothing was decided by it. */
  onEnded(why: Ended): void;
  onError(error: unknown): void;
}

/**
 * Asks a person about the open gates of a plan, one after the other, while the plan goes on. Only a line that
 * was typed decides anything, and a decision always carries the digest of what was shown.
 */
export class Gatekeeper {
  private asking: { gate: string; withdraw: AbortController } | null = null;
  /** Gates that were answered here; a view may still show one as open for a moment. */
  private readonly settled = new Set<string>();
  /** Gates that cannot be answered here, and were shown. */
  private readonly left = new Set<string>();
  private latest: PlanView | null = null;
  private over = false;
  private handling: Promise<void> = Promise.resolve();

  constructor(private readonly options: Options) {}

  /** Takes note of the plan as it stands: withdraws a question that was decided elsewhere, asks the next one. */
  see(view: PlanView): void {
    this.latest = view;
    const open = openGates(view);
    const { asking } = this;
    if (asking && !open.some(({ gate }) => gate === asking.gate)) asking.withdraw.abort();
    this.askNext();
  }

  /** True for a gate that was decided here: its answer has been shown. */
  answered(gate: string): boolean {
    return this.settled.has(gate);
  }

  /** Withdraws an open question. The result settles once a decision that is under way was answered. */
  close(): Promise<void> {
    this.over = true;
    this.asking?.withdraw.abort();
    return this.handling;
  }

  private askNext(): void {
    if (this.asking || this.over || !this.latest) return;
    const view = this.latest;
    const gate = openGates(view).find(
      (candidate) => !this.settled.has(candidate.gate) && !this.left.has(candidate.gate),
    );
    if (!gate) return;
    this.asking = { gate: gate.gate, withdraw: new AbortController() };
    this.options.show.hold();
    this.handling = this.handle(view, gate, this.asking.withdraw.signal).then(
      () => {
        this.asking = null;
        this.options.show.release();
        this.askNext();
      },
      (error: unknown) => {
        this.asking = null;
        this.options.show.release();
        this.options.onError(error);
      },
    );
  }

  private async handle(view: PlanView, gate: GateView, withdraw: AbortSignal): Promise<void> {
    const { show } = this.options;
    show.demand(gateLines(view, gate, show.style));
    if (gate.signed && !this.options.sign) {
      this.left.add(gate.gate);
      show.demand([
        `    The policy wants it signed: ${decideLine(view.id, gate)}`,
        `    To be asked here: Ctrl-C, then planwright apply ${view.id} --key FILE`,
      ]);
      return;
    }
    const choice = await this.choose(view, gate, withdraw);
    this.settled.add(gate.gate);
    if (choice.kind === 'ended') {
      this.over = true;
      this.options.onEnded(choice.why);
      return;
    }
    if (choice.kind === 'withdrawn') {
      if (!this.over) show.demand([`  ${show.style.dim('Decided elsewhere, or no longer needed.')}`]);
      return;
    }
    const taken = await this.send(view, gate, choice.decision);
    if (choice.all) await this.approveRest(view, gate);
    if (taken && choice.decision.decision === 'request-changes') this.dropTask(gate.task);
  }

  /** "All of this task": the files that are open now. A HIGH one is always asked by itself. */
  private async approveRest(view: PlanView, first: GateView): Promise<void> {
    const { show } = this.options;
    const rest = openGates(view).filter((gate) => gate.task === first.task && !this.settled.has(gate.gate));
    for (const gate of rest.filter(({ kind, risk }) => kind === 'file' && risk !== 'HIGH')) {
      this.settled.add(gate.gate);
      show.demand(gateLines(view, gate, show.style));
      await this.send(view, gate, { decision: 'approve' });
    }
  }

  /** The task is generated again: what was open of it is void, though the newest view may not say so yet. */
  private dropTask(task: string | null): void {
    const open = this.latest === null ? [] : openGates(this.latest);
    for (const gate of open.filter((candidate) => candidate.task === task)) this.settled.add(gate.gate);
  }

  /** @returns false where the decision was refused */
  private async send(view: PlanView, gate: GateView, decision: Decision): Promise<boolean> {
    const { client, by, show, sign = (_plan: string, unsigned: Decide) => unsigned } = this.options;
    const digest = gate.digest === null ? {} : { digest: gate.digest };
    try {
      const answer = await client.decide(view.id, sign(view.id, { gate: gate.gate, by, ...decision, ...digest }));
      const mark = answer.decision === 'approve' ? show.style.good('✓') : show.style.warn('○');
      const { pending } = answer;
      const more = pending ? ` (${pending.approvals} of ${pending.needed} approvals)` : '';
      show.demand([`  ${mark} ${safe(answer.decision)} by ${safe(answer.by)}${more}`]);
      return true;
    } catch (error) {
      // A decision that came too late, or that is not ours to make, is news and no reason to stop following.
      if (!(error instanceof RefusedError) && !(error instanceof UsageError)) throw error;
      show.demand([`  ${show.style.warn('!')} ${safe(error.message)}`]);
      return false;
    }
  }

  private choose(view: PlanView, gate: GateView, withdraw: AbortSignal): Promise<Choice> {
    if (gate.kind === 'risk') return this.chooseRisk(view, withdraw);
    if (gate.kind === 'file') return this.chooseFile(view, gate, withdraw);
    return this.chooseWord(gate, withdraw);
  }

  private async ask(question: string, withdraw: AbortSignal): Promise<string | Choice> {
    const answer = await this.options.prompter.ask(question, withdraw);
    if (answer.kind === 'line') return answer.line.trim();
    if (answer.kind === 'withdrawn') return { kind: 'withdrawn' };
    return { kind: 'ended', why: answer.kind === 'end' ? 'end of input' : 'interrupt' };
  }

  private async chooseFile(view: PlanView, gate: GateView, withdraw: AbortSignal): Promise<Choice> {
    const { client, show } = this.options;
    const question = `Approve ${safe(gate.path ?? '')}? [y]es [n]o [d]iff [r]equest changes [a]ll of this task `;
    for (;;) {
      const answer = await this.ask(question, withdraw);
      if (typeof answer !== 'string') return answer;
      switch (answer.toLowerCase()) {
        case 'y':
        case 'yes':
          return { kind: 'decide', decision: { decision: 'approve' } };
        case 'a':
        case 'all':
          return { kind: 'decide', decision: { decision: 'approve' }, all: true };
        case 'n':
        case 'no':
          return { kind: 'decide', decision: { decision: 'reject' } };
        case 'd':
        case 'diff':
          show.demand((await gateDiff(client, gate, show.style)).trimEnd().split('\n'));
          break;
        case 'r': {
          if ((this.options.provider ?? view.provider) === 'template') {
            show.demand([
              '  The template provider has no model that could follow a request: it generates the same file again.',
              '  To change it, edit the file once it is written, or plan with a model. Enter alone goes back.',
            ]);
          }
          const reason = await this.ask('What should be different? ', withdraw);
          if (typeof reason !== 'string') return reason;
          if (reason !== '') return { kind: 'decide', decision: { decision: 'request-changes', reason } };
          show.demand(['  Nothing was said, so nothing was requested.']);
          break;
        }
        default:
          show.demand(['  Answer y, n, d, r or a. Ctrl-C leaves the plan waiting.']);
      }
    }
  }

  private async chooseRisk(view: PlanView, withdraw: AbortSignal): Promise<Choice> {
    const name = safe(view.name);
    for (;;) {
      const answer = await this.ask(`Type the plan's name (${name}) to let it run, or n to cancel the run: `, withdraw);
      if (typeof answer !== 'string') return answer;
      if (answer === view.name.trim() || answer === name) return { kind: 'decide', decision: { decision: 'approve' } };
      if (['n', 'no'].includes(answer.toLowerCase())) return { kind: 'decide', decision: { decision: 'reject' } };
      this.options.show.demand(['  That is not the name. Nothing was decided.']);
    }
  }

  private async chooseWord(gate: GateView, withdraw: AbortSignal): Promise<Choice> {
    const words = DECISIONS[gate.kind];
    for (;;) {
      const answer = await this.ask(`Decide (${words.join(', ')}): `, withdraw);
      if (typeof answer !== 'string') return answer;
      const [decision = '', ...rest] = answer.split(/\s+/);
      if (words.includes(decision) && !(decision === 'raise' && !(Number(rest[0]) > 0))) {
        const value = decision === 'raise' ? { value: Number(rest[0]) } : {};
        // What stands after the word is why; request-changes needs it.
        const reason = decision === 'raise' || rest.length === 0 ? {} : { reason: rest.join(' ') };
        return { kind: 'decide', decision: { decision, ...value, ...reason } };
      }
      this.options.show.demand([
        `  Answer one of: ${words.join(', ')}${words.includes('raise') ? ' (raise 50000)' : ''}.`,
      ]);
    }
  }
}
