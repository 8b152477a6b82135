/** One installation, one model server, and rounds of the same job in it: one undisturbed, then disturbed ones. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Finished, Installation, type Running } from '../e2e/installation';
import { type ModelCall, type ModelReply, type ModelServer, startModelServer } from '../support/model-server';
import type { Random } from '../support/random';
import { auditTroubles } from './audit';
import { answerTo, expectedFiles, questionOf, resetWorkspace } from './job';
import { type Outcome, outcomeOf, repeatedCalls, type Strictness, type Window } from './outcome';
import { Person } from './person';
import { answeredQuestions, brokenSeals, type Sealed } from './records';

const LATENCY_MS = 200;
const ROUND_MS = 100_000;
const WRITING_MS = 5_000;
/** Exit codes of a plan of which tasks failed. */
const FAILED: readonly (number | null)[] = [1, 4];

/** A running round, as a fault sees it. */
export interface World {
  installation: Installation;
  person: Person;
  random: Random;
  plan: string;
  /** The `apply` that follows the plan; a fault that ends it starts another. */
  cli: Running;
  startCli(...flags: string[]): void;
  /** When something was broken. */
  windows: Window[];
  /** From now on no question whose answer is on record may be asked again. */
  seal(): void;
  /** Waits for the model's next answer, or until the time is over. */
  nextAnswer(timeoutMs: number): Promise<void>;
  /** Waits until the model is asked something, or until the time is over. */
  nextCall(timeoutMs: number): Promise<void>;
  /** Waits until the plan runs. */
  begun(): Promise<void>;
}

export interface Fault {
  name: string;
  strictness: Strictness;
  /** More arguments of `apply`. */
  apply?: string[];
  /** Answers of the model server in place of the good ones; undefined: the good one. */
  spoil?: (random: Random) => (question: string, time: number) => ModelReply | undefined;
  /** What happens while the plan runs. */
  strike?: (world: World) => Promise<void>;
}

export interface Round {
  outcome: Outcome;
  repeated: string[];
  /** Processes that do not belong there, and ones that are missing. */
  strangers: string[];
  leftovers: string[];
  /** What is wrong with the audit log. */
  audit: string[];
  /** 'done', or the code of the command that followed the plan to its end, with its output. */
  exit: string;
  /** Milliseconds from the begin of each window to the first answer of the plan after it. */
  back: number[];
}

export class Series {
  private readonly spoiled = new Set<ModelCall>();
  private spoil: ReturnType<NonNullable<Fault['spoil']>> | null = null;
  private readonly asked = new Map<string, number>();

  private constructor(
    readonly installation: Installation,
    private readonly model: ModelServer,
    private readonly person: Person,
  ) {
    model.reply = (call) => this.reply(call);
  }

  /** @param workspace an empty directory; one is made unless told */
  static async start(workspace?: string): Promise<Series> {
    const model = await startModelServer({ latencyMs: LATENCY_MS });
    const env = { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: model.url, PLANWRIGHT_MODEL: 'test' };
    const installation = new Installation(env, null, workspace);
    return new Series(installation, model, new Person(installation));
  }

  private reply(call: ModelCall): ModelReply {
    const question = questionOf(call);
    const time = (this.asked.get(question) ?? 0) + 1;
    this.asked.set(question, time);
    const bad = this.spoil?.(question, time);
    if (bad) this.spoiled.add(call);
    return bad ?? { content: answerTo(question) };
  }

