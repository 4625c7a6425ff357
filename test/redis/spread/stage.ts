/** Several homes of one store on one server, with nobody who carries what they tell each other, unless a test does. */
import { Redis } from "ioredis";
import { script } from "../../../src/redis/fragment.ts";
import type { Main } from "../../../src/redis/fragment.ts";
import { connectionOf } from "../../../src/redis/client.ts";
import type { RedisConnection } from "../../../src/redis/redisConnection.ts";
import { Carrier } from "../../../src/redis/spread/carrier.ts";
import type { Mailing } from "../../../src/redis/spread/carrier.ts";
import { Eras } from "../../../src/redis/spread/eras.ts";
import { calledBy, homesOf } from "../../../src/redis/spread/homes.ts";
import { Verbs } from "../../../src/redis/verbs.ts";
import { freshPlace } from "../places.ts";
import type { Place } from "../places.ts";
import { ToldRuntime } from "../stage.ts";

/** Sends a note to another home, as home 0 does. */
const sendScript: Main = script(
  "send",
  String.raw`
local asked = cjson.decode(ARGV[2])
for _, message in ipairs(asked.messages) do U.mail.send(asked.to, message) end
return finish({})
`,
);

export class Homes implements AsyncDisposable {
  readonly names: readonly string[];
  readonly verbs: readonly Verbs[];
  /** For what a test looks at, or does to the store. */
  readonly client: Redis;
  readonly runtime: ToldRuntime = new ToldRuntime();
  readonly #place: Place;
  readonly #connection: RedisConnection;
  #sent = 0;

  private constructor(place: Place, count: number) {
    this.#place = place;
    this.#connection = connectionOf(place.url, { prefix: place.prefix }).connection;
    this.client = new Redis(place.url);
    this.names = homesOf(place.prefix, count);
    const teller = { sent: () => undefined, told: () => undefined };
    this.verbs = this.names.map((name, home) => new Verbs(this.#connection, name, { ...teller, self: calledBy("test", home, count) }));
  }

  static async of(count: number): Promise<Homes> {
    const homes = new Homes(await freshPlace(), count);
    await homes.era();
    return homes;
  }

  /** As each of them tells it. */
  told(): Promise<readonly string[]> {
    return Promise.all(this.verbs.map(async (verbs) => (await verbs.beat("nobody", 8_000, {})).era));
  }

  /** That of the whole, by a client who asks each of them first. */
  era(): Promise<string> {
    return this.eraBy((home) => home);
  }

  async eraBy(over: (home: Mailing, number: number) => Mailing): Promise<string> {
    const told = await this.told();
    return new Eras(this.verbs.map(over)).ofAll(told, {});
  }

  /** As whoever takes its keys for a cache does. */
  async empty(home: number): Promise<void> {
    await this.client.unlink(...(await this.#keys(home)));
  }

  /** Answers what brings it back to this, as a server does that is started with an older file: it has another past then. */
  async snapshot(home: number): Promise<() => Promise<void>> {
    const keys = await this.#keys(home);
    const dumps = await Promise.all(keys.map(async (key) => [key, await this.client.dumpBuffer(key)] as const));
    return async () => {
      await this.empty(home);
      for (const [key, dump] of dumps) await this.client.restore(key, 0, dump);
      await this.client.hset(`${this.names[home]}:m`, "history", "another another");
      await this.verbs[home]?.beat("nobody", 8_000, {});
    };
  }

  #keys(home: number): Promise<string[]> {
    return this.client.keys(`${this.names[home]}:*`);
  }

  /** How many homes it believes there are, and which it is. */
  places(home: number): Promise<readonly (string | null)[]> {
    return this.client.hmget(`${this.names[home]}:m`, "homes", "home");
  }

  async notesAt(home: number): Promise<readonly unknown[]> {
    const { rows } = (await this.verbs[home]?.find({ of: "notes", prefix: "", limit: 1_000 }, {})) ?? { rows: [] };
    return rows;
  }

  /** Each client has its own. `over`: what is done to its calls. */
  carrier(over: (home: Mailing, number: number) => Mailing = (home) => home): Carrier {
    return new Carrier(this.verbs.map(over), this.runtime);
  }

  /** A client of a home who hears to whom its scripts wrote. */
  listening(home: number, mailed: (to: readonly number[]) => void): Verbs {
    const self = calledBy("test", home, this.names.length);
    return new Verbs(this.#connection, this.names[home] ?? "", { self, sent: () => undefined, told: () => undefined, mailed: async (to) => mailed(to) });
  }

  /** So many notes of this key, one after the other. */
  async send(from: number, to: number, key: string, count = 1): Promise<void> {
    const messages = Array.from({ length: count }, () => ({ is: "note", key, value: JSON.stringify(++this.#sent), version: this.#sent, writtenAt: 1 }));
    await this.verbs[from]?.call(sendScript, "write", { to, messages }, {});
  }

  /** The last one sent. */
  get sent(): number {
    return this.#sent;
  }

  async noteAt(home: number, key: string): Promise<number> {
    return Number((await this.verbs[home]?.readNote(key, {}))?.value ?? 0);
  }

  /** How many notes were written there. */
  async writtenAt(home: number): Promise<number> {
    return Number(await this.client.hget(`${this.names[home]}:m`, "notes"));
  }

  async lying(from: number, to: number): Promise<number> {
    return this.client.hlen(`${this.names[from]}:out:${to}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
    this.client.disconnect();
    await this.#place.done();
  }
}
