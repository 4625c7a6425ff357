/** The verbs of the port under one prefix: each a script, run in one atom. */
import type * as port from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import type { BeatSource, Ms, Runtime } from "../core/runtime.ts";
import { beatSourceOf } from "./beatConnection.ts";
import { CallersTransactions, checkLender } from "./callersTransactions.ts";
import { connectionOf } from "./client.ts";
import { checkReplicas } from "./durability.ts";
import { guaranteesOf } from "./guarantees.ts";
import { Listeners } from "./listen.ts";
import { openStore } from "./open.ts";
import type { Begun } from "./open.ts";
import { checkPrefix, homeOf } from "./prefix.ts";
import type { Greeting, RedisConnection } from "./redisConnection.ts";
import { placeOf } from "./url.ts";
import type { Verbs } from "./verbs.ts";
import { Watch } from "./watch.ts";

export interface RedisOptions {
  /** What the names of errand's keys begin with. Default: "errand", or what the URL says (`?prefix=`). */
  readonly prefix?: string;
  /** How many replicas must have what was handed in, or has ended, before that is acknowledged. Default: 0. */
  readonly replicas?: number;
  /**
   * For transactions of the app's in another database: what `within(tx)` is given is handed in there, in tables of its own, and moved on after the commit.
   * `postgres(pool)`, whose schema holds the tables, or `sqlite(file)`. Default: none.
   */
  readonly outbox?: port.Engine;
}

interface Opened {
  readonly connection: RedisConnection;
  readonly verbs: Verbs;
  readonly listeners: Listeners;
  readonly watch: Watch;
  readonly beat: BeatSource | undefined;
  readonly callers: CallersTransactions;
}

export class RedisEngine implements port.Engine {
  readonly name = "redis";
  /** Absent where the connection cannot be told to a thread. */
  beatSource?: () => BeatSource;
  /** Both with an outbox. */
  setAside?: () => Promise<number>;
  outboxLagMs?: (at: port.At) => Promise<Ms>;
  readonly #given: unknown;
  readonly #replicas: number;
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
    const { prefix } = typeof given === "string" ? placeOf(given) : {};
    this.#prefix = options.prefix === undefined ? prefix : checkPrefix(options.prefix);
  }

  async open({ runtime }: port.Host): Promise<void> {
    this.#openers += 1;
    this.#opening ??= this.#open(runtime);
    try {
      const opened = (this.#opened = await this.#opening);
      const { beat } = opened;
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
    opened?.watch.close();
    await opened?.listeners.close();
    await opened?.connection.close();
  }

  guarantees(): port.Guarantees {
    const { callers, connection, watch, beat } = this.#store;
    return callers.weakened(guaranteesOf(watch.durability, beat !== undefined, connection.isCluster));
  }

  enqueue(atoms: readonly port.Atom[], at: port.At<unknown>): port.Maybe<(port.Enqueued[] | ErrandError)[]> {
    return at.tx === undefined ? this.#store.verbs.enqueue(atoms, at) : this.#store.callers.enqueue(atoms, at);
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
    return this.#store.listeners.listen(wake);
  }

  get isHearing(): boolean {
    return this.#opened?.listeners.isHearing === true;
  }

  joins(tx: unknown): "sync" | "async" {
    return this.#store.callers.joins(tx);
  }

  async #open(runtime: Runtime): Promise<Opened> {
    // A virtual clock waits for no network.
    const clock = runtime.storeTime === undefined ? runtime : undefined;
    const { connection, prefix } = connectionOf(this.#given, { prefix: this.#prefix, replicas: this.#replicas, clock });
    const home = homeOf(prefix);
    const watch = new Watch(runtime, connection, this.#replicas);
    const listeners = new Listeners(runtime, connection, home);
    connection.greetBy(greeting(home, watch, listeners, runtime));
    try {
      await connection.ask("ping");
    } catch (error) {
      watch.close();
      await connection.close();
      throw error;
    }
    // All of the Lua, which an app on another engine need not load.
    const { beating, Verbs } = await import("./verbs.ts");
    const verbs = new Verbs(connection, home, listeners);
    const outbox = this.#lender?.outbox?.();
    const callers = await CallersTransactions.open({ runtime, verbs, server: connection.name, home, outbox }).catch(async (error: unknown) => {
      watch.close();
      await connection.close();
      throw error;
    });
    return { connection, callers, verbs, listeners, watch, beat: beatSourceOf(connection, beating(), home) };
  }

  #verbs({ tx }: port.At<unknown>): Verbs {
    if (tx === undefined) return this.#store.verbs;
    throw new ErrandError(
      "tx-unsupported",
      "on Redis only work that is handed in joins a transaction: a job cannot be completed in it, so let its run end after the commit, and its effect bear a repeat",
    );
  }

  get #store(): Opened {
    if (this.#opened === undefined) throw new ErrandError("broker-closed", "the redis engine is not open; open its broker before using it");
    return this.#opened;
  }
}

/** Before anything else on a new connection: another server may be there, or the same one with an older past. */
function greeting(home: string, watch: Watch, listeners: Listeners, runtime: Runtime): Greeting {
  return async (session) => {
    const begun = await openStore(session, home);
    await watch.greeted(session, begun.info);
    tell(begun, session.name, home, runtime);
    // Whoever waits may have waited for this server.
    listeners.wake();
  };
}

function tell({ is, era, elsewhere }: Begun, store: string, home: string, runtime: Runtime): void {
  if (elsewhere !== undefined) {
    runtime.log.warn(
      { store, home, elsewhere },
      `a new, empty store was begun here, and database ${elsewhere} of this server holds one of the same name; was that one meant?`,
    );
  }
  if (is === "another era") {
    runtime.log.warn(
      { store, home, era },
      "the server was restarted, promoted or emptied and may have lost writes: a new era begins, and reconciliations look for what is lost",
    );
  }
}
