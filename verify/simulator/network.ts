/** Between a process and the store: calls take their time and overtake each other, are refused, get lost on the way there or back, arrive twice, or after they were given up. */
import type * as port from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { Ms } from "../../src/core/runtime.ts";
import type { Seeded } from "../../src/testing/seeded.ts";
import type { SimulatedClock } from "./clock.ts";
import type { Faults } from "./plan.ts";

const givenUpAfterMs: Ms = 2_000;
const slowMs: Ms = 15_000;
/** How long after it was given up a call may still be done. A process looks for what such a call gave it when it hears from the store again, and a lease later. */
const lateMs: Ms = 3_000;
const repeatedWithinMs: Ms = 5_000;
/** How many turns of its promises a process lives on, at most, that dies upon an answer. */
const turnsMax = 60;

export interface Weather {
  readonly clock: SimulatedClock;
  readonly random: Seeded;
  readonly latencyMs: Ms;
  /** What goes wrong now. */
  faults: Faults;
  /** Nobody reaches the store. */
  isStoreAway: boolean;
  /** By kind, how often something went wrong. */
  readonly met: Map<string, number>;
}

export const cuts = ["there", "back", "both"] as const;

/** One process's way to the store. */
export interface Link {
  /** What is lost: calls, answers, or both. */
  cut: "no" | (typeof cuts)[number];
  /** The process dies, as by SIGKILL. */
  die: () => void;
}

/** Safe to be done twice by a network that repeats itself: a claim is not, since no driver sends one again by itself. */
const repeatable = new Set(["enqueue", "settle", "beat", "tidy", "lock", "unlock"]);
/** What may still be done when nobody waits for its answer. */
const lasting = new Set(["enqueue", "claim", "settle", "beat", "tidy", "change", "lock", "unlock"]);
const verbs = ["enqueue", "claim", "settle", "beat", "tidy", "change", "find", "count", "lock", "unlock", "readNote"] as const;
type Verb = (typeof verbs)[number];

interface Call {
  readonly verb: Verb;
  readonly args: readonly unknown[];
  readonly done: () => unknown;
}

export function overNetwork(store: port.Engine, link: Link, weather: Weather): port.Engine {
  const network = new Network(link, weather);
  const carried = Object.fromEntries(
    verbs.map((verb) => {
      const own = (store[verb] as (...args: unknown[]) => unknown).bind(store);
      // The store's time is that of the call's arrival.
      const done = (args: unknown[]) => (): unknown => own(...args.slice(0, -1), { ...(args.at(-1) as port.At), now: weather.clock.storeTime() });
      return [verb, (...args: unknown[]) => network.carry({ verb, args, done: done(args) })];
    }),
  );
  return new Proxy(store, {
    get: (target, name) => {
      const own: unknown = carried[name as string] ?? Reflect.get(target, name, target);
      return typeof own === "function" ? (own.bind(target) as unknown) : own;
    },
  });
}

class Network {
  readonly #link: Link;
  readonly #weather: Weather;
  #sent = 0;
  #arrived = 0;

  constructor(link: Link, weather: Weather) {
    this.#link = link;
    this.#weather = weather;
  }

  async carry(call: Call): Promise<unknown> {
    const { clock, random, latencyMs, faults, met } = this.#weather;
    clock.steps++;
    const deathAt = this.#meets("killsAtCalls", faults.deathShare) ? (["before", "sent", "answered"] as const)[Math.floor(random.random() * 3)] : undefined;
    if (deathAt === "before") return this.#deadly();
    if (this.#meets("refused", faults.refuseShare)) throw new ErrandError("store-busy", "the store has too much to do");
    const place = ++this.#sent;
    if (deathAt === "sent") this.#link.die();
    await clock.sleep(random.random() * latencyMs + (this.#meets("slow", faults.slowShare) ? random.random() * slowMs : 0));
    if (this.#isLostOnTheWay(call)) return this.#giveUp();
    if (place < this.#arrived) met.set("overtaken", (met.get("overtaken") ?? 0) + 1);
    this.#arrived = Math.max(this.#arrived, place);
    const answer = await call.done();
    if (repeatable.has(call.verb) && !isPause(call) && this.#meets("repeated", faults.repeatShare)) await this.#repeat(call);
    if (this.#meets("repliesLost", faults.lostReplyShare)) return this.#giveUp();
    await clock.sleep(random.random() * latencyMs);
    if (this.#link.cut === "back" || this.#link.cut === "both") return this.#giveUp();
    if (deathAt === "answered") void this.#dieWithin(Math.floor(random.random() * turnsMax));
    return answer;
  }

  #isLostOnTheWay(call: Call): boolean {
    const { random, faults, isStoreAway } = this.#weather;
    const { cut } = this.#link;
    if (isStoreAway || cut === "there" || cut === "both" || this.#meets("dropped", faults.dropShare)) return true;
    if (!lasting.has(call.verb) || isPause(call) || !this.#meets("late", faults.lateShare)) return false;
    this.#doLater(call, givenUpAfterMs + random.random() * lateMs);
    return true;
  }

  /** A lock that was given back would be held again by nobody: its call is repeated at once, before anybody has the answer. */
  async #repeat(call: Call): Promise<void> {
    if (call.verb === "lock") await call.done();
    else this.#doLater(call, this.#weather.random.random() * repeatedWithinMs);
  }

  /** Its answer is nobody's. */
  #doLater(call: Call, ms: Ms): void {
    this.#weather.clock.after(ms, () => {
      if (!this.#weather.isStoreAway) void (async () => call.done())().catch(() => undefined);
    });
  }

  #meets(fault: string, share: number): boolean {
    const { random, met } = this.#weather;
    if (share === 0 || random.random() >= share) return false;
    met.set(fault, (met.get(fault) ?? 0) + 1);
    return true;
  }

  #deadly(): Promise<never> {
    this.#link.die();
    return new Promise(() => undefined);
  }

  /** In the midst of what it makes of the answer. */
  async #dieWithin(turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    this.#link.die();
  }

  async #giveUp(): Promise<never> {
    await this.#weather.clock.sleep(givenUpAfterMs);
    throw new ErrandError("store-failed", "the store did not answer in time");
  }
}

/** One that is done again or late would undo what was said since, as with any document that is written whatever it is. */
function isPause({ verb, args }: Call): boolean {
  return verb === "enqueue" && (args[0] as readonly port.Atom[]).some(({ notes }) => notes?.some(({ key }) => key.startsWith("pause/")));
}
