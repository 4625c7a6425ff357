/** The checker of runs on servers of their own: what every fault run is asked, of what the store may not have forgotten, and what only these are asked. */
import { check, invariants, type Looked, type Verdict } from "../../../src/verify/checker/check.ts";
import { Found, type Invariant } from "../../../src/verify/checker/invariant.ts";
import type { JobKind, Line, RunLine } from "../../../src/verify/history.ts";
import { apart } from "./apart.ts";
import { familyOf, forgottenFamilies, nameIn } from "./forgotten.ts";
import { ownLines } from "../history.ts";
import { OwnLedger, type OwnInvariant } from "./ownLedger.ts";
import { pacedInTime } from "./paced.ts";
import { poisonPutAside, toldOfDeaths } from "./poison.ts";
import { restoredAll, notRedone } from "./restored.ts";
import { settledOnce } from "./settledOnce.ts";
import { together } from "./together.ts";

export interface Asked {
  /** What was acknowledged is kept through all that is done to the servers, whatever else of it may be forgotten. */
  readonly keepsAcknowledged: boolean;
}

export interface OwnVerdict extends Verdict {
  /** Acknowledged, and gone, as the store's guarantees allow. */
  readonly forgotten: number;
  /** How often a process got no time from the machine. */
  readonly starved: number;
  readonly recovered: { readonly jobs: number; readonly p50: number | undefined; readonly p99: number | undefined };
}

export const ownInvariants: readonly OwnInvariant[] = [together, settledOnce, poisonPutAside, toldOfDeaths, pacedInTime, restoredAll, notRedone, apart];

/** They hold whatever is forgotten. */
const always: readonly string[] = ["I20", "I21"];
const everyRuns: readonly JobKind[] = ["plain", "doomed", "ordered", "unique", "limited", "long", "premise", "member", "callback", "hop", "slot"];
const asPlain: readonly JobKind[] = ["bulk", "within", "paced"];

export function checkOwn(lines: () => Iterable<Line>, { keepsAcknowledged }: Asked): OwnVerdict {
  const families = forgottenFamilies(lines);
  const unheard = unheardEnds(lines);
  const heard = function* (): Generator<Line> {
    for (const line of lines()) if (line.is !== "end" || !unheard.has(`${line.p} ${line.job} ${line.fence}`)) yield line;
  };
  const whole = check(lines(), of(always));
  // One that kills its child runs in another one by the same claim, where the system may have killed it.
  const fenced = check(only(lines, new Set<string>([...everyRuns, ...asPlain, "restored", "alert"]), new Set()), of(["I4"]));
  const known = check(only(heard, new Set<string>([...everyRuns, ...asPlain, "poison"]), new Set()), of(["I1", "I2"]));
  const kept = check(only(heard, new Set<string>([...everyRuns, ...asPlain]), families));
  const ledger = new OwnLedger(lines(), families);
  const starved = ledger.faults.filter((fault) => "by" in fault && fault.by === "machine").length;
  const looked = [
    ...kept.invariants.map(
      (one) =>
        instead(one, whole) ?? instead(one, fenced) ?? (one.id === "I2" || (one.id === "I1" && keepsAcknowledged) ? instead(one, known) : undefined) ?? one,
    ),
    ...ownInvariants.map((invariant) => lookedAt(invariant, ledger)),
  ];
  return {
    ...whole,
    held: looked.every(({ broken }) => broken === 0),
    invariants: looked.toSorted((a, b) => number(a) - number(b)),
    lost: keepsAcknowledged ? known.lost : kept.lost,
    putAside: kept.putAside,
    duplicates: { ...known.duplicates, unexplained: kept.duplicates.unexplained },
    forgotten: known.lost,
    starved,
    faults: { ...whole.faults, hang: (whole.faults.hang ?? 0) - starved },
    recovered: ledger.recovered(),
  };
}

function of(ids: readonly string[]): readonly Invariant[] {
  return invariants.filter(({ id }) => ids.includes(id));
}

function instead({ id }: Looked, { invariants: others }: Verdict): Looked | undefined {
  return others.find((one) => one.id === id);
}

const number = ({ id }: { readonly id: string }): number => Number(id.slice(1));

function lookedAt({ id, name, check: look }: OwnInvariant, ledger: OwnLedger): Looked {
  const found = new Found();
  look(ledger, found);
  return { id, name, checked: found.checked, broken: found.broken, examples: found.examples };
}

/**
 * Ends that nobody acknowledged, of jobs that started again: for the store they never were. Whatever happened to their process until it started again explains
 * that, however long the store took.
 */
function unheardEnds(lines: () => Iterable<Line>): ReadonlySet<string> {
  const settled = new Set<string>();
  const starts = new Map<string, RunLine[]>();
  for (const line of ownLines(lines())) {
    if (line.is === "settled") settled.add(`${line.p} ${line.job} ${line.fence}`);
    if (line.is === "start") starts.set(line.job, [...(starts.get(line.job) ?? []), line]);
  }
  const unheard = new Set<string>();
  for (const line of lines()) {
    // A start by an older claim, of a process that was held up, says nothing.
    // Of a key several run in a row, and are told of together: the next starts here when the one before has ended here.
    if (line.is !== "end" || line.kind === "ordered" || !(starts.get(line.job) ?? []).some(({ t, fence }) => t > line.t && fence > line.fence)) continue;
    const run = `${line.p} ${line.job} ${line.fence}`;
    if (!settled.has(run)) unheard.add(run);
  }
  return unheard;
}

/** Lines about jobs of some kinds, without some families; jobs that are left out are not counted either. */
function* only(lines: () => Iterable<Line>, kinds: ReadonlySet<string>, without: ReadonlySet<string>): Generator<Line> {
  const left = new Map<string, number>();
  const isLeftOut = (kind: string, n: string): boolean => !kinds.has(kind) || without.has(familyOf(n));
  for (const line of lines()) if (line.is === "job" && isLeftOut(line.kind, line.n)) left.set(line.state, (left.get(line.state) ?? 0) + 1);
  const named = new Map<string, string>();
  const silent = new Set<string>();
  for (const line of lines()) {
    const n = nameIn(line, named);
    if (line.is === "count") yield { ...line, jobs: line.jobs - (left.get(line.state) ?? 0) };
    else if (line.is === "call") {
      if (n !== undefined && isLeftOut("kind" in line ? line.kind : "plain", n)) silent.add(`${line.p} ${line.seq}`);
      else yield line;
    } else if (line.is === "ok" || line.is === "fail" || line.is === "info") {
      if (!silent.has(`${line.p} ${line.seq}`)) yield line;
    } else if (n === undefined || !("kind" in line) || !isLeftOut(line.kind, n)) yield line;
  }
}
