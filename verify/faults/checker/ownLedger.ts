/** What the lines of such a run tell beside what those of every run do. */
import type { Found } from "../../../src/verify/checker/invariant.ts";
import type { AnswerLine, JobLine, Line, OwnKind, RunLine } from "../../../src/verify/history.ts";
import { ownLines, type AlertLine, type NeighbourLine, type RowLine, type SettledLine } from "../history.ts";
import { familyOf, lossesIn, type Loss } from "./forgotten.ts";

export interface OwnInvariant {
  readonly id: string;
  /** A claim. */
  readonly name: string;
  readonly check: (ledger: OwnLedger, found: Found) => void;
}

export interface Asking {
  readonly n: string;
  readonly asked: number;
  readonly answers: AnswerLine[];
}

export interface Spell {
  readonly kind: string;
  readonly on: string;
  readonly from: number;
  readonly to: number;
}

const kindsHere: readonly string[] = ["within", "paced", "poison", "restored", "alert"] satisfies readonly OwnKind[];

export class OwnLedger {
  /** By kind and name. */
  readonly asked: Map<OwnKind, Map<string, Asking>> = new Map();
  readonly starts: Map<OwnKind, RunLine[]> = new Map();
  readonly jobs: JobLine[] = [];
  /** By id. */
  readonly settled: Map<string, SettledLine[]> = new Map();
  readonly #startsOf: Map<string, RunLine[]> = new Map();
  readonly rows: RowLine[] = [];
  /** Each time that a row was done. */
  readonly did: Map<string, number[]> = new Map();
  readonly appRows: Set<string> = new Set();
  readonly alerts: AlertLine[] = [];
  readonly neighbours: NeighbourLine[] = [];
  /** Any that were named so elsewhere. */
  readonly strangers: string[] = [];
  readonly faults: Spell[] = [];
  readonly losses: readonly Loss[];
  readonly #forgotten: ReadonlySet<string>;
  readonly #calls: Map<string, Asking> = new Map();

  constructor(lines: Iterable<Line>, forgotten: ReadonlySet<string>) {
    this.#forgotten = forgotten;
    const faults: Line[] = [];
    for (const line of ownLines(lines)) {
      this.#take(line as Line);
      if (line.is === "fault") faults.push(line as Line);
    }
    this.losses = lossesIn(faults);
  }

  mayBeForgotten(n: string): boolean {
    return this.#forgotten.has(familyOf(n));
  }

  /** All starts of a job, by its id. */
  startsOf(job: string): readonly RunLine[] {
    return this.#startsOf.get(job) ?? [];
  }

  nameOf(job: string): string {
    return this.#startsOf.get(job)?.[0]?.n ?? job;
  }

  of(kind: OwnKind): readonly JobLine[] {
    return this.jobs.filter((job) => job.kind === kind);
  }

  /** Whatever happened to a process, or to all, within that time. */
  faultsWithin(p: string, from: number, to: number): readonly Spell[] {
    return this.faults.filter((fault) => (fault.on === p || fault.on === "*") && fault.to >= from && fault.from <= to);
  }

  /** Rows whose acknowledged job was forgotten, and that were done by another one. */
  recovered(): { readonly jobs: number; readonly p50: number | undefined; readonly p99: number | undefined } {
    const stored = new Map(this.of("restored").map((job) => [job.n, job.id]));
    const tookMs = [...(this.asked.get("restored")?.values() ?? [])].flatMap(({ n, answers }) => {
      const ok = answers.find(({ is }) => is === "ok");
      const [done] = this.did.get(n) ?? [];
      const loss = ok && this.losses.find(({ from, to }) => ok.t >= from && ok.t <= to);
      const isAnother = ok !== undefined && stored.get(n) !== undefined && stored.get(n) !== ok.id;
      return loss !== undefined && isAnother && done !== undefined ? [Math.max(0, done - loss.to)] : [];
    });
    const sorted = tookMs.toSorted((a, b) => a - b);
    const at = (share: number): number | undefined => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    return { jobs: sorted.length, p50: at(0.5), p99: at(0.99) };
  }

  #take(taken: Line): void {
    const [line] = ownLines([taken]);
    if (line === undefined) return;
    switch (line.is) {
      case "call":
        if (line.op === "enqueue" && kindsHere.includes(line.kind)) this.#called(line.kind as OwnKind, `${line.p} ${line.seq}`, line.n, line.t);
        return;
      case "ok":
      case "fail":
      case "info":
        return void this.#calls.get(`${line.p} ${line.seq}`)?.answers.push(line);
      case "start":
        if (line.n.startsWith("beside-")) this.strangers.push(`${line.n} ran in ${line.p}`);
        entry(this.#startsOf, line.job, () => []).push(line);
        if (kindsHere.includes(line.kind)) entry(this.starts, line.kind as OwnKind, () => []).push(line);
        return;
      case "job":
        if (line.n.startsWith("beside-")) this.strangers.push(`${line.n} is listed`);
        return void this.jobs.push(line);
      case "settled":
        return void entry(this.settled, line.job, () => []).push(line);
      case "row":
        return void this.rows.push(line);
      case "did":
        return void entry(this.did, line.n, () => []).push(line.t);
      case "app-row":
        return void this.appRows.add(line.n);
      case "alert":
        return void this.alerts.push(line);
      case "neighbour-asked":
      case "neighbour-job":
        return void this.neighbours.push(line);
      case "fault":
        return void this.faults.push(line);
      default:
    }
  }

  #called(kind: OwnKind, key: string, n: string, t: number): void {
    const asking: Asking = { n, asked: t, answers: [] };
    this.#calls.set(key, asking);
    entry(this.asked, kind, () => new Map<string, Asking>()).set(n, asking);
  }
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
