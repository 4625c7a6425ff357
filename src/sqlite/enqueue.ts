/** Stores atoms: each is all or nothing, and stands apart from the others. */
import type { Atom, Enqueued, NewJob, NewWork } from "../core/engine.ts";
import type { ErrandError } from "../core/errors.ts";
import { sizeRefusal } from "../core/refusals.ts";
import { acceptJob } from "./accept.ts";
import type { Losers } from "./accept.ts";
import { acceptJoin } from "./acceptJoin.ts";
import { aftermath } from "./aftermath.ts";
import { leaseBorn } from "./bornLease.ts";
import { acceptEvent } from "./fanOut.ts";
import { give } from "./membership.ts";
import { writeNote } from "./note.ts";
import { isPlain, storePlain } from "./plain.ts";
import { refusalOf } from "./refusal.ts";
import { repeatsIn } from "./repeats.ts";
import { statesOf } from "./statesOf.ts";
import type { Transaction } from "./transaction.ts";

export function enqueue(tx: Transaction, atoms: readonly Atom[]): (Enqueued[] | ErrandError)[] {
  const stored = storeAllPlain(tx, atoms);
  if (stored) return stored;
  const leased = new Map<string, number>();
  return atoms.map((atom) => refusalOf(tx, atom) ?? storeAtom(tx, atom, leased));
}

/** Stores what {@link refusalOf} let pass. `from` outside: not by a run, whose members do not count for the size of a join. */
export function acceptWorks(tx: Transaction, works: readonly NewWork[], from: "outside" | "run"): Enqueued[] {
  const losers: Losers = new Map();
  const repeats = repeatsIn(tx, works);
  return works.map((work) => {
    if (work.kind === "event") return acceptEvent(tx, work);
    if (repeats.has(work)) return { id: work.id, isDuplicate: true };
    if (work.join !== undefined) give(tx, work.join, from);
    return work.kind === "job" ? acceptJob(tx, work, losers) : acceptJoin(tx, work, losers);
  });
}

/** The common case at once: plain jobs with new ids and nothing else. Undefined, and nothing stored, if it is another. */
function storeAllPlain(tx: Transaction, atoms: readonly Atom[]): Enqueued[][] | undefined {
  const jobs: NewJob[] = [];
  for (const atom of atoms) {
    if (sizeRefusal(atom) || (atom.notes?.length ?? 0) > 0) return undefined;
    for (const work of atom.works) {
      if (!isPlain(work)) return undefined;
      jobs.push(work);
    }
  }
  const states = storePlain(tx, jobs);
  if (states === undefined) return undefined;
  let at = 0;
  return atoms.map(({ works }) => works.map(({ id }) => ({ id, isDuplicate: false, state: states[at++] ?? "ready" })));
}

/** Notes first: a subscription hears the events of its own atom. What became of its jobs is told when all of it is stored. */
function storeAtom(tx: Transaction, atom: Atom, leased: Map<string, number>): Enqueued[] {
  for (const note of atom.notes ?? []) writeNote(tx, note);
  const accepted = acceptWorks(tx, atom.works, "outside");
  const isSettled = accepted.length < 2 && !tx.hasAftermath;
  const settled = isSettled ? accepted : withStates(tx, accepted);
  return leaseBorn(tx, atom.works, settled, leased);
}

function withStates(tx: Transaction, accepted: readonly Enqueued[]): Enqueued[] {
  aftermath(tx);
  const states = statesOf(
    tx,
    accepted.filter(({ state }) => state !== undefined).map(({ id }) => id),
  );
  return accepted.map((answer) => {
    const state = answer.state && states.get(answer.id);
    return state === undefined ? answer : { ...answer, state };
  });
}
