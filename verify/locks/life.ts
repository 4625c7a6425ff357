/**
 * A life of several processes that take locks of one store while they are held still, cut off and killed; and the history of it, as its clients saw it.
 */
import { World, type EngineMaker } from "../../src/conformance/world.ts";
import type { Process } from "../../src/conformance/process.ts";
import { beatEveryMs, leaseMs } from "../../src/core/defaults.ts";
import type { HeldLock } from "../../src/core/lock/hold.ts";
import { Seeded } from "../../src/testing/seeded.ts";
import type { Operation } from "./linearizable.ts";
import type { LockOp } from "./lockSpecification.ts";
import { PortReplay } from "./portReplay.ts";
import { Register } from "./register.ts";

export interface LifeOptions {
  readonly maker: EngineMaker;
  readonly seed: number;
  readonly clients: number;
  readonly seconds: number;
  /** Of a lock that several may hold. */
  readonly permits: number;
  readonly faults: boolean;
}

/** Of each lock: what its clients saw. */
export interface LifeStory {
  readonly histories: ReadonlyMap<string, readonly Operation<LockOp>[]>;
  readonly complaints: readonly string[];
  readonly unguarded: Register;
  readonly guardedAtTheEnd: Register;
  readonly guarded: Register;
  readonly grants: number;
  /** Grants that were lost rather than given back. */
  readonly losses: number;
}

/** A lease ends no sooner than this after its process was last sure to reach the store. */
const leaseLeastMs = leaseMs - beatEveryMs - 200;
const stepMs = 250;
const exclusive = "exclusive";
const shared = "shared";

export async function live(options: LifeOptions): Promise<LifeStory> {
  const replay = new PortReplay();
  const maker: EngineMaker = {
    name: options.maker.name,
    open: async () => {
      const store = await options.maker.open();
      return { engine: () => replay.watch(store.engine()), dispose: () => store.dispose() };
    },
  };
  return new Life(options, await World.open(maker), replay).lived();
}

/** What holds a process up, and since when. */
interface Fault {
  readonly process: Process;
  readonly since: number;
  readonly until: number;
}

/** One grant, as its client sees it. */
interface Holding {
  readonly op: Extract<LockOp, { readonly is: "granted" }>;
  readonly lock: string;
  readonly process: Process;
  readonly calledAt: number;
  readonly answeredAt: number;
  signalledAt: number;
  end: { readonly calledAt: number; readonly answeredAt: number } | undefined;
}

class Life {
  readonly #options: LifeOptions;
  readonly #world: World;
  readonly #replay: PortReplay;
  readonly #random: Seeded;
  readonly #processes: Process[] = [];
  readonly #faults: Fault[] = [];
  readonly #holdings: Holding[] = [];
  readonly #unguarded = new Register();
  readonly #guardedAtTheEnd = new Register();
  readonly #guarded = new Register();
  #busy = 0;
  #isOver = false;

  constructor(options: LifeOptions, world: World, replay: PortReplay) {
    this.#options = options;
    this.#world = world;
    this.#replay = replay;
    this.#random = new Seeded(options.seed);
  }

  async lived(): Promise<LifeStory> {
    for (let slot = 0; slot < this.#options.clients; slot++) this.#begin(slot);
    for (let ms = 0; ms < this.#options.seconds * 1_000; ms += stepMs) {
      this.#heal(false);
      if (this.#options.faults) this.#disturb();
      await this.#world.advance(`${stepMs}ms`);
    }
    this.#isOver = true;
    this.#heal(true);
    await this.#world.until("every client has ended", () => this.#busy === 0, "5m");
    await this.#world.dispose();
    return this.#story();
  }

  /** A process with a client, in place of the one that died. */
  #begin(slot: number): void {
    const process = this.#world.process({});
    this.#processes[slot] = process;
    void this.#client(process);
  }

  async #client(process: Process): Promise<void> {
    this.#busy++;
    while (!this.#isOver) {
      await this.#sleep(process, 800);
      await this.#turn(process);
    }
    this.#busy--;
  }

