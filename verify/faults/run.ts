/** A fault run on servers of its own: they are started, disturbed and taken away. */
import Database from "better-sqlite3";
import type { Broker } from "../../src/index.ts";
import type { Fleet } from "../../src/verify/faults/fleet.ts";
import type { Line } from "../../src/verify/history.ts";
import { run, type OwnRun, type RunReport } from "../../src/verify/run.ts";
import { sleep } from "../../src/verify/sleep.ts";
import { checkOwn, type OwnVerdict } from "./checker/check.ts";
import type { OwnLine } from "./history.ts";
import { keep } from "./keeper.ts";
import { Neighbour } from "./neighbour.ts";
import type { Preset } from "./presets.ts";
import { disturb } from "./serverNemesis.ts";
import { watchStarving } from "./starved.ts";
import type { Stage, Topology } from "./stage.ts";
import { onServer } from "./stages/postgresServer.ts";
import { tellProcesses } from "./workload/environment.ts";
import { restoredName } from "./workload/policies.ts";
import { appRows, appTable } from "./workload/transactions.ts";

export interface FaultsOptions {
  readonly topology: Topology;
  readonly preset: Preset;
  readonly seed: number;
  readonly seconds: number;
  readonly keep: boolean;
  readonly progress: (what: string) => void;
  readonly signal: AbortSignal;
}

export interface FaultsReport extends RunReport {
  readonly verdict: OwnVerdict;
}

const movedOnWithinMs = 60_000;
const lookEveryMs = 100;

export async function faultsRun({ topology, preset, seed, seconds, keep: keeps, progress, signal }: FaultsOptions): Promise<FaultsReport> {
  const { workers, producers, leaseMs, rates } = preset;
  progress(`${topology.name}: ${topology.what}`);
  await using stage = await topology.start(leaseMs);
  const each = Object.fromEntries(Object.entries(rates).map(([kind, rate]) => [kind, rate / producers])) as unknown as typeof rates;
  tellProcesses({ app: stage.app, replicas: stage.replicas, rates: each });
  if (stage.app?.by === "postgres") await onServer(stage.app.url, appTable);
  const beside = new Beside(stage, { preset, seed, signal });
  try {
    const options = { place: stage.place, seed, seconds, workers, producers, leaseMs, keep: keeps, progress, signal, opened: () => undefined };
    const report = await run({ ...options, own: beside });
    if (beside.verdict === undefined) throw new Error("nothing was checked");
    return { ...report, verdict: beside.verdict };
  } finally {
    await beside.close();
  }
}

class Beside implements OwnRun {
  readonly hands: number;
  readonly rate: number;
  readonly plan: OwnRun["plan"];
  readonly #stage: Stage;
  readonly #options: Pick<FaultsOptions, "preset" | "seed" | "signal">;
  #neighbour: Neighbour | undefined;
  #note: (line: OwnLine) => void = () => undefined;
  #fed: () => void = () => undefined;
  verdict: OwnVerdict | undefined;

  constructor(stage: Stage, options: Pick<FaultsOptions, "preset" | "seed" | "signal">) {
    this.#stage = stage;
    this.#options = options;
    this.hands = options.preset.hands;
    this.rate = options.preset.rate;
    this.plan = options.preset.plan;
  }

  readonly program = (job: "worker" | "producer"): URL => new URL(`./workload/${job}Main.ts`, import.meta.url);

  async disturb(fleet: Fleet, lastsMs: number, note: (line: Line) => void): Promise<void> {
    const own = (line: OwnLine): void => note(line as unknown as Line);
    this.#note = own;
    this.#fed = watchStarving("*", (line) => this.#note(line));
    const { disturbances, neighbour } = this.#stage;
    if (neighbour !== undefined) this.#neighbour = await Neighbour.open(neighbour, (line) => this.#note(line));
    const over = new AbortController();
    const { preset, seed, signal } = this.#options;
    const kept = keep(fleet, AbortSignal.any([over.signal, signal]));
    const visited = this.#neighbour?.run(over.signal);
    try {
      await Promise.race([kept, disturb({ disturbances, seed, everyMs: preset.disturbEveryMs, made: own, signal }, lastsMs).then(() => sleep(0))]);
    } finally {
      over.abort(new Error("over"));
      await Promise.all([visited, this.#keepOn(fleet, kept)]);
    }
  }

  /** Poison goes on killing until all is done. */
  readonly #keeping: AbortController = new AbortController();
  async #keepOn(fleet: Fleet, kept: Promise<void>): Promise<void> {
    await kept;
    keep(fleet, this.#keeping.signal).catch(() => undefined); // the drain tells
  }

  /** What reconciliations still find is done before it is looked at; they make no more then. */
  async healed(work: Broker): Promise<void> {
    const { app } = this.#stage;
    if (app?.by === "sqlite" && app.isOutbox === true) await movedOn(app.file);
    await work.rebuild();
    await work.pause({ schedule: `errand.reconcile.${restoredName}` });
  }

  async audit(work: Broker, note: (line: Line) => void): Promise<void> {
    const own = (line: OwnLine): void => note(line as unknown as Line);
    this.#note = own;
    this.#keeping.abort();
    this.#fed();
    await this.#neighbour?.audit();
    for (const n of await this.#appRows()) own({ is: "app-row", n });
    for (let after: string | undefined; ;) {
      const page = await work.list({ task: "verify-alert" }, { limit: 1_000, ...(after !== undefined && { after }) });
      for (const { input } of page.jobs) own({ is: "alert", of: (input as { readonly jobId: string }).jobId });
      after = page.next;
      if (after === undefined) return;
    }
  }

  check(lines: () => Iterable<Line>): OwnVerdict {
    const { mayForget, replicas } = this.#stage;
    return (this.verdict = checkOwn(lines, { keepsAcknowledged: !mayForget || replicas > 0 }));
  }

  async close(): Promise<void> {
    this.#fed();
    this.#keeping.abort();
    await this.#neighbour?.close().catch(() => undefined);
  }

  async #appRows(): Promise<readonly string[]> {
    const { app } = this.#stage;
    if (app === undefined) return [];
    if (app.by === "postgres") return (await onServer<{ n: string }>(app.url, appRows)).map(({ n }) => n);
    return onFile(app.file, (db) => db.prepare<[], { n: string }>(appRows).all()).map(({ n }) => n);
  }
}

/** What committed transactions handed in is in the store. */
async function movedOn(file: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < movedOnWithinMs; waitedMs += lookEveryMs) {
    const [row] = onFile(file, (db) => db.prepare<[], { n: number }>("SELECT count(*) AS n FROM errand_outbox").all());
    if (row?.n === 0) return;
    await sleep(lookEveryMs);
  }
}

function onFile<T>(file: string, use: (db: Database.Database) => T): T {
  const db = new Database(file, { readonly: true });
  try {
    return use(db);
  } finally {
    db.close();
  }
}
