/** Opens a store: its first home, which knows how many there are, and the others. */
import type { Guarantees, Unlisten } from "../../core/engine.ts";
import type { BeatSource, Runtime } from "../../core/runtime.ts";
import { beatSourceOf } from "../beatConnection.ts";
import { connectionOf } from "../client.ts";
import type { Connection, GivenOptions } from "../client.ts";
import { guaranteesOf } from "../guarantees.ts";
import { homeOf } from "../prefix.ts";
import { isWeaker } from "../durability.ts";
import { Home } from "./home.ts";
import type { HomeHears } from "./home.ts";
import { homesOf, secondHomes } from "./homes.ts";
import type { Spread } from "./spread.ts";
import type { Store, StoreVerbs } from "./store.ts";

export interface StoreParts {
  readonly runtime: Runtime;
  /** A URL, a client or a cluster. */
  readonly given: unknown;
  readonly prefix: string | undefined;
  readonly replicas: number;
  /** Undefined: as many as stand there, one where nothing does. */
  readonly partitions: number | undefined;
}

export async function openHomes({ runtime, given, prefix: asked, replicas, partitions }: StoreParts): Promise<Store> {
  // A virtual clock waits for no network.
  const clock = runtime.storeTime === undefined ? runtime : undefined;
  const hub = new Hub();
  const own = connectionOf(given, { prefix: asked, replicas, clock });
  const common = { runtime, replicas, hears: hub };
  const look = (session: Pick<Connection, "ask">): Promise<number | undefined> =>
    homesOfOthers(own.prefix, (home, name) =>
      own.connection.isCluster ? askAt(given, { prefix: own.prefix, clock, home }, name) : session.ask("hget", name, "homes"),
    );
  const first = await Home.open({ ...common, connection: own.connection, number: 0, key: homeOf(own.prefix), homes: partitions, look });
  const homes = first.begun.homes;
  if (homes === 1) return new StoreOf([first], first.verbs, () => first.close());
  const others = await openOthers(homesOf(own.prefix, homes), first, (key, number) => {
    const { connection } = connectionOf(given, { prefix: own.prefix, replicas, clock, home: key });
    return Home.open({ ...common, connection, number, key, homes });
  });
  const all = [first, ...others];
  // Only stores of several homes need it.
  const { Spread } = await import("./spread.ts");
  const spread = (hub.spread = new Spread(all, runtime));
  try {
    await spread.begin(runtime.storeTime === undefined ? {} : { now: runtime.storeTime() });
  } catch (error) {
    await closeAll(all, spread);
    throw error;
  }
  return new StoreOf(all, spread, () => closeAll(all, spread));
}

/** Where the first home is gone, its second knows how many there are; without them the store would become one of one. */
async function homesOfOthers(prefix: string, ask: (home: string, name: string) => Promise<unknown>): Promise<number | undefined> {
  const told = await Promise.all(secondHomes(prefix).map((home) => ask(home, `${home}:m`)));
  const count = told.find((homes) => typeof homes === "string");
  return count === undefined ? undefined : Number(count);
}

async function askAt(given: unknown, options: GivenOptions, name: string): Promise<unknown> {
  const { connection } = connectionOf(given, options);
  try {
    return await connection.ask("hget", name, "homes");
  } finally {
    await connection.close();
  }
}

async function openOthers(keys: readonly string[], first: Home, open: (key: string, number: number) => Promise<Home>): Promise<readonly Home[]> {
  const opened = await Promise.allSettled(keys.slice(1).map((key, nth) => open(key, nth + 1)));
  const failed = opened.find(({ status }) => status === "rejected");
  const homes = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  if (failed?.status !== "rejected") return homes;
  await Promise.all([first, ...homes].map((home) => home.close()));
  throw failed.reason;
}

async function closeAll(homes: readonly Home[], spread: Spread): Promise<void> {
  await spread.close();
  await Promise.all(homes.map((home) => home.close()));
}

/** What homes say before all of them are there is heard by nobody: nothing is known then. */
class Hub implements HomeHears {
  spread: Spread | undefined;

  told(home: number): void {
    this.spread?.changed(home);
  }

  async mailed(...mail: Parameters<HomeHears["mailed"]>): Promise<void> {
    await this.spread?.mailed(...mail);
  }

  greeted(home: number): void {
    this.spread?.changed(home);
  }
}

class StoreOf implements Store {
  readonly verbs: StoreVerbs;
  readonly name: string;
  readonly key: string;
  readonly beat: BeatSource | undefined;
  readonly #homes: readonly Home[];
  readonly #first: Home;
  readonly #close: () => Promise<void>;

  constructor(homes: readonly Home[], verbs: StoreVerbs, close: () => Promise<void>) {
    const [first] = homes;
    if (first === undefined) throw new Error("a store without a home");
    this.verbs = verbs;
    this.#first = first;
    this.#homes = homes;
    this.#close = close;
    this.name = first.connection.name;
    this.key = first.key;
    this.beat = beatSourceOf(
      homes.map(({ connection, key }) => ({ connection, key })),
      first.beating,
    );
  }

  get isHearing(): boolean {
    return this.#homes.every(({ listeners }) => listeners.isHearing);
  }

  guarantees(): Guarantees {
    const [weakest = this.#first.watch.durability] = this.#homes
      .map(({ watch }) => watch.durability)
      .toSorted((a, b) => Number(isWeaker(b, a)) - Number(isWeaker(a, b)));
    return guaranteesOf(weakest, { beatsFromThread: this.beat !== undefined, isCluster: this.#first.connection.isCluster, partitions: this.#homes.length });
  }

  listen(wake: () => void): Unlisten {
    const unlistens = this.#homes.map((home) => home.listen(wake));
    return () => {
      for (const unlisten of unlistens) unlisten();
    };
  }

  close(): Promise<void> {
    return this.#close();
  }
}
