/** The verbs of the port under one prefix: each a script, run in one atom. */
import type * as port from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import type { BeatSource, Ms, Runtime } from "../core/runtime.ts";
import { CallersTransactions, checkLender } from "./callersTransactions.ts";
import { checkReplicas } from "./durability.ts";
import { checkPrefix } from "./prefix.ts";
import { checkPartitions } from "./spread/homes.ts";
import { openHomes } from "./spread/opening.ts";
import type { Store, StoreVerbs } from "./spread/store.ts";
import { placeOf } from "./url.ts";

export interface RedisOptions {
  /** What the names of errand's keys begin with. Default: "errand", or what the URL says (`?prefix=`). */
  readonly prefix?: string;
  /** How many replicas must have what was handed in, or has ended, before that is acknowledged. Default: 0. */
  readonly replicas?: number;
  /**
   * Over how many partitions the store is spread, 1 to 64, each of which may be on another node of a cluster. It is settled when the store is made; what is opened without
   * it takes what stands there. Default: 1.
   */
  readonly partitions?: number;
  /**
   * For transactions of the app's in another database: what `within(tx)` is given is handed in there, in tables of its own, and moved on after the commit.
   * `postgres(pool)`, whose schema holds the tables, or `sqlite(file)`. Default: none.
   */
  readonly outbox?: port.Engine;
}

interface Opened {
  readonly store: Store;
  readonly callers: CallersTransactions;
}

export class RedisEngine implements port.Engine {
  readonly name = "redis";
  readonly isPipelined = true;
  /** Absent where the connection cannot be told to a thread. */
  beatSource?: () => BeatSource;
  /** Both with an outbox. */
  setAside?: () => Promise<number>;
  outboxLagMs?: (at: port.At) => Promise<Ms>;
  readonly #given: unknown;
  readonly #replicas: number;
  readonly #partitions: number | undefined;
  readonly #prefix: string | undefined;
  readonly #lender: port.Engine | undefined;
  /** Several brokers of one process may open the same value. */
  #openers = 0;
  #opening: Promise<Opened> | undefined;
  #opened: Opened | undefined;

  constructor(given: unknown, options: RedisOptions) {
    this.#given = given;
    this.#replicas = checkReplicas(options.replicas ?? 0);
    this.#lender = checkLender(options.outbox);
    const { prefix, partitions } = typeof given === "string" ? placeOf(given) : {};
    this.#partitions = checkPartitions(options.partitions ?? partitions);
    this.#prefix = options.prefix === undefined ? prefix : checkPrefix(options.prefix);
  }

  async open({ runtime }: port.Host): Promise<void> {
    this.#openers += 1;
    this.#opening ??= this.#open(runtime);
    try {
      const opened = (this.#opened = await this.#opening);
      const { beat } = opened.store;
      if (beat !== undefined) this.beatSource = () => beat;
      const { outbox } = opened.callers;
      if (outbox === undefined) return;
      this.setAside = async () => (await outbox.standing({})).setAside;
      this.outboxLagMs = async (at) => (await outbox.standing(at)).lagMs;
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
    delete this.setAside;
    delete this.outboxLagMs;
    await opened?.callers.close();
    await opened?.store.close();
  }

  guarantees(): port.Guarantees {
    const { callers, store } = this.#here;
    return callers.weakened(store.guarantees());
  }

  enqueue(atoms: readonly port.Atom[], at: port.At<unknown>): port.Maybe<(port.Enqueued[] | ErrandError)[]> {
    return at.tx === undefined ? this.#here.store.verbs.enqueue(atoms, at) : this.#here.callers.enqueue(atoms, at);
  }

  claim(wanted: port.Claim, at: port.At): Promise<port.Claimed> {
    return this.#verbs(at).claim(wanted, at);
  }

  settle(outcomes: readonly port.Outcome[], at: port.At<unknown>): Promise<port.Settled[]> {
    return this.#verbs(at).settle(outcomes, at);
  }

  beat(process: string, leaseMs: Ms, at: port.At): Promise<port.Heard> {
    return this.#verbs(at).beat(process, leaseMs, at);
  }

  tidy(pass: port.Tidy, at: port.At): Promise<port.Tidied> {
    return this.#verbs(at).tidy(pass, at);
  }

  change(which: port.Selection, asked: port.Change, limit: number, at: port.At<unknown>): Promise<port.Changed> {
    return this.#verbs(at).change(which, asked, limit, at);
  }

  find<Q extends port.Query>(query: Q, at: port.At): Promise<port.Page<Q>> {
    return this.#verbs(at).find(query, at);
  }

  count(at: port.At): Promise<port.CountRow[]> {
    return this.#verbs(at).count(at);
  }

  lock(request: port.LockRequest, at: port.At): Promise<port.Grant | port.Waiting> {
    return this.#verbs(at).lock(request, at);
  }

  unlock(grant: { readonly name: string; readonly ticket: string }, at: port.At): Promise<boolean> {
    return this.#verbs(at).unlock(grant, at);
  }

  readNote(key: string, at: port.At): Promise<port.Note | undefined> {
    return this.#verbs(at).readNote(key, at);
  }

  listen(wake: () => void): port.Maybe<port.Unlisten> {
    return this.#here.store.listen(wake);
  }

  get isHearing(): boolean {
    return this.#opened?.store.isHearing === true;
  }

  joins(tx: unknown): "sync" | "async" {
    return this.#here.callers.joins(tx);
  }

  async #open(runtime: Runtime): Promise<Opened> {
    const store = await openHomes({ runtime, given: this.#given, prefix: this.#prefix, replicas: this.#replicas, partitions: this.#partitions });
    const outbox = this.#lender?.outbox?.();
    try {
      return { store, callers: await CallersTransactions.open({ runtime, verbs: store.verbs, server: store.name, home: store.key, outbox }) };
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  #verbs({ tx }: port.At<unknown>): StoreVerbs {
    if (tx === undefined) return this.#here.store.verbs;
    throw new ErrandError(
      "tx-unsupported",
      "on Redis only work that is handed in joins a transaction: a job cannot be completed in it, so let its run end after the commit, and its effect bear a repeat",
    );
  }

  get #here(): Opened {
    if (this.#opened === undefined) throw new ErrandError("broker-closed", "the redis engine is not open; open its broker before using it");
    return this.#opened;
  }
}
