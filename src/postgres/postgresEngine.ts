/** The verbs of the port on one schema: each a function in a transaction of its own, or in the caller's. */
import type * as port from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import { shapeRefusal } from "../core/refusals.ts";
import type { BeatSource, Ms, Runtime } from "../core/runtime.ts";
import { beatSourceOf } from "./beatConnection.ts";
import { claimedOf } from "./claimed.ts";
import type { StoredClaimed } from "./claimed.ts";
import { callersTransaction } from "./callersTransaction.ts";
import { columnsOf } from "./alike.ts";
import { databaseOf } from "./client.ts";
import type { Database, Session } from "./client.ts";
import { guaranteesOf } from "./guarantees.ts";
import { pinsOf } from "./horizon.ts";
import { Listeners } from "./listen.ts";
import { answerOf, forget, settledOf, tell } from "./outcomes.ts";
import type { Seqs, StoredSettled } from "./outcomes.ts";
import { PostgresOutbox } from "./outbox.ts";
import { isPlain } from "./plain.ts";
import { errorOf, isRefusal } from "../core/refused.ts";
import type { Refusal } from "../core/refused.ts";
import { beatStatement, Verbs } from "./verbs.ts";
import type { Answered } from "./verbs.ts";
import { checkSchema } from "./schemaName.ts";
import { setAsideStatement } from "./setAside.ts";
import { stateOfCode } from "./numbers.ts";

export interface PostgresOptions {
  /** The schema that holds everything. Made if it is missing. Default: "errand". */
  readonly schema?: string;
  /** Connections to work with, where errand connects by itself. Default: 4. */
  readonly poolSize?: number;
}

export const defaultSchema = "errand";

interface Opened {
  readonly database: Database;
  readonly verbs: Verbs;
  readonly listeners: Listeners;
  readonly runtime: Runtime;
  readonly beat: BeatSource | undefined;
}

export class PostgresEngine implements port.Engine {
  readonly name = "postgres";
  readonly enqueuesByName = true;
  /** Absent where the pool cannot be told to a thread. */
  beatSource?: () => BeatSource;
  readonly #given: unknown;
  readonly #options: PostgresOptions;
  readonly #schema: string;
  readonly #seqs: Seqs = new Map();
  /** Several brokers of one process may open the same value. */
  #openers = 0;
  #opening: Promise<Opened> | undefined;
  #opened: Opened | undefined;

  constructor(given: unknown, options: PostgresOptions) {
    this.#given = given;
    this.#options = options;
    this.#schema = checkSchema(options.schema ?? defaultSchema);
  }

