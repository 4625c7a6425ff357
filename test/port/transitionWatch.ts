/** Sees every change of a job's state by comparing the store before and after each verb, and holds it to the table in states.ts. */
import assert from "node:assert/strict";
import type { JobRow } from "../../src/core/engine.ts";
import { isEnded, jobStates, transitions } from "../../src/core/states.ts";
import type { JobState, Verb } from "../../src/core/states.ts";

type From = JobState | "new";

export class TransitionWatch {
  /** Rows of the table seen as one step, each with its verb: "ready running claim". */
  readonly seen: Set<string> = new Set();
  readonly #isOfHomes: boolean;

  /** Of several homes: one that comes to its unique key when it is let go, and loses it, is the winner from then on. */
  constructor(isOfHomes = false) {
    this.#isOfHomes = isOfHomes;
  }

  compare(before: ReadonlyMap<string, JobRow>, after: ReadonlyMap<string, JobRow>, verbs: readonly Verb[]): void {
    for (const [id, row] of after) this.#step(before.get(id), row, verbs);
    for (const [id, row] of before) {
      const isLoser = this.#isOfHomes && row.unique !== undefined && row.state === "blocked";
      if (!after.has(id)) assert.ok(isEnded(row.state) || isLeftOver(row, verbs) || isLoser, `job ${id} vanished while it was ${row.state}`);
    }
  }

  #step(before: JobRow | undefined, after: JobRow, verbs: readonly Verb[]): void {
    const from: From = before?.state ?? "new";
    if (before?.state === after.state && !isRewritten(before, after)) return;
    const row = rowsBy(verbs).find((candidate) => candidate.from === from && candidate.to === after.state);
    if (row) for (const verb of verbs) if (row.by.includes(verb)) this.seen.add(`${from} ${after.state} ${verb}`);
    if (from !== after.state)
      assert.ok(canReach(from, after.state, verbs), `job ${after.id}: ${from} → ${after.state} by ${verbs.join(" or ")} is not in the table`);
  }
}

/** Follow-up work, fan-out and replay make new jobs in other verbs than enqueue too. */
function rowsBy(verbs: readonly Verb[]): typeof transitions {
  return transitions.filter(({ from, by }) => from === "new" || by.some((verb) => verbs.includes(verb)));
}

/** One verb may take several steps at once: due, then claimed. */
function canReach(from: From, to: JobState, verbs: readonly Verb[]): boolean {
  const rows = rowsBy(verbs);
  const reached = new Set<From>([from]);
  for (let step = 0; step < jobStates.length; step += 1) {
    for (const row of rows) if (reached.has(row.from)) reached.add(row.to);
  }
  return reached.has(to);
}

/** A member of a join whose storing was given up is removed with it. */
function isLeftOver(row: JobRow, verbs: readonly Verb[]): boolean {
  return verbs.includes("tidy") && row.state === "blocked" && row.waits?.reason === "join";
}

function isRewritten(before: JobRow, after: JobRow): boolean {
  if (before.waits?.reason !== after.waits?.reason) return true;
  return before.payload !== after.payload || before.dueAt !== after.dueAt || before.urgency !== after.urgency || before.checkpoint !== after.checkpoint;
}