  async #turn(process: Process): Promise<void> {
    const isShared = this.#random.random() < 0.4;
    const mode = !isShared && this.#random.random() < 0.3 ? "read" : "write";
    const permits = isShared ? this.#options.permits : 1;
    const name = isShared ? shared : exclusive;
    const calledAt = this.#world.now;
    let lock: HeldLock;
    try {
      const options = { for: this.#random.random() < 0.2 ? "2s" : "1h", wait: "20s" } as const;
      lock = await process.broker.lock(name, mode === "read" ? { ...options, mode } : { ...options, permits });
    } catch {
      return; // it was not free in time, or the store was away
    }
    await process.gate.alive();
    const holding = this.#hold(process, name, calledAt, { is: "granted", grant: `${process.name} ${lock.fence}`, mode, permits, fence: lock.fence });
    lock.signal.addEventListener("abort", () => (holding.signalledAt = this.#world.now));
    await this.#use(process, holding);
    await this.#giveBack(process, lock, holding);
  }

  #hold(process: Process, lock: string, calledAt: number, op: Holding["op"]): Holding {
    const holding: Holding = { op, lock, process, calledAt, answeredAt: this.#world.now, signalledAt: Number.POSITIVE_INFINITY, end: undefined };
    this.#holdings.push(holding);
    return holding;
  }

  /** Whoever is held up while it thinks goes on where it was, as after SIGCONT: it does not look at its signal first. */
  async #use(process: Process, { op, lock }: Holding): Promise<void> {
    if (lock === shared || op.mode === "read") return this.#sleep(process, 600);
    const pause = this.#random.random() * 600;
    const think = (): Promise<void> => this.#sleep(process, pause, true);
    await Promise.all([this.#unguarded.unguarded(think), this.#guardedAtTheEnd.guardedAtTheEnd(op.fence, think), this.#guarded.guarded(op.fence, think)]);
  }

  async #giveBack(process: Process, lock: HeldLock, holding: Holding): Promise<void> {
    const calledAt = this.#world.now;
    const isReleased = await lock.release().then(
      () => true,
      () => false,
    );
    await process.gate.alive();
    // What was not given back for sure may be so since, at the latest; what was lost before is told by faults and the signal.
    holding.end = isReleased
      ? { calledAt, answeredAt: this.#world.now }
      : { calledAt: Math.min(calledAt, this.#mayEndAt(holding)), answeredAt: Number.POSITIVE_INFINITY };
  }

  /** Not before its process was told, nor before its lease could be over. */
  #mayEndAt({ process, answeredAt, signalledAt }: Holding): number {
    const lost = this.#faults.filter((fault) => fault.process === process && fault.until > answeredAt).map(({ since }) => since + leaseLeastMs);
    return Math.min(signalledAt, ...lost);
  }

  #disturb(): void {
    if (this.#random.random() > 0.12) return;
    const slot = Math.floor(this.#random.random() * this.#processes.length);
    const process = this.#processes[slot];
    if (process === undefined || this.#faults.some((fault) => fault.process === process && fault.until > this.#world.now)) return;
    const kind = this.#random.random();
    const isCrash = kind < 0.15;
    const lengthMs = 1_000 + this.#random.random() * 14_000;
    this.#faults.push({ process, since: this.#world.now, until: isCrash ? Number.POSITIVE_INFINITY : this.#world.now + lengthMs });
    if (isCrash) this.#kill(slot, process);
    else if (kind < 0.55) this.#world.pause(process);
    else if (kind < 0.8) this.#world.cutStore(process);
    else this.#world.loseAnswers(process);
  }

  #kill(slot: number, process: Process): void {
    this.#world.crash(process);
    this.#busy--;
    this.#begin(slot);
  }

  #heal(isForAll: boolean): void {
    for (const { process, until } of this.#faults) {
      if (process.gate.isCrashed || (!isForAll && (until > this.#world.now || until <= this.#world.now - stepMs))) continue;
      process.gate.reach = "reached";
      process.gate.resume();
    }
  }

  /** By the shared clock; a process that is held still wakes later. */
  async #sleep(process: Process, mostMs: number, isExact: boolean = false): Promise<void> {
    await this.#world.sleep(`${Math.ceil(isExact ? mostMs : this.#random.random() * mostMs)}ms`);
    await process.gate.alive();
  }

  #story(): LifeStory {
    const histories = new Map<string, Operation<LockOp>[]>();
    for (const holding of this.#holdings) {
      const { op, lock, calledAt, answeredAt } = holding;
      const end = holding.end ?? { calledAt: this.#mayEndAt(holding), answeredAt: Number.POSITIVE_INFINITY };
      const history = histories.get(lock) ?? [];
      history.push({ op, calledAt, answeredAt }, { op: { is: "ended", grant: op.grant }, ...end });
      histories.set(lock, history);
    }
    return {
      histories,
      complaints: this.#replay.complaints,
      unguarded: this.#unguarded,
      guardedAtTheEnd: this.#guardedAtTheEnd,
      guarded: this.#guarded,
      grants: this.#holdings.length,
      losses: this.#holdings.filter(({ end }) => end?.answeredAt !== undefined && end.answeredAt === Number.POSITIVE_INFINITY).length,
    };
  }
}
