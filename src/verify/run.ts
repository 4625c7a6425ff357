/**
 * A fault run, from an empty place in somebody's store to a verdict: a warm-up without faults, faults, a heal, a drain, an audit, and the checker over all that
 * was written down. What it made in the store is taken away again, however it ends.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { broker, type Broker, type Guarantees } from "../index.ts";
import { machineMs } from "../runtime/machineClock.ts";
import { audit } from "./audit.ts";
import { check, type Verdict } from "./checker/check.ts";
import type { Fault } from "./faults/fault.ts";
import { Fleet, type FleetOptions } from "./faults/fleet.ts";
import { Nemesis } from "./faults/nemesis.ts";
import { faultPlan, type PlannedFault, type PlanOptions } from "./faults/plan.ts";
import { Proxy } from "./faults/proxy.ts";
import { appendLine, linesOf, type Line, type PhaseLine } from "./history.ts";
import { sleep } from "./sleep.ts";
import type { Place } from "./stores/place.ts";
import { engineAt } from "./stores/reached.ts";
import * as definitions from "./workload/definitions.ts";
import { everyOtherName, everySecondName } from "./workload/slots.ts";

export interface RunOptions {
  readonly place: Place;
  readonly seed: number;
  /** Of the warm-up and the faults together. */
  readonly seconds: number;
  readonly workers: number;
  readonly producers: number;
  readonly leaseMs: number;
  readonly keep: boolean;
  /** What happens now. */
  readonly progress: (what: string) => void;
  /** The store is made. */
  readonly opened: () => void;
  /** Ends the run early. */
  readonly signal: AbortSignal;
  readonly own?: OwnRun;
}

/** What a run on servers of its own does beside, and differently. */
export interface OwnRun extends Required<Pick<FleetOptions, "program" | "hands">> {
  /** Calls a second of a producer. */
  readonly rate: number;
  readonly plan: (options: PlanOptions) => readonly PlannedFault[];
  /** Resolves when the server is well again. */
  disturb(fleet: Fleet, lastsMs: number, note: (line: Line) => void): Promise<void>;
  /** Faults are over, and nothing more is handed in. */
  healed(work: Broker): Promise<void>;
  audit(work: Broker, note: (line: Line) => void): Promise<void>;
  check(lines: () => Iterable<Line>): Verdict;
}

export interface RunReport {
  readonly place: string;
  readonly seed: number;
  readonly seconds: number;
  readonly workers: number;
  readonly producers: number;
  readonly leaseMs: number;
  /** Of them all, to the end of the audit. */
  readonly tookMs: number;
  readonly drainedMs: number | undefined;
  /** Why no faults of the network were made. */
  readonly withoutNetwork: string | undefined;
  readonly guarantees: Guarantees;
  readonly verdict: Verdict;
  /** Of the histories, where they were kept. */
  readonly history: string | undefined;
}

const warmUpShare = 0.2;
const warmUpMostMs = 10_000;
const healMs = 1_000;
/** Of a producer that was told to end. */
const answeredWithinMs = 120_000;
/** What is left is done within that time after the last job that ended, and in all within the other. */
const nextEndWithinMs = 60_000;
const drainWithinMs = 600_000;
const lookEveryMs = 200;
/** Every so many looks it is told how far it is. */
const looksATold = 10;
/** Of all processes together; what one run makes has to fit into the checker's memory. */
const callsMost = 120_000;
const callsOfProducer = 30;
const usualHands = 10;

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export async function run(options: RunOptions): Promise<RunReport> {
  const folder = mkdtempSync(path.join(tmpdir(), "errand-verify-"));
  const faultRun = new FaultRun(options, folder);
  try {
    return await faultRun.run();
  } finally {
    await faultRun.close();
    if (!options.keep) rmSync(folder, { recursive: true, force: true });
  }
}

class FaultRun {
  readonly #options: RunOptions;
  readonly #folder: string;
  readonly #file: string;
  #fleet: Fleet | undefined;
  #work: Broker | undefined;

  constructor(options: RunOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#file = path.join(folder, "run.ndjson");
  }

