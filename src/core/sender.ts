/**
 * Callers that enqueue in the same turn share one commit: 64 awaiting callers cost one transaction, each still awaits its own durable answer.
 */
import { at } from "./at.ts";
import { afterOf, stagesOf, type Stage } from "./compose/stage.ts";
import { answersOf, type Plan } from "./compose/plan.ts";
import { enqueueMax } from "./defaults.ts";
import type { Atom, Engine, Enqueued, NewWork } from "./engine.ts";
import { ErrandError } from "./errors.ts";
import type { Runtime } from "./runtime.ts";

interface Waiting {
  readonly atoms: readonly Atom[];
  readonly works: number;
  /** None of it has an order or a name that other works of this process may share: it may be stored beside others. */
  readonly isFree: boolean;
  readonly resolve: (answers: Answer[]) => void;
  readonly reject: (error: unknown) => void;
}
type Answer = Enqueued[] | ErrandError;

/** At most this many works in one call to the engine: an fsync is shared, and nobody waits long behind the others. */
const worksPerFlush = 4_000;
/** So many works are stored beside others that are on their way already: the store writes while the next are made ready. Fewer wait, and share the next commit. */
const besideLeast = 500;
const flushesMax = 2;
/** Where that costs nothing, few go beside as well, in smaller calls; and so many callers, each of whom calls again when it is answered, are parted in two. */
const worksPipelined = 1_000;
const halvedLeast = 16;

export class Sender {
  readonly #engine: Engine;
  readonly #runtime: Runtime;
  #waiting: Waiting[] = [];
  #flushes = 0;
  /** What is on its way bears nothing beside it. */
  #isAlone = false;
  #isDue = false;
  readonly #idle: Set<() => void> = new Set();
  /** Calls in several stages, which rest between them. */
  #inTurn = 0;

  constructor(engine: Engine, runtime: Runtime) {
    this.#engine = engine;
    this.#runtime = runtime;
  }

  /** Stores works in order, in atoms of 500; answers for each. Rejects with the first refusal; see {@link ErrandError.again}. */
  send(works: readonly NewWork[]): Promise<Enqueued[]> {
    return this.#send(works, false);
  }

  /** As {@link send}, what belongs together in one atom, or staged where none is large enough; answers for each errand of the call. */
  async sendPlan(plan: Plan): Promise<readonly Enqueued[]> {
    if (plan.units === undefined || plan.works.length <= enqueueMax) return answersOf(plan, await this.send(plan.works));
    const stages = stagesOf(plan);
    this.#inTurn++;
    try {
      return await this.#sendInTurn(plan, stages, false);
    } finally {
      this.#inTurn--;
    }
  }

  /** Resolves when all that was handed in has its answer. */
  async idle(): Promise<void> {
    while (this.#waiting.length > 0 || this.#flushes > 0 || this.#inTurn > 0) {
      await (this.#flushes > 0 ? new Promise<void>((resolve) => this.#idle.add(resolve)) : this.#aTurn());
    }
  }

  /** `isInDoubt`: an earlier call with the same works may have stored them. */
  async #send(works: readonly NewWork[], isInDoubt: boolean): Promise<Enqueued[]> {
    const again = (isNowInDoubt: boolean): Promise<unknown> => this.#send(works, isNowInDoubt);
    const answers = await this.#queued(atomsOf(works), works, isInDoubt, again);
    return flattened(answers, () => again(true));
  }

