/** What goes wrong with processes, machines and the store while there are faults, each again and again in its own rhythm. */
import type { Ms } from "../../src/core/runtime.ts";
import type { Seeded } from "../../src/testing/seeded.ts";
import type { SimulatedClock } from "./clock.ts";
import type { Fleet } from "./fleet.ts";
import type { Member } from "./member.ts";
import { cuts, type Weather } from "./network.ts";
import { withoutFaults, type Fault, type Plan } from "./plan.ts";

export interface TroublesParts {
  readonly clock: SimulatedClock;
  readonly fleet: Fleet;
  readonly weather: Weather;
  readonly plan: Plan;
  readonly random: Seeded;
  /** The store goes back to that part of what was done: 0 is nothing. */
  readonly rewind: (part: number) => void;
  readonly say: (line: string) => void;
}

/** At most so many leases long. */
const pauseLeases = 3;
const cutLeases = 2;
const blockMaxMs: Ms = 120_000;
const wallClockMs: Ms = 3_600_000;
const storeClockMs: Ms = 240_000;
const wipeChance = 0.3;
/** What may be lost at most where not all is. */
const tailMost = 0.5;

export class Troubles {
  readonly #parts: TroublesParts;

  constructor(parts: TroublesParts) {
    this.#parts = parts;
  }

  begin(): void {
    this.#again("crashMean", "kills", () => this.#parts.fleet.any()?.die());
    this.#again("pauseMean", "pauses", () => this.#pause());
    this.#again("blockMean", "blocks", () => this.#block());
    this.#again("cutMean", "cuts", () => this.#cut());
    this.#again("setClockMean", "clocksSet", () => this.#setClock());
    this.#again("setStoreClockMean", "storeClocksSet", () => this.#setStoreClock());
    this.#again("rewindMean", "rollbacks", () => this.#rewind());
  }

  #again(fault: Fault, name: string, happen: () => void): void {
    const { clock, random, weather, plan } = this.#parts;
    const meanS = plan.faults[fault];
    if (meanS === 0) return;
    clock.after(-Math.log(1 - random.random()) * meanS * 1_000, () => {
      if (weather.faults === withoutFaults) return;
      weather.met.set(name, (weather.met.get(name) ?? 0) + 1);
      happen();
      this.#again(fault, name, happen);
    });
  }

  /** As by SIGSTOP. */
  #pause(): void {
    this.#forAWhile(pauseLeases * this.#leaseMs, "stands still", (victim) => {
      victim.process.gate.pause();
      return () => victim.machine.goOn();
    });
  }

  /** A run that does not give the event loop back. */
  #block(): void {
    const most = this.#parts.random.random() < 0.2 ? blockMaxMs : pauseLeases * this.#leaseMs;
    this.#forAWhile(most, "has its loop blocked", (victim) => {
      victim.machine.block();
      return () => victim.machine.goOn();
    });
  }

  #cut(): void {
    const cut = cuts[Math.floor(this.#parts.random.random() * cuts.length)] ?? "both";
    this.#forAWhile(cutLeases * this.#leaseMs, `is cut off (${cut})`, ({ link }) => {
      link.cut = cut;
      return () => (link.cut = "no");
    });
  }

  #forAWhile(most: Ms, what: string, begin: (victim: Member) => () => void): void {
    const { clock, fleet, random, say } = this.#parts;
    const victim = fleet.any();
    if (victim === undefined) return;
    const ms = Math.round(random.random() * most);
    say(`${victim.process.name} ${what} for ${ms} ms`);
    clock.after(ms, begin(victim));
  }

  #setClock(): void {
    const { fleet, random, say } = this.#parts;
    const offsetMs = Math.round((random.random() * 2 - 1) * wallClockMs);
    const victim = fleet.any();
    victim?.machine.setClock(offsetMs);
    say(`the clock of ${victim?.process.name} is set to ${offsetMs} ms from what is right`);
  }

  #setStoreClock(): void {
    const { clock, random, say } = this.#parts;
    const offsetMs = Math.round((random.random() * 2 - 1) * storeClockMs);
    clock.setStoreClock(offsetMs);
    say(`the store's clock is set to ${offsetMs} ms from what is right`);
  }

  #rewind(): void {
    const { random, rewind } = this.#parts;
    const isWiped = random.random() < wipeChance;
    rewind(isWiped ? 0 : 1 - random.random() ** 2 * tailMost);
  }

  get #leaseMs(): Ms {
    return this.#parts.plan.leaseS * 1_000;
  }
}
