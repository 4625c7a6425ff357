/** The transactions that an app hands in: Redis' own, and those of the database that holds its rows, by way of an outbox there. */
import type * as port from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import { shapeRefusal } from "../core/refusals.ts";
import type { Runtime } from "../core/runtime.ts";
import { checkMulti, isMulti } from "./multi.ts";
import { Relay } from "./relay.ts";
import type { Verbs } from "./verbs.ts";

/** Where there is an outbox: by the numbers of the guarantees. */
const weakerByOutbox: port.Guarantees["weaker"] = {
  G6: "What a transaction hands in by the outbox is answered at once, with its ids: that an id or a unique key is taken is seen when it is moved on, after the commit. What can never be stored then is set aside with what was said, logged and counted.",
  G7: "Among what transactions hand in by the outbox, order by key holds; what is enqueued without a transaction does not wait for what the outbox still holds.",
};

type Answers = (port.Enqueued[] | ErrandError)[];

export interface CallersParts {
  readonly runtime: Runtime;
  readonly verbs: Pick<Verbs, "move" | "queueIn">;
  /** Where the engine's keys are, for messages, and what they begin with. */
  readonly server: string;
  readonly home: string;
  readonly outbox: port.Outbox | undefined;
}

export class CallersTransactions {
  readonly #parts: CallersParts;
  readonly #relay: Relay | undefined;

  private constructor(parts: CallersParts) {
    this.#parts = parts;
    const { runtime, verbs, outbox } = parts;
    this.#relay = outbox && new Relay({ runtime, outbox, move: (move, at) => verbs.move(move, at) });
  }

  static async open(parts: CallersParts): Promise<CallersTransactions> {
    await parts.outbox?.open({ runtime: parts.runtime }, parts.home);
    const callers = new CallersTransactions(parts);
    callers.#relay?.start();
    return callers;
  }

  async close(): Promise<void> {
    await this.#relay?.stop();
    await this.#parts.outbox?.close();
  }

  get outbox(): port.Outbox | undefined {
    return this.#parts.outbox;
  }

  weakened(guarantees: port.Guarantees): port.Guarantees {
    return this.outbox === undefined ? guarantees : { ...guarantees, weaker: { ...guarantees.weaker, ...weakerByOutbox } };
  }

  joins(tx: unknown): "sync" | "async" {
    const { outbox, server } = this.#parts;
    if (isMulti(tx)) {
      checkMulti(tx, server);
      return "async";
    }
    if (outbox !== undefined) return outbox.joins(tx);
    throw new ErrandError(
      "tx-unsupported",
      "on Redis, within() takes a client.multi() of the same server; for transactions of a database give it an outbox there, redis(…, { outbox: postgres(pool) }), or keep errand in that database",
    );
  }

  /** What can be refused before the commit is refused now; the rest when it is moved on. */
  enqueue(atoms: readonly port.Atom[], at: port.At<unknown>): port.Maybe<Answers> {
    this.joins(at.tx);
    const answers = atoms.map((atom) => shapeRefusal(atom) ?? atom.works.map(({ id }): port.Enqueued => ({ id, isDuplicate: false })));
    const added = this.#add(
      atoms.filter((_, nth) => !(answers[nth] instanceof ErrandError)),
      at,
    );
    return added instanceof Promise ? added.then(() => answers) : answers;
  }

  #add(atoms: readonly port.Atom[], at: port.At<unknown>): port.Maybe<void> {
    const { verbs, outbox } = this.#parts;
    if (atoms.length === 0) return;
    if (isMulti(at.tx)) return verbs.queueIn(at.tx, atoms, at);
    const added = outbox?.add(atoms, at);
    this.#relay?.hint();
    return added;
  }
}

/** Throws `option-invalid`. */
export function checkLender(given: port.Engine | undefined): port.Engine | undefined {
  if (given === undefined || typeof given.outbox === "function") return given;
  throw new ErrandError(
    "option-invalid",
    `outbox is ${typeof given === "object" ? "an engine without tables to lend" : `a ${typeof given}`}; give postgres(pool) or sqlite("app.db"), the database that holds the app's rows`,
  );
}