  async open({ runtime }: port.Host): Promise<void> {
    this.#openers += 1;
    this.#opening ??= this.#open(runtime);
    try {
      const opened = (this.#opened = await this.#opening);
      const { beat } = opened;
      if (beat !== undefined) this.beatSource = () => beat;
    } catch (error) {
      this.#openers -= 1;
      this.#opening = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#openers = Math.max(0, this.#openers - 1);
    if (this.#openers > 0) return;
    const opened = this.#opened;
    this.#opened = undefined;
    this.#opening = undefined;
    delete this.beatSource;
    await opened?.listeners.close();
    await opened?.database.close();
  }

  guarantees(): port.Guarantees {
    return guaranteesOf(this.#store.beat !== undefined);
  }

  async enqueue(atoms: readonly port.Atom[], at: port.At<unknown>): Promise<(port.Enqueued[] | ErrandError)[]> {
    return (await this.#enqueuePlain(atoms, at)) ?? (await this.#enqueueAll(atoms, at));
  }

  async claim({ settling, ...wanted }: port.Claim, at: port.At): Promise<port.Claimed> {
    const asked = settling.length === 0 ? wanted : { ...wanted, settling: tell(settling, this.#seqs) };
    return claimedOf(await this.#write<StoredClaimed>("verb_claim", asked, at), settling, this.#seqs);
  }

  async settle(outcomes: readonly port.Outcome[], at: port.At<unknown>): Promise<port.Settled[]> {
    if (at.tx === undefined) {
      return settledOf(outcomes, await this.#write<StoredSettled[]>("verb_settle", tell(outcomes, this.#seqs), at), this.#seqs);
    }
    return (await this.#settleWithin(outcomes, at)).map(answerOf);
  }

  async beat(process: string, leaseMs: Ms, at: port.At): Promise<port.Heard> {
    const { database, verbs } = this.#store;
    return found(await verbs.call<port.Heard>(database, "verb_beat", [process, leaseMs], at)).answer;
  }

  tidy(pass: port.Tidy, at: port.At): Promise<port.Tidied> {
    return this.#write("verb_tidy", pass, at);
  }

  async change(which: port.Selection, asked: port.Change, limit: number, at: port.At<unknown>): Promise<port.Changed> {
    const { session } = this.#sessionFor(at);
    const answered = found(await this.#store.verbs.call<port.Changed>(session, "verb_change", [json(which), json(asked), limit], at));
    return this.#told(answered, at);
  }

  async find<Q extends port.Query>(query: Q, at: port.At): Promise<port.Page<Q>> {
    const { database, verbs } = this.#store;
    return found(await verbs.call<port.Page<Q>>(database, "verb_find", [json(query)], at)).answer;
  }

  async count(at: port.At): Promise<port.CountRow[]> {
    const { database, verbs } = this.#store;
    return found(await verbs.call<port.CountRow[]>(database, "verb_count", [], at)).answer;
  }

  async lock(request: port.LockRequest, at: port.At): Promise<port.Grant | port.Waiting> {
    const answer = await this.#write<port.Grant | port.Waiting | Refusal>("verb_lock", request, at);
    if (isRefusal(answer)) throw errorOf(answer);
    return answer;
  }

  unlock(grant: { readonly name: string; readonly ticket: string }, at: port.At): Promise<boolean> {
    return this.#write("verb_unlock", { name: grant.name, ticket: grant.ticket }, at);
  }

  async readNote(key: string, at: port.At): Promise<port.Note | undefined> {
    const { database, verbs } = this.#store;
    return (await verbs.call<port.Note | null>(database, "verb_read_note", [key], at))?.answer ?? undefined;
  }

  listen(wake: () => void): port.Maybe<port.Unlisten> {
    return this.#store.listeners.listen(wake);
  }

  get isHearing(): boolean {
    return this.#opened?.listeners.isHearing === true;
  }

  pins(afterMs: Ms): Promise<readonly port.Pin[]> {
    return pinsOf(this.#store.database, afterMs);
  }

  async setAside(): Promise<number> {
    const { database } = this.#store;
    const [row] = await database.query(setAsideStatement(this.#schema), []);
    return Number(row?.["n"]);
  }

  outbox(): port.Outbox {
    return new PostgresOutbox(this.#given, this.#schema, this.#options.poolSize);
  }

  joins(tx: unknown): "async" {
    callersTransaction(tx);
    return "async";
  }

  async #open(runtime: Runtime): Promise<Opened> {
    // A virtual clock waits for no network.
    const after: Runtime["after"] | undefined = runtime.storeTime === undefined ? (ms, fn, options) => runtime.after(ms, fn, options) : undefined;
    const database = databaseOf(this.#given, this.#options.poolSize, after);
    try {
      // All of the SQL, which an app on another engine need not load.
      const { install } = await import("./install.ts");
      await install(database, this.#schema, () => runtime.id());
      const listeners = new Listeners(runtime, database, this.#schema);
      return { database, runtime, listeners, verbs: new Verbs(this.#schema, runtime), beat: beatSourceOf(database, beatStatement(this.#schema)) };
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** Plain jobs take no lock, and join a caller's transaction as they are; but for ids of the caller's, which others may ask for, and for the first of a line. */
  async #enqueuePlain(atoms: readonly port.Atom[], at: port.At<unknown>): Promise<port.Enqueued[][] | undefined> {
    const works = atoms.flatMap((atom) => (atom.notes === undefined && shapeRefusal(atom) === undefined ? atom.works : undefined));
    if (works.length === 0 || !works.every((work) => work !== undefined && isPlain(work) && (at.tx === undefined || work.rememberMs === 0))) return undefined;
    const { session } = this.#sessionFor(at);
    // An id that is known fails the statement, and so a caller's transaction.
    const columns = at.tx === undefined ? columnsOf(works as readonly port.NewWork[]) : undefined;
    const [verb, values] =
      columns === undefined ? [at.tx === undefined ? "verb_enqueue_plain" : "verb_enqueue_plain_within", [json(works)]] : ["verb_enqueue_alike", columns];
    const answered = await this.#store.verbs.call<number | number[]>(session, verb, values, at, "undefined");
    if (answered === undefined) return undefined;
    const stored = this.#told(answered, at);
    const states = typeof stored === "number" ? works.map(() => stored) : stored;
    let nth = 0;
    return atoms.map((atom) =>
      atom.works.map(({ id }) => {
        const code = states[nth++] ?? 0;
        return { id, isDuplicate: false, state: code === 0 ? "ready" : stateOfCode(code) };
      }),
    );
  }

  async #settleWithin(outcomes: readonly port.Outcome[], at: port.At<unknown>): Promise<Omit<StoredSettled, "at">[]> {
    forget(outcomes, this.#seqs);
    try {
      return await this.#write("verb_settle_within", outcomes, at);
    } catch (error) {
      // The app runs its transaction again; where this fails, it may conflict again.
      if (error instanceof ErrandError && error.code === "conflict-retry")
        await this.#write("verb_set_apart", outcomes, { ...at, tx: undefined }).catch(() => undefined);
      throw error;
    }
  }

  async #enqueueAll(atoms: readonly port.Atom[], at: port.At<unknown>): Promise<(port.Enqueued[] | ErrandError)[]> {
    const answers = await this.#write<(port.Enqueued[] | Refusal)[]>(at.tx === undefined ? "verb_enqueue" : "verb_enqueue_within", atoms, at);
    return answers.map((answer) => (isRefusal(answer) ? errorOf(answer) : answer));
  }

  async #write<T>(verb: string, asked: object, at: port.At<unknown>): Promise<T> {
    const { session } = this.#sessionFor(at);
    return this.#told(found(await this.#store.verbs.call<T>(session, verb, [json(asked)], at)), at);
  }

  /** Never within the caller's transaction: it tells by itself after its commit, and listeners look again. */
  #told<T>({ answer, isReadied }: Answered<T>, at: port.At<unknown>): T {
    if (isReadied && at.tx === undefined) this.#store.listeners.wake();
    else if (isReadied) this.#store.listeners.wakeLater();
    return answer;
  }

  #sessionFor(at: port.At<unknown>): { readonly session: Session } {
    return { session: at.tx === undefined ? this.#store.database : callersTransaction(at.tx) };
  }

  get #store(): Opened {
    if (this.#opened === undefined) throw new ErrandError("broker-closed", "the postgres engine is not open; open its broker before using it");
    return this.#opened;
  }
}

function found<T>(answered: Answered<T> | undefined): Answered<T> {
  if (answered === undefined) throw new Error("a verb answered nothing");
  return answered;
}

function json(value: unknown): string {
  return JSON.stringify(value);
}
