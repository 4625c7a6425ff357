/** One simulated life: a fleet works while faults happen, then all is healed, and it must come to its end. */
import { createHash } from "node:crypto";
import { Process } from "../../src/conformance/process.ts";
import { Runs } from "../../src/conformance/runs.ts";
import type { EngineMaker } from "../../src/conformance/index.ts";
import type * as port from "../../src/core/engine.ts";
import type { Logger, Ms } from "../../src/core/runtime.ts";
import { isEnded } from "../../src/core/states.ts";
import { Seeded } from "../../src/testing/seeded.ts";
import { audit } from "./audit.ts";
import { SimulatedClock } from "./clock.ts";
import { overNetwork, type Link, type Weather } from "./network.ts";
import { withoutFaults, type Plan } from "./plan.ts";
import { StoreWatch } from "./storeWatch.ts";
import { bounds, handIn, newLedger, workloadOf, type HandedIn, type Workload } from "./workload.ts";

export interface Story {
  readonly complaints: readonly string[];
  readonly steps: number;
  readonly jobs: number;
  /** What happened, as a hash: the same for the same plan. */
  readonly trace: string;
  readonly met: ReadonlyMap<string, number>;
}

interface Member {
  readonly process: Process;
  readonly link: Link;
}

const drainWithinMs: Ms = 20 * 60_000;
const lookEveryMs: Ms = 1_000;
const pageMax = 1_000;
/** Who could not start is started again. */
const againAfterMs: Ms = 1_000;

export function live(maker: EngineMaker, plan: Plan, tell: (line: string) => void = () => undefined): Promise<Story> {
  return new Life(maker, plan, tell).run();
}

class Life {
  readonly #maker: EngineMaker;
  readonly #plan: Plan;
  readonly #random: Seeded;
  readonly #trace = createHash("sha256");
  readonly #tell: (line: string) => void;
  readonly #clock: SimulatedClock;
  readonly #ledger = newLedger();
  readonly #runs: Runs;
  readonly #met = new Map<string, number>();
  readonly #weather: Weather;
  readonly #members: Member[] = [];
  readonly #handedIn: HandedIn[] = [];
  #alive: Member[] = [];
  #names = 0;