  /** Does the job once under a fault, up to its end, also where that takes a retry. */
  async round(fault: Fault, random: Random): Promise<Round> {
    const { installation, person, model } = this;
    resetWorkspace(installation.workspace);
    const from = model.calls.length;
    this.asked.clear();
    this.spoil = fault.spoil?.(random) ?? null;
    await installation.ok(['plan', '--graph', 'graph.json', `a round of ${fault.name}`]);
    const plan = readFileSync(join(installation.workspace, '.planwright', 'active'), 'utf8').trim();
    const start = (...flags: string[]): Running =>
      installation.start(['apply', plan, '--json', '--wait', '10m', ...(fault.apply ?? []), ...flags]);
    const sealed: Sealed[] = [];
    const world: World = {
      seal: () => sealed.push({ at: Date.now(), questions: answeredQuestions(installation.workspace, plan) }),
      nextAnswer: (timeoutMs) =>
        this.more(timeoutMs, () => model.calls.filter(({ answeredAt }) => answeredAt !== null).length),
      nextCall: (timeoutMs) => this.more(timeoutMs, () => model.calls.length),
      begun: async () => {
        while (((await person.look(plan))?.runs.length ?? 0) === 0) await sleep(50);
      },
      ...{ installation, person, random, plan, windows: [], cli: start() },
      startCli: (...flags) => {
        world.cli = start(...flags);
      },
    };
    const back = this.timesBack(world);
    const stop = new AbortController();
    const attending = person.attend(plan, stop.signal);
    let finished: Finished;
    try {
      const go = async (): Promise<Finished> => {
        await fault.strike?.(world);
        let last = await world.cli.done;
        // Where a task may fail for good, a person looks at it, mends what was wrong, and retries.
        for (let retries = 0; FAILED.includes(last.code) && fault.strictness === 'retried' && retries < 3; retries++) {
          last = await start('--resume', '--retry').done;
        }
        return last;
      };
      finished = await within(ROUND_MS, go(), async () => JSON.stringify((await person.look(plan))?.tasks, null, 1));
    } finally {
      stop.abort();
      await attending;
    }
    const view = await installation.view(plan);
    const calls = model.calls.slice(from);
    return {
      outcome: outcomeOf(view, this.files(), fault.strictness),
      repeated: [...repeatedCalls(calls, world.windows, this.spoiled), ...brokenSeals(calls, sealed)],
      strangers: await installation.strangers(),
      audit: await auditTroubles(installation, plan, fault.strictness !== 'taken up'),
      leftovers: await lasting(() => installation.leftovers()),
      exit: finished.code === 0 ? 'done' : `${finished.code}\n${finished.stdout}\n${finished.stderr}`,
      back: back(),
    };
  }

  private async more(timeoutMs: number, count: () => number): Promise<void> {
    const before = count();
    const until = Date.now() + timeoutMs;
    while (count() === before && Date.now() < until) await sleep(5);
  }

  private timesBack({ windows }: World): () => number[] {
    const times = new Map<Window, number>();
    this.person.onAnswer = (askedAt) => {
      for (const window of windows) {
        if (askedAt < window.from || times.has(window)) continue;
        times.set(window, Date.now() - window.from);
      }
    };
    return () => [...times.values()];
  }

  /** Files of the job, with their backups. */
  private files(): { [path: string]: string } {
    const inputs = ['graph.json', 'package.json'];
    return Object.fromEntries(Object.entries(this.installation.files()).filter(([path]) => !inputs.includes(path)));
  }

  /** The job without a fault; checked against what was worked out by hand. */
  async undisturbed(random: Random, strictness: Strictness): Promise<Round> {
    const round = await this.round({ name: 'nothing', strictness }, random);
    expect(round.outcome.files).toEqual(expectedFiles());
    return round;
  }

  /** Ends everything. @returns what would not end */
  async close(): Promise<string[]> {
    await this.person.disconnect();
    const left = await this.installation.close();
    await this.model.close();
    return left;
  }
}

/** What a living worker is writing just now is no leftover: that is gone soon. */
async function lasting(look: () => string[]): Promise<string[]> {
  const until = Date.now() + WRITING_MS;
  while (look().length > 0 && Date.now() < until) await sleep(50);
  return look();
}

async function within<T>(ms: number, promise: Promise<T>, state: () => Promise<string>): Promise<T> {
  const timeout = new AbortController();
  const late = sleep(ms, undefined, { signal: timeout.signal }).then(async (): Promise<never> => {
    throw new Error(`The round is not over after ${ms} ms:\n${await state()}`);
  });
  late.catch(() => undefined);
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    timeout.abort();
  }
}
