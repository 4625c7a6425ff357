/** Between a process and the store: calls take their time, get lost on the way there or back, arrive twice, or far too late. */
import type * as port from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { Ms } from "../../src/core/runtime.ts";
import type { Seeded } from "../../src/testing/seeded.ts";
import type { SimulatedClock } from "./clock.ts";
import type { Faults } from "./plan.ts";

const givenUpAfterMs: Ms = 2_000;
const slowMs: Ms = 15_000;

export interface Weather {
  readonly clock: SimulatedClock;
  readonly random: Seeded;
  readonly latencyMs: Ms;
  /** What goes wrong now. */
  faults: Faults;
  /** By kind, how often something went wrong. */
  readonly met: Map<string, number>;
}

/** One process's way to the store. `isCut`: nothing reaches it. */
export interface Link {
  isCut: boolean;
}

/** Safe to be done twice by a network that repeats itself: a claim is not, since no driver sends one again by itself. */
const repeatable = new Set(["enqueue", "settle", "beat", "tidy", "lock", "unlock"]);
const verbs = ["enqueue", "claim", "settle", "beat", "tidy", "change", "find", "count", "lock", "unlock", "readNote"] as const;

export function overNetwork(store: port.Engine, link: Link, weather: Weather): port.Engine {
  const carry = async (name: string, verb: () => unknown): Promise<unknown> => {
    const { clock, random, latencyMs, faults, met } = weather;
    const meets = (fault: string, share: number): boolean => {
      if (share === 0 || random.random() >= share) return false;
      met.set(fault, (met.get(fault) ?? 0) + 1);
      return true;
    };
    clock.steps++;
    await clock.sleep(random.random() * latencyMs + (meets("slow", faults.slowShare) ? random.random() * slowMs : 0));
    if (link.isCut || meets("dropped", faults.dropShare)) return giveUp(clock);
    const answer = await verb();
    if (repeatable.has(name) && meets("repeated", faults.repeatShare)) await verb();
    if (meets("reply lost", faults.lostReplyShare)) return giveUp(clock);
    await clock.sleep(random.random() * latencyMs);
    return link.isCut ? giveUp(clock) : answer;
  };
  const carried = Object.fromEntries(
    verbs.map((name) => {
      const verb = (store[name] as (...args: unknown[]) => unknown).bind(store);
      // The store's time is that of the call's arrival.
      return [name, (...args: unknown[]) => carry(name, () => verb(...args.slice(0, -1), { ...(args.at(-1) as port.At), now: weather.clock.now() }))];
    }),
  );
  return new Proxy(store, {
    get: (target, name) => {
      const own: unknown = carried[name as string] ?? Reflect.get(target, name, target);
      return typeof own === "function" ? (own.bind(target) as unknown) : own;
    },
  });
}

async function giveUp(clock: SimulatedClock): Promise<never> {
  await clock.sleep(givenUpAfterMs);
  throw new ErrandError("store-failed", "the store did not answer in time");
}