  async run(): Promise<RunReport> {
    const begun = machineMs();
    const { place, seed, seconds, workers, producers, leaseMs, keep, progress, signal, own } = this.#options;
    const work = (this.#work = broker({ store: await engineAt(place.reach()), log: quiet }, definitions));
    await work.open();
    this.#options.opened();
    const guarantees = await work.guarantees();
    const withoutNetwork = place.whyNoServers ?? (await whyNoProxies(place));
    const { rate = Math.min(callsOfProducer, callsMost / seconds / producers), hands = usualHands, program } = own ?? {};
    const assigned = { folder: this.#folder, seed, hands, lease: `${leaseMs}ms`, rate, program } as const;
    const fleet = (this.#fleet = new Fleet(place, { ...assigned, workers, producers, hasProxies: withoutNetwork === undefined }));
    progress(`starting ${workers} workers and ${producers} producers`);
    await this.#untilAborted(fleet.start("worker").then(() => fleet.start("producer")));
    const warmUpMs = Math.min(warmUpMostMs, warmUpShare * seconds * 1_000);
    this.#enter("warm-up", `${Math.round(warmUpMs / 1_000)} s without faults`);
    await sleep(warmUpMs, signal);
    await this.#makeFaults(fleet, seconds * 1_000 - warmUpMs, withoutNetwork === undefined);
    const drainedMs = await this.#drain(fleet, work);
    await audit(work, (line) => this.#note(line));
    await own?.audit(work, (line) => this.#note(line));
    await fleet.stopWorkers();
    progress("checking");
    const verdict = own === undefined ? check(this.#lines()) : own.check(() => this.#lines());
    const tookMs = Math.round(machineMs() - begun);
    const history = keep ? this.#folder : undefined;
    return { place: place.name, seed, seconds, workers, producers, leaseMs, tookMs, drainedMs, withoutNetwork, guarantees, verdict, history };
  }

  async close(): Promise<void> {
    await this.#fleet?.close();
    await this.#work?.close().catch(() => undefined);
  }

  async #makeFaults(fleet: Fleet, lastsMs: number, hasNetwork: boolean): Promise<void> {
    const { place, seed, workers, producers, leaseMs, progress, signal, own } = this.#options;
    const plan = (own?.plan ?? faultPlan)({ seed, workers, producers, lastsMs, leaseMs, hasNetwork, hasFile: place.file !== undefined });
    this.#enter("faults", `${Math.round(lastsMs / 1_000)} s of faults`);
    let made = 0;
    const note = (fault: Fault): void => {
      this.#note({ is: "fault", ...fault });
      progress(`faults: ${++made} of ${plan.length} made; ${fault.kind} of ${fault.on === "*" ? "the file" : fault.on}`);
    };
    const nemesis = new Nemesis({ fleet, file: place.file, made: note, signal });
    const disturbed = own?.disturb(fleet, lastsMs, (line) => this.#note(line));
    await this.#untilAborted(Promise.all([nemesis.carryOut(plan, lastsMs), disturbed]));
  }

  /** Undefined: it did not end. */
  async #drain(fleet: Fleet, work: Broker): Promise<number | undefined> {
    const { signal } = this.#options;
    this.#enter("heal", "faults are over; what was handed in is done");
    await sleep(healMs, signal);
    await this.#untilAborted(fleet.stopProducers(answeredWithinMs));
    await this.#options.own?.healed(work);
    for (const schedule of [everySecondName, everyOtherName]) await work.pause({ schedule });
    const begun = machineMs();
    let fewest = { left: Number.POSITIVE_INFINITY, at: begun };
    for (let looks = 0; ; looks++) {
      const { scheduled, blocked, ready, running } = await work.count();
      const left = scheduled + blocked + ready + running;
      const now = machineMs();
      if (left === 0) {
        this.#enter("drained", `all was done ${((now - begun) / 1_000).toFixed(1)} s later`);
        return Math.round(now - begun);
      }
      if (left < fewest.left) fewest = { left, at: now };
      if (now - fewest.at > nextEndWithinMs || now - begun > drainWithinMs) {
        this.#enter("not drained", `${left} jobs did not end`);
        return undefined;
      }
      if (looks % looksATold === 0) this.#options.progress(`${left} jobs left`);
      await sleep(lookEveryMs, signal);
    }
  }

  #enter(phase: PhaseLine["phase"], what: string): void {
    this.#note({ is: "phase", t: machineMs(), phase });
    this.#options.progress(what);
  }

  #note(line: Line): void {
    appendLine(this.#file, line);
  }

  *#lines(): Generator<Line> {
    for (const name of readdirSync(this.#folder).filter((file) => file.endsWith(".ndjson"))) yield* linesOf(path.join(this.#folder, name));
  }

  /** What goes on is ended by `close`. */
  async #untilAborted<T>(doing: Promise<T>): Promise<T> {
    const { signal } = this.#options;
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([doing, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}

/** Such as a server that is known by its name alone: TLS says so. */
async function whyNoProxies(place: Place): Promise<string | undefined> {
  const proxies = await Promise.all(place.servers.map((server) => Proxy.before(server)));
  const reach = place.reach((server) => proxies[place.servers.indexOf(server)]?.address ?? server);
  const work = broker({ store: await engineAt(reach), log: quiet });
  try {
    await work.count();
    return undefined;
  } catch (error) {
    return `the store is not reached through a proxy on this machine: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await work.close().catch(() => undefined);
    await Promise.all(proxies.map((proxy) => proxy.close()));
  }
}
