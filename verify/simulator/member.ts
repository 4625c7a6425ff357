/** A process of a simulated life: its machine, its way to the store, and what it knows to do. */
import { Process } from "../../src/conformance/process.ts";
import type { Runs } from "../../src/conformance/runs.ts";
import type * as port from "../../src/core/engine.ts";
import type { Ms } from "../../src/core/runtime.ts";
import type { SimulatedClock } from "./clock.ts";
import type { Ledger } from "./ledger.ts";
import { Machine } from "./machine.ts";
import { overNetwork, type Link, type Weather } from "./network.ts";
import type { Plan } from "./plan.ts";
import { workloadOf, type Workload } from "./workload.ts";

export interface MemberParts {
  readonly name: string;
  /** A connection of its own. */
  readonly store: port.Engine;
  readonly clock: SimulatedClock;
  readonly ledger: Ledger;
  readonly runs: Runs;
  readonly weather: Weather;
  readonly plan: Plan;
  /** Of −1 to 1: how wrong its clocks are, of what the plan says at most. */
  readonly wrong: number;
  readonly died: (member: Member) => void;
}

/** What is on its way when a process dies still arrives; then its connection ends. */
const lastCallsMs: Ms = 60_000;

export class Member {
  readonly process: Process;
  readonly link: Link;
  readonly machine: Machine;
  readonly workload: Workload;
  /** Resolves when it is dead. */
  readonly death: Promise<void>;
  readonly #parts: MemberParts;
  readonly #dead: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor(parts: MemberParts) {
    const { name, store, clock, ledger, runs, weather, plan, wrong } = parts;
    this.#parts = parts;
    this.death = this.#dead.promise;
    this.link = { cut: "no", die: () => this.die() };
    const engine = overNetwork(store, this.link, weather);
    this.machine = new Machine({
      clock,
      rate: 1 + wrong * plan.drift,
      wallOffsetMs: Math.round(wrong * plan.skewMs),
      beat: plan.hasThread ? async (process, leaseMs) => engine.beat(process, leaseMs, {}) : undefined,
      gate: () => this.process.gate,
    });
    this.workload = workloadOf(clock, ledger, { process: () => this.process, die: () => this.die() }, plan);
    this.process = new Process({
      name,
      engine,
      clock: this.machine,
      runs,
      log: clock.log,
      clockOffsetMs: 0,
      latencyMs: 0,
      definitions: this.workload.definitions,
    });
  }

  get isDead(): boolean {
    return this.process.gate.isCrashed;
  }

  /** As by SIGKILL. */
  die(): void {
    if (this.isDead) return;
    this.process.crash();
    this.#dead.resolve();
    const { clock, store, died } = this.#parts;
    clock.after(lastCallsMs, () => void store.close());
    died(this);
  }
}
