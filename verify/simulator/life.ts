/** One simulated life: a fleet works while faults happen, then all is healed, and it must come to its end. */
import { createHash } from "node:crypto";
import type { EngineMaker } from "../../src/conformance/index.ts";
import type * as port from "../../src/core/engine.ts";
import type { Logger, Ms } from "../../src/core/runtime.ts";
import { isEnded } from "../../src/core/states.ts";
import { Seeded } from "../../src/testing/seeded.ts";
import { audit } from "./audit.ts";
import { SimulatedClock } from "./clock.ts";
import { Fleet } from "./fleet.ts";
import { handIn, newHandedIn, type HandedIn } from "./handIn.ts";
import { newLedger, undone } from "./ledger.ts";
import type { Weather } from "./network.ts";
import { letGo, lookAfter } from "./people.ts";
import { ownPace, withoutFaults, type Plan } from "./plan.ts";
import { Rewindable } from "./rewind.ts";
import { StoreWatch } from "./storeWatch.ts";
import { Troubles } from "./troubles.ts";
import { bounds, type Work } from "./workload.ts";

export interface Story {
  readonly complaints: readonly string[];
  readonly steps: number;
  readonly jobs: number;
  /** As poison, though none of them is. */
  readonly putAside: number;
  /** From processes whose leases had ended. */
  readonly takenBack: number;
  /** What happened, as a hash: the same for the same plan. */
  readonly trace: string;
  readonly met: ReadonlyMap<string, number>;
}

const drainWithinMs: Ms = 20 * 60_000;
const lookEveryMs: Ms = 1_000;
const pageMax = 1_000;
const peopleRestMs: Ms = 8_000;
const producerRestsMs: Ms = 5_000;
const storeAwayMs: Ms = 3_000;
const cancelChance = 0.3;

export function live(maker: EngineMaker, plan: Plan, tell: (line: string) => void = () => undefined): Promise<Story> {
  return Life.of(maker, plan, tell);
}

class Life {
  readonly #plan: Plan;
  readonly #random: Seeded;
  readonly #trace = createHash("sha256");
  readonly #tell: (line: string) => void;
  readonly #clock: SimulatedClock;
  readonly #ledger = newLedger();
  readonly #weather: Weather;
  readonly #watch: StoreWatch;
  readonly #store: Rewindable;
  readonly #fleet: Fleet;
  readonly #handedIn: HandedIn[] = [];
  /** What a store that went back does not know any more. */
  readonly #forgotten: Set<string> = new Set();
  #rewinds = 0;

  static async of(maker: EngineMaker, plan: Plan, tell: (line: string) => void): Promise<Story> {
    const watch = new StoreWatch(bounds);
    const store = await Rewindable.open(maker, (engine) => watch.watched(engine), plan.faults.rewindMean > 0);
    const life = new Life(plan, tell, watch, store);
    try {
      return await life.#lived();
    } finally {
      life.#fleet.end();
      await store.dispose();
    }
  }

  private constructor(plan: Plan, tell: (line: string) => void, watch: StoreWatch, store: Rewindable) {
    this.#plan = plan;
    this.#tell = tell;
    this.#watch = watch;
    this.#store = store;
    this.#random = new Seeded(plan.seed);
    const log: Logger = { debug: () => undefined, info: () => undefined, warn: this.#note, error: this.#note, isLevelEnabled: (level) => level !== "debug" };
    this.#clock = new SimulatedClock(plan.seed, log);
    const { latencyMs, faults } = plan;
    this.#weather = { clock: this.#clock, random: new Seeded(plan.seed ^ 0xbad), latencyMs, faults, isStoreAway: false, met: new Map() };
    this.#fleet = new Fleet({
      ...{ clock: this.#clock, ledger: this.#ledger, weather: this.#weather, plan, random: this.#random },
      connect: () => store.engine(),
      say: (line) => this.#say(line),
    });
  }