  constructor(maker: EngineMaker, plan: Plan, tell: (line: string) => void) {
    this.#maker = maker;
    this.#plan = plan;
    this.#tell = tell;
    this.#random = new Seeded(plan.seed);
    const log: Logger = { debug: () => undefined, info: () => undefined, warn: this.#note, error: this.#note, isLevelEnabled: (level) => level !== "debug" };
    this.#clock = new SimulatedClock(plan.seed, log);
    this.#runs = new Runs(() => this.#clock.now());
    this.#weather = { clock: this.#clock, random: new Seeded(plan.seed ^ 0xbad), latencyMs: plan.latencyMs, faults: plan.faults, met: this.#met };
  }

  async run(): Promise<Story> {
    const store = await this.#maker.open();
    const engine = store.engine();
    const watch = new StoreWatch(engine, bounds);
    try {
      return await this.#lived(watch);
    } finally {
      for (const { process } of this.#members) process.crash();
      await engine.close();
      await store.dispose();
    }
  }

  async #lived(watch: StoreWatch): Promise<Story> {
    const plan = this.#plan;
    const producer = this.#process(watch.engine, true);
    for (let nth = 0; nth < plan.workers; nth++) this.#hire(watch.engine);
    const handing = this.#handAll(producer);
    this.#schedule("crash", plan.faults.crashMean, () => this.#crash(watch.engine));
    this.#schedule("pause", plan.faults.pauseMean, () => this.#pause());
    this.#schedule("cut", plan.faults.cutMean, () => this.#cut());
    await this.#clock.run(plan.faultsMs);
    this.#heal(watch.engine);
    let isHanded = false;
    void handing.then(() => (isHanded = true));
    await this.#clock.run(drainWithinMs, () => isHanded);
    const isDrained = isHanded && (await this.#drained(watch.engine));
    const rows = await this.#all(watch.engine);
    const events = (await watch.engine.find({ of: "events", limit: pageMax }, { now: this.#clock.now() })).rows;
    const own = isDrained ? audit({ handedIn: this.#handedIn, ledger: this.#ledger, watch, rows, events, now: this.#clock.now() }) : this.#undone(rows);
    this.#trace.update(JSON.stringify(rows.map(({ id, state, starts, endedAt }) => [id, state, starts, endedAt])));
    return { complaints: [...watch.complaints, ...own], steps: this.#clock.steps, jobs: rows.length, trace: this.#trace.digest("hex"), met: this.#met };
  }

  #undone(rows: readonly port.JobRow[]): readonly string[] {
    const left = rows.filter(({ state }) => !isEnded(state));
    const told = left.slice(0, 5).map(({ task, id, state, waits, claim }) => `${task} ${id} ${state} ${waits?.reason ?? claim?.process ?? ""}`);
    return [`I21 ${left.length} jobs are left ${drainWithinMs / 60_000} minutes after all was healed: ${told.join("; ")}`];
  }

  #process(store: port.Engine, isProducer: boolean): Member & { readonly workload: Workload } {
    const link: Link = { isCut: false };
    const engine = overNetwork(store, link, this.#weather);
    const held: { process?: Process } = {};
    const own = (): Process => {
      if (held.process === undefined) throw new Error("not made yet");
      return held.process;
    };
    const workload = workloadOf(this.#clock, this.#ledger, own, this.#plan);
    const skew = this.#plan.skewMs;
    const process = new Process({
      name: `${isProducer ? "producer" : "worker"} ${++this.#names}`,
      engine,
      clock: this.#clock,
      runs: this.#runs,
      log: this.#clock.log,
      clockOffsetMs: skew === 0 ? 0 : Math.round((this.#random.random() * 2 - 1) * skew),
      latencyMs: 0,
      definitions: workload.definitions,
    });
    held.process = process;
    const member = { process, link, workload };
    this.#members.push(member);
    return member;
  }

  #hire(store: port.Engine): void {
    const member = this.#process(store, false);
    this.#alive.push(member);
    const { slots, leaseS } = this.#plan;
    this.#say(`${member.process.name} starts`);
    member.process.start({ queues: { default: slots }, signals: false, lease: `${leaseS}s` }).catch((error: unknown) => {
      this.#say(`${member.process.name} could not start: ${String(error)}`);
      this.#alive = this.#alive.filter((other) => other !== member);
      this.#clock.after(againAfterMs, () => this.#hire(store));
    });
  }

  async #handAll(producer: Member & { readonly workload: Workload }): Promise<void> {
    const { works, faultsMs, parts } = this.#plan;
    const own = parts.filter((part) => part !== "schedule" && part !== "cancel");
    for (let n = 1; n <= works; n++) {
      await this.#clock.sleep((this.#random.random() * 2 * faultsMs) / works);
      const part = own[Math.floor(this.#random.random() * own.length)];
      if (part === undefined) return;
      const handed = await handIn(producer.process.broker, producer.workload, part, n, this.#random);
      this.#handedIn.push(handed);
      this.#say(`${part} ${n}: ${handed.id ?? "in doubt"}${handed.isDuplicate ? ", a duplicate" : ""}`);
      if (parts.includes("cancel") && this.#random.random() < 0.3) await this.#cancelOne(producer);
    }
  }

  async #cancelOne({ process }: Member): Promise<void> {
    const one = this.#handedIn[Math.floor(this.#random.random() * this.#handedIn.length)];
    if (one?.id === undefined || one.part === "batch" || one.part === "event") return;
    const is = await process.broker.cancel(one.id, "not wanted").catch(() => "in doubt");
    this.#say(`cancel of ${one.id}: ${is}`);
  }

  /** Again and again, while there are faults. */
  #schedule(fault: string, meanS: number, happen: () => void): void {
    if (meanS === 0) return;
    const next = (): void => {
      this.#clock.after(-Math.log(1 - this.#random.random()) * meanS * 1_000, () => {
        if (this.#weather.faults === withoutFaults) return;
        this.#met.set(fault, (this.#met.get(fault) ?? 0) + 1);
        happen();
        next();
      });
    };
    next();
  }

  #any(): Member | undefined {
    return this.#alive[Math.floor(this.#random.random() * this.#alive.length)];
  }

  /** As by SIGKILL; another one comes, a while later. */
  #crash(store: port.Engine): void {
    const victim = this.#any();
    if (victim === undefined) return;
    this.#say(`${victim.process.name} is killed`);
    victim.process.crash();
    this.#alive = this.#alive.filter((other) => other !== victim);
    this.#clock.after(this.#random.random() * 10_000, () => this.#hire(store));
  }

  /** As by SIGSTOP, up to three leases long. */
  #pause(): void {
    const victim = this.#any();
    if (victim === undefined) return;
    const ms = this.#random.random() * 3_000 * this.#plan.leaseS;
    this.#say(`${victim.process.name} stands still for ${Math.round(ms)} ms`);
    victim.process.gate.pause();
    this.#clock.after(ms, () => victim.process.gate.resume());
  }

  #cut(): void {
    const victim = this.#members[Math.floor(this.#random.random() * this.#members.length)];
    if (victim === undefined) return;
    const ms = this.#random.random() * 2_000 * this.#plan.leaseS;
    this.#say(`${victim.process.name} is cut off for ${Math.round(ms)} ms`);
    victim.link.isCut = true;
    this.#clock.after(ms, () => (victim.link.isCut = false));
  }

  /** All that is broken works again; who was killed stays dead, and one worker is there at least. */
  #heal(store: port.Engine): void {
    this.#say("all is healed");
    this.#weather.faults = withoutFaults;
    for (const { process, link } of this.#members) {
      link.isCut = false;
      process.gate.resume();
    }
    if (this.#alive.length === 0) this.#hire(store);
  }

  async #drained(store: port.Engine): Promise<boolean> {
    const until = this.#clock.now() + drainWithinMs;
    while (this.#clock.now() < until) {
      await this.#clock.run(lookEveryMs);
      const rows = await store.count({ now: this.#clock.now() });
      // A schedule goes on: its next job is always there, and the last one may be.
      if (rows.every(({ state, task, jobs }) => isEnded(state) || (task === "tick" && (state === "scheduled" || jobs <= 1)))) return true;
    }
    return false;
  }

  async #all(store: port.Engine): Promise<readonly port.JobRow[]> {
    const rows: port.JobRow[] = [];
    for (let after: string | undefined; ;) {
      const page = await store.find({ of: "jobs", where: {}, limit: pageMax, ...(after !== undefined && { after }) }, { now: this.#clock.now() });
      rows.push(...page.rows);
      if (page.next === undefined) return rows;
      after = page.next;
    }
  }

  readonly #note = (details: object, message: string): void => this.#say(`${message} ${"err" in details ? String((details as { err: unknown }).err) : ""}`);

  #say(line: string): void {
    const told = `${this.#clock.monotonic()} ${line}`;
    this.#trace.update(told);
    this.#tell(told);
  }
}
