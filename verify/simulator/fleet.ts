/** The processes of a life: workers that are started again when they die, and one that hands in. */
import { Runs } from "../../src/conformance/runs.ts";
import type * as port from "../../src/core/engine.ts";
import type { Ms } from "../../src/core/runtime.ts";
import type { Seeded } from "../../src/testing/seeded.ts";
import type { SimulatedClock } from "./clock.ts";
import type { Ledger } from "./ledger.ts";
import { Member } from "./member.ts";
import type { Weather } from "./network.ts";
import type { Plan } from "./plan.ts";
import { candidate } from "./workload.ts";

export interface FleetParts {
  readonly clock: SimulatedClock;
  readonly ledger: Ledger;
  readonly weather: Weather;
  readonly plan: Plan;
  readonly random: Seeded;
  readonly connect: () => port.Engine;
  readonly say: (line: string) => void;
}

/** Who could not start is started again. */
const againAfterMs: Ms = 1_000;
/** Who died has a successor within so long. */
const successorMs: Ms = 10_000;

export class Fleet {
  readonly #parts: FleetParts;
  readonly #runs: Runs;
  readonly #all: Member[] = [];
  #workers: Member[] = [];
  #producer: Member | undefined;
  #names = 0;

  constructor(parts: FleetParts) {
    this.#parts = parts;
    this.#runs = new Runs(() => parts.clock.now());
  }

  /** Who hands in now. */
  get producer(): Member {
    this.#producer ??= this.#join("producer");
    return this.#producer;
  }

  get hasWorkers(): boolean {
    return this.#workers.length > 0;
  }

  hire(): void {
    const { clock, plan, ledger, say } = this.#parts;
    const member = this.#join("worker");
    this.#workers.push(member);
    say(`${member.process.name} starts`);
    const { slots, leaseS } = plan;
    member.process.start({ queues: { default: slots }, signals: false, lease: `${leaseS}s` }).catch((error: unknown) => {
      say(`${member.process.name} could not start: ${String(error)}`);
      this.#workers = this.#workers.filter((other) => other !== member);
      clock.after(againAfterMs, () => this.hire());
    });
    if (plan.parts.includes("leader")) candidate(clock, ledger, member.process);
  }

  anyWorker(): Member | undefined {
    return this.#workers[Math.floor(this.#parts.random.random() * this.#workers.length)];
  }

  /** A worker, or who hands in. */
  any(): Member | undefined {
    const living = this.#producer === undefined ? this.#workers : [...this.#workers, this.#producer];
    return living[Math.floor(this.#parts.random.random() * living.length)];
  }

  heal(): void {
    for (const { link, machine } of this.#all) {
      link.cut = "no";
      machine.goOn();
    }
    if (!this.hasWorkers) this.hire();
  }

  end(): void {
    for (const { process } of this.#all) process.crash();
  }

  #join(as: string): Member {
    const { clock, ledger, weather, plan, random, connect } = this.#parts;
    const wrong = random.random() * 2 - 1;
    const name = `${as} ${++this.#names}`;
    const member = new Member({
      name,
      store: connect(),
      clock,
      ledger,
      runs: this.#runs,
      weather,
      plan,
      wrong,
      died: (dead) => this.#died(dead),
    });
    this.#all.push(member);
    return member;
  }

  #died(member: Member): void {
    const { clock, random, say } = this.#parts;
    say(`${member.process.name} is killed`);
    if (member === this.#producer) this.#producer = undefined;
    if (!this.#workers.includes(member)) return;
    this.#workers = this.#workers.filter((other) => other !== member);
    clock.after(random.random() * successorMs, () => this.hire());
  }
}