  async #lived(): Promise<Story> {
    const plan = this.#plan;
    const looking = this.#store.engine();
    await looking.open({ runtime: this.#clock });
    for (let nth = 0; nth < plan.workers; nth++) this.#fleet.hire();
    const handing = this.#handAll();
    const looks = plan.parts.includes("people") ? this.#lookAfter() : Promise.resolve();
    this.#trouble();
    await this.#clock.run(plan.faultsMs);
    await this.#heal(Promise.all([handing, looks]));
    const isDrained = await this.#drained(looking);
    const rows = await this.#all(looking);
    const own = isDrained ? await this.#audited(looking, rows) : await this.#left(looking, rows);
    this.#trace.update(JSON.stringify(rows.map(({ id, state, starts, endedAt }) => [id, state, starts, endedAt])));
    const complaints = [...this.#watch.complaints, ...this.#ledger.complaints, ...own];
    const putAside = rows.filter(({ isPoison, task }) => isPoison === true && task !== "bomb").length;
    return {
      complaints,
      steps: this.#clock.steps,
      jobs: rows.length,
      putAside,
      takenBack: this.#watch.takenBack,
      trace: this.#trace.digest("hex"),
      met: this.#weather.met,
    };
  }

  async #audited(looking: port.Engine, rows: readonly port.JobRow[]): Promise<readonly string[]> {
    const at = this.#at;
    const events = (await looking.find({ of: "events", limit: pageMax }, at)).rows;
    const counts = await looking.count(at);
    const [handedIn, ledger, watch, forgotten, rewinds] = [this.#handedIn, this.#ledger, this.#watch, this.#forgotten, this.#rewinds];
    return audit({ handedIn, ledger, watch, rows, events, counts, forgotten, rewinds });
  }

  async #left(looking: port.Engine, rows: readonly port.JobRow[]): Promise<readonly string[]> {
    const jobs = rows.filter(({ state }) => !isEnded(state));
    const told = jobs.slice(0, 5).map(({ task, id, state, waits, claim }) => `${task} ${id} ${state} ${waits?.reason ?? claim?.process ?? ""}`);
    const { rows: locks } = await looking.find({ of: "locks", limit: pageMax }, this.#at);
    const left = `${jobs.length} jobs, ${undone(this.#ledger).length} effects and ${locks.length} places at locks`;
    return [`I21 ${left} are left ${drainWithinMs / 60_000} minutes after all was healed: ${told.join("; ")} ${JSON.stringify(locks.slice(0, 3))}`];
  }

  async #handAll(): Promise<void> {
    const { works, faultsMs, parts } = this.#plan;
    const own = parts.filter((part) => !ownPace.includes(part));
    for (let n = 1; n <= works; n++) {
      await this.#clock.sleep((this.#random.random() * 2 * faultsMs) / works);
      const part = own[Math.floor(this.#random.random() * own.length)];
      if (part === undefined) return;
      const handed = newHandedIn(part, n, this.#random);
      this.#handedIn.push(handed);
      await this.#byProducer(async (broker, workload) => handIn(broker, workload, this.#ledger, handed, this.#random));
      this.#say(`${part} ${n}: ${handed.id ?? "in doubt"}${handed.isDuplicate ? ", a duplicate" : ""}`);
      if (parts.includes("cancel") && this.#random.random() < cancelChance) await this.#cancelOne();
    }
  }

  /** Whoever waits for a process that dies waits no longer. */
  async #byProducer(doing: (broker: Fleet["producer"]["process"]["broker"], workload: Fleet["producer"]["workload"]) => Promise<void>): Promise<void> {
    const { process, workload, death } = this.#fleet.producer;
    let isDead = false;
    await Promise.race([doing(process.broker, workload), death.then(() => (isDead = true))]);
    if (isDead) await this.#clock.sleep(this.#random.random() * producerRestsMs);
  }

  async #cancelOne(): Promise<void> {
    const one = this.#handedIn[Math.floor(this.#random.random() * this.#handedIn.length)];
    if (one?.id === undefined || one.part === "batch" || one.part === "event" || one.part === "effect") return;
    const { id } = one;
    await this.#byProducer(async (broker) => {
      const is = await broker.cancel(id, "not wanted").catch(() => "in doubt");
      this.#say(`cancel of ${id}: ${is}`);
    });
  }

  async #lookAfter(): Promise<void> {
    for (;;) {
      await this.#clock.sleep(this.#random.random() * peopleRestMs);
      if (this.#weather.faults === withoutFaults) return;
      await this.#byProducer(async (broker) => this.#say(await lookAfter(broker, this.#random)));
    }
  }

  #trouble(): void {
    new Troubles({
      ...{ clock: this.#clock, fleet: this.#fleet, weather: this.#weather, plan: this.#plan, random: this.#random },
      rewind: (part) => void this.#rewind(part),
      say: (line) => this.#say(line),
    }).begin();
  }

  async #rewind(part: number): Promise<void> {
    const length = Math.floor(this.#store.length * part);
    this.#say(`the store goes back from ${this.#store.length} to ${length}`);
    this.#rewinds++;
    this.#weather.isStoreAway = true;
    this.#clock.passStoreTime(this.#watch.now);
    await this.#watch.anew(async () => {
      const { forgotten, complaints } = await this.#store.rewind(length);
      for (const id of forgotten) this.#forgotten.add(id);
      this.#ledger.complaints.push(...complaints);
    });
    this.#clock.after(this.#random.random() * storeAwayMs, () => (this.#weather.isStoreAway = false));
  }

  /** All that is broken works again; who was killed stays dead, and one worker is there at least. Clocks stay as they are. */
  async #heal(handing: Promise<unknown>): Promise<void> {
    this.#say("all is healed");
    this.#weather.faults = withoutFaults;
    this.#fleet.heal();
    let isOver = false;
    const over = async (): Promise<void> => {
      await handing;
      for (let isFree = !this.#plan.parts.includes("people"); !isFree;) {
        await this.#byProducer(async (broker) => void (isFree = await letGo(broker)));
      }
      isOver = true;
    };
    void over();
    await this.#clock.run(drainWithinMs, () => isOver);
  }

  async #drained(looking: port.Engine): Promise<boolean> {
    const until = this.#clock.now() + drainWithinMs;
    while (this.#clock.now() < until) {
      await this.#clock.run(lookEveryMs);
      if ((await this.#isDrained(looking)) && (await this.#isDone(looking))) return true;
    }
    return false;
  }

  async #isDrained(looking: port.Engine): Promise<boolean> {
    const rows = await looking.count(this.#at);
    // A schedule goes on: its next job is always there, and the last one may be.
    const goesOn = ({ state, task, jobs }: port.CountRow): boolean => (task === "tick" || task.startsWith("errand.")) && (state === "scheduled" || jobs <= 1);
    return rows.every((row) => isEnded(row.state) || goesOn(row));
  }

  /** Each effect was carried out, or its job is dead; and nobody is left in a line. */
  async #isDone(looking: port.Engine): Promise<boolean> {
    const { rows: locks } = await looking.find({ of: "locks", limit: pageMax }, this.#at);
    if (locks.some(({ name }) => name === "counter")) return false;
    const left = undone(this.#ledger);
    if (left.length === 0) return true;
    const { rows } = await looking.find({ of: "jobs", where: { task: "effect", states: ["dead"] }, limit: pageMax }, this.#at);
    const dead = new Set(rows.map(({ payload }) => (JSON.parse(payload) as Work).n));
    return left.every((n) => dead.has(n));
  }

  async #all(looking: port.Engine): Promise<readonly port.JobRow[]> {
    const rows: port.JobRow[] = [];
    for (let after: string | undefined; ;) {
      const page = await looking.find({ of: "jobs", where: {}, limit: pageMax, ...(after !== undefined && { after }) }, this.#at);
      rows.push(...page.rows);
      if (page.next === undefined) return rows;
      after = page.next;
    }
  }

  get #at(): port.At {
    return { now: this.#clock.storeTime() };
  }

  readonly #note = (details: object, message: string): void => this.#say(`${message} ${"err" in details ? String((details as { err: unknown }).err) : ""}`);

  #say(line: string): void {
    const told = `${this.#clock.monotonic()} ${line}`;
    this.#trace.update(told);
    this.#tell(told);
  }
}