  /** Stage by stage: the next is handed in when the one before is stored. */
  async #sendInTurn(plan: Plan, stages: readonly Stage[], isInDoubt: boolean): Promise<readonly Enqueued[]> {
    const again = (isNowInDoubt: boolean): Promise<unknown> => this.#sendInTurn(plan, stages, isNowInDoubt);
    // The answer to each work's first storing: a batch that is sealed is stored twice.
    const answers = new Map<string, Enqueued>();
    let hasStored = false;
    for (const { atoms, isHidden } of stages) {
      const named = atoms.map((atom) => renamed(atom, answers));
      const given = await this.#queued(named, plan.works, isInDoubt || hasStored, again);
      const refusal = given.find((answer) => answer instanceof ErrandError);
      if (refusal !== undefined && isHidden && !hasStored) throw refusal;
      const stored = flattened(given, () => again(true), hasStored);
      for (const [index, { id }] of atoms.flatMap((atom) => atom.works).entries())
        answers.set(id, answers.get(id) ?? stored[index] ?? { id, isDuplicate: false });
      hasStored ||= !isHidden;
      // An engine that answers at once would keep timers and sockets waiting until the last of 100,000 is stored.
      await this.#aTurn();
    }
    return answersOf(
      plan,
      plan.works.map(({ id }) => answers.get(id) ?? { id, isDuplicate: false }),
    );
  }

  #aTurn(): Promise<void> {
    return new Promise((resolve) => this.#runtime.soon(resolve));
  }

  #queued(atoms: readonly Atom[], works: readonly NewWork[], wasInDoubt: boolean, again: (isInDoubt: boolean) => Promise<unknown>): Promise<Answer[]> {
    return new Promise((resolve, reject) => {
      const failed = (error: unknown): void => {
        const isInDoubt = wasInDoubt || !(error instanceof ErrandError && error.isDefinite);
        reject(repeatable(error, works, isInDoubt, () => again(isInDoubt)));
      };
      this.#waiting.push({ atoms, works: atoms.reduce((sum, atom) => sum + atom.works.length, 0), isFree: atoms.every(isFree), resolve, reject: failed });
      this.#flushSoon();
    });
  }

  #flushSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#runtime.soon(() => {
      this.#isDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    const calls = this.#take();
    if (calls.length === 0) return;
    this.#isAlone = !calls.every((call) => call.isFree);
    this.#flushes++;
    void this.#flushSome(calls).then(() => {
      this.#flushes--;
      this.#isAlone = false;
      if (this.#flushes === 0) for (const resolve of this.#idle) resolve();
      if (this.#flushes === 0) this.#idle.clear();
      this.#goOn();
    });
    this.#goOn();
  }

  /** What is sent in one turn is answered in one: pipelined, each goes in a turn of its own, so that this process and the store do not wait for each other. */
  #goOn(): void {
    if (this.#waiting.length === 0) return;
    if (this.#isPipelined) this.#flushSoon();
    else this.#flush();
  }

  /** What goes to the engine now: nothing while what is on its way bears nothing beside it, or there is too little. */
  #take(): Waiting[] {
    const isBeside = this.#flushes > 0;
    if (isBeside && (this.#isAlone || this.#flushes >= flushesMax)) return [];
    const isHalved = this.#isPipelined && !isBeside && this.#waiting.length >= halvedLeast && this.#waiting.every((call) => call.isFree);
    const callsMost = isHalved ? Math.ceil(this.#waiting.length / 2) : this.#waiting.length;
    const worksMost = this.#isPipelined ? worksPipelined : worksPerFlush;
    let works = 0;
    let calls = 0;
    for (const call of this.#waiting) {
      if (calls === callsMost || (isBeside && !call.isFree) || (calls > 0 && works + call.works > worksMost)) break;
      works += call.works;
      calls++;
    }
    return isBeside && !this.#isPipelined && works < besideLeast ? [] : this.#waiting.splice(0, calls);
  }

  get #isPipelined(): boolean {
    return this.#engine.isPipelined === true;
  }

  async #flushSome(calls: readonly Waiting[]): Promise<void> {
    try {
      const stored = this.#engine.enqueue(
        calls.flatMap((call) => call.atoms),
        at(this.#runtime),
      );
      const answers = stored instanceof Promise ? await stored : stored;
      let position = 0;
      for (const call of calls) call.resolve(answers.slice(position, (position += call.atoms.length)));
    } catch (error) {
      for (const call of calls) call.reject(error);
    }
  }
}

/** A job of an earlier stage that lost its unique key is known by the winner's id. */
function renamed({ works }: Atom, answers: ReadonlyMap<string, Enqueued>): Atom {
  const isOther = (id: string): boolean => (answers.get(id)?.id ?? id) !== id;
  return {
    works: works.map((work) =>
      afterOf(work).some(({ id }) => isOther(id)) ? { ...work, after: afterOf(work).map(({ id, when }) => ({ id: answers.get(id)?.id ?? id, when })) } : work,
    ),
  };
}

function isFree({ works, notes }: Atom): boolean {
  return (
    notes === undefined &&
    works.every(
      (work) =>
        work.kind === "job" &&
        work.lane === undefined &&
        work.unique === undefined &&
        work.join === undefined &&
        work.rememberMs === 0 &&
        afterOf(work).length === 0 &&
        (work.keyLimits?.length ?? 0) === 0,
    )
  );
}

/** Atoms of at most 500 works. */
function atomsOf(works: readonly NewWork[]): Atom[] {
  if (works.length <= enqueueMax) return [{ works }];
  return Array.from({ length: Math.ceil(works.length / enqueueMax) }, (_, index) => ({ works: works.slice(index * enqueueMax, (index + 1) * enqueueMax) }));
}

/** One list of answers, or the first atom's refusal: indefinite where other atoms of the same call were stored, now or before (`wasStored`). */
export function flattened(answers: readonly Answer[], again: () => Promise<unknown>, wasStored: boolean = false): Enqueued[] {
  const refusal = answers.find((answer) => answer instanceof ErrandError);
  if (refusal === undefined) return (answers as Enqueued[][]).flat();
  const stored = answers.filter((answer) => !(answer instanceof ErrandError));
  if (stored.length === 0 && !wasStored) throw refusal;
  const count = (stored as Enqueued[][]).reduce((sum, list) => sum + list.length, 0);
  throw new ErrandError(refusal.code, `${messageOf(refusal)}; ${wasStored ? "" : `${count} `}other items of the same call were stored`, {
    cause: refusal,
    isDefinite: false,
    details: { ...refusal.details, stored: count },
    again,
  });
}

function repeatable(error: unknown, works: readonly NewWork[], isInDoubt: boolean, again: () => Promise<unknown>): Error {
  if (!(error instanceof ErrandError)) return error instanceof Error ? error : new Error(String(error));
  return new ErrandError(error.code, messageOf(error), {
    cause: error.cause ?? error,
    isDefinite: !isInDoubt,
    details: { ...error.details, ids: works.slice(0, 100).map((work) => work.id) },
    again,
  });
}

/** Without the code, which the constructor puts in front. */
function messageOf(error: ErrandError): string {
  return error.message.slice(error.code.length + 2);
}
