/** One home: a whole small store under keys of its own, with connections of its own. Most stores are one. */
import type * as port from "../../core/engine.ts";
import type { Unlisten } from "../../core/engine.ts";
import type { Runtime } from "../../core/runtime.ts";
import type { Script } from "../fragment.ts";
import { Listeners } from "../listen.ts";
import { openStore } from "../open.ts";
import type { Begun, Opening } from "../open.ts";
import type { Greeting, RedisConnection } from "../redisConnection.ts";
import type { Teller, Verbs } from "../verbs.ts";
import { Watch } from "../watch.ts";
import { calledBy } from "./homes.ts";

/** What the other homes want to know of it. */
export interface HomeHears {
  /** A script told of work that became ready. */
  told(home: number): void;
  /** A script wrote mail for these. */
  mailed(from: number, to: readonly number[], at: port.At<unknown>): Promise<void>;
  /** Another connection was greeted: the server there may have another past. */
  greeted(home: number, begun: Begun): void;
}

export interface HomeParts {
  readonly runtime: Runtime;
  readonly connection: RedisConnection;
  readonly number: number;
  /** What all its keys begin with. */
  readonly key: string;
  readonly replicas: number;
  /** How many homes the store is asked to have; undefined: as many as stand there. */
  readonly homes?: number | undefined;
  /** How many it had where it is gone. */
  readonly look?: Opening["look"];
  /** Where it is one of several. */
  readonly hears?: HomeHears;
}

export class Home {
  readonly number: number;
  readonly key: string;
  readonly connection: RedisConnection;
  readonly listeners: Listeners;
  readonly watch: Watch;
  readonly verbs: Verbs;
  /** For the thread that beats. */
  readonly beating: Script;
  /** As it was found at first. */
  readonly begun: Begun;
  /** Tells the others, where there are any, that work may be ready here. */
  readonly told: (() => void) | undefined;

  private constructor(parts: HomeParts, rest: Pick<Home, "listeners" | "watch" | "verbs" | "beating" | "begun" | "told">) {
    this.number = parts.number;
    this.key = parts.key;
    this.connection = parts.connection;
    this.listeners = rest.listeners;
    this.watch = rest.watch;
    this.verbs = rest.verbs;
    this.beating = rest.beating;
    this.begun = rest.begun;
    this.told = rest.told;
  }

  /** Closes the connection where it cannot be opened. */
  static async open(parts: HomeParts): Promise<Home> {
    const { connection, runtime, key, hears, number } = parts;
    const watch = new Watch(runtime, connection, parts.replicas);
    const listeners = new Listeners(runtime, connection, key);
    let first: Begun | undefined;
    const found = (begun: Begun): void => void (first ??= begun);
    connection.greetBy(greeting(parts, watch, listeners, { found, homes: () => first?.homes ?? parts.homes }));
    try {
      await connection.ask("ping");
      if (first === undefined) throw new Error("a connection was not greeted");
      // All of the Lua, which an app on another engine need not load.
      const { beating, Verbs } = await import("../verbs.ts");
      const isOne = hears === undefined || first.homes === 1;
      const verbs = new Verbs(connection, key, isOne ? listeners : tellerOf(number, first.homes, listeners, hears));
      return new Home(parts, { listeners, watch, verbs, beating: beating(), begun: first, told: isOne ? undefined : (): void => hears.told(number) });
    } catch (error) {
      watch.close();
      await connection.close();
      throw error;
    }
  }

  listen(wake: () => void): Unlisten {
    const { told } = this;
    if (told === undefined) return this.listeners.listen(wake);
    return this.listeners.listen(() => {
      told();
      wake();
    });
  }

  async close(): Promise<void> {
    this.watch.close();
    await this.listeners.close();
    await this.connection.close();
  }
}

function tellerOf(number: number, homes: number, listeners: Listeners, hears: HomeHears): Teller {
  return {
    self: calledBy(listeners.self, number, homes),
    sent: () => {
      hears.told(number);
      listeners.sent();
    },
    told: (isHeldBack, isAwake) => {
      hears.told(number);
      listeners.told(isHeldBack, isAwake);
    },
    mailed: (to, at) => hears.mailed(number, to, at),
  };
}

interface Known {
  readonly found: (begun: Begun) => void;
  /** How many there are, once that is known: a store that was emptied is made again as it was. */
  readonly homes: () => number | undefined;
}

/** Before anything else on a new connection: another server may be there, or the same one with an older past. */
function greeting({ key, number, runtime, hears, look }: HomeParts, watch: Watch, listeners: Listeners, { found, homes }: Known): Greeting {
  return async (session) => {
    const begun = await openStore(session, key, { number, homes: homes(), look });
    found(begun);
    await watch.greeted(session, begun.info);
    tell(begun, session.name, key, runtime);
    hears?.greeted(number, begun);
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
