/** Which fault made a job start again, and when a process was no longer to be believed. */
import type { Fault, FaultKind } from "../faults/fault.ts";
import type { Ledger, Run } from "./ledger.ts";

/** After its end a run is settled: what comes between within that time may have swallowed the settling. On a busy machine it takes seconds. */
const settledWithinMs = 5_000;
/** A process that was held up writes the start of what it had claimed before. */
const writtenWithinMs = 2_000;
/** Later it hears that it has lost its lease, and aborts what it runs. */
const heardWithinMs = 10_000;
/** Those that let a worker's lease end. */
const endingLeases: readonly FaultKind[] = ["kill", "stop", "freeze", "half-open", "cut", "busy", "crash", "hang", "promote", "move", "wipe", "terminate"];

export interface Again {
  readonly before: Run;
  readonly run: Run;
  /** Undefined: nobody knows why it started again. */
  readonly cause: Fault | undefined;
}

/** Of several the first of these; a slow connection alone is none, since it is far from being slower than a lease. */
const causing: readonly FaultKind[] = [
  ...(["kill", "stop", "term", "freeze", "half-open", "cut", "busy"] as const),
  ...(["crash", "promote", "wipe", "move", "hang", "terminate"] as const),
];

export class Causes {
  readonly #byProcess: Map<string, Fault[]>;
  readonly #ofAll: readonly Fault[];
  /** By their beginnings. */
  readonly #stops: readonly Fault[];

  constructor({ faults }: Ledger) {
    this.#byProcess = Map.groupBy(faults, ({ on }) => on);
    this.#ofAll = faults.filter(({ on }) => on === "*");
    this.#stops = faults.filter(({ kind }) => kind === "stop").toSorted((a, b) => a.from - b.from);
  }

  of(process: string): readonly Fault[] {
    return [...(this.#byProcess.get(process) ?? []), ...this.#ofAll];
  }

  /** All starts of a job but the first, and those that follow a planned failure. */
  startsAgain(runs: readonly Run[]): readonly Again[] {
    return runs.flatMap((run, at) => {
      const before = runs[at - 1];
      if (before === undefined || isRetry(before, run)) return [];
      return [{ before, run, cause: this.#causeOf(before, run) }];
    });
  }

  /** The time from which on a run is not believed to hold anything: its end, or the first fault of its process. Undefined: none of it is. */
  heldUntil({ p, from, to = Number.POSITIVE_INFINITY }: Pick<Run, "p" | "from" | "to">): number | undefined {
    const faults = this.of(p).filter((fault) => fault.to >= from - writtenWithinMs && fault.from <= to);
    if (faults.some((fault) => fault.from <= from)) return undefined;
    return Math.min(to, ...faults.map((fault) => fault.from));
  }

  /** How often a worker may have lost its lease. */
  get lostLeases(): number {
    return [...this.#byProcess.values()].flat().filter(({ kind, on }) => endingLeases.includes(kind) && !on.startsWith("p")).length;
  }

  /** A process that is stopped may hold what others write behind, such as a file's write lock. */
  #settledBy(ended: number): number {
    let by = ended + settledWithinMs;
    for (const { from, to } of this.#stops) if (from <= by && to >= ended) by = Math.max(by, to + settledWithinMs);
    return by;
  }

  #causeOf(before: Run, run: Run): Fault | undefined {
    const until = Math.min(run.from, this.#settledBy(before.to ?? Number.POSITIVE_INFINITY));
    const afterMs = before.end === "aborted" ? heardWithinMs : writtenWithinMs;
    const ofBefore = first(this.of(before.p).filter((fault) => fault.from <= until && fault.to + afterMs >= before.from));
    if (ofBefore !== undefined || run.fence > before.fence) return ofBefore;
    return first(this.of(run.p).filter((fault) => fault.from <= run.from && fault.to + writtenWithinMs >= run.from));
  }
}

function isRetry(before: Run, run: Run): boolean {
  return before.end === "failed" && before.to !== undefined && before.to <= run.from && run.attempt === before.attempt + 1;
}

function first(faults: readonly Fault[]): Fault | undefined {
  for (const kind of causing) {
    const found = faults.find((fault) => fault.kind === kind);
    if (found !== undefined) return found;
  }
  return undefined;
}
