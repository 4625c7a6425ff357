/** Planted bugs of completions in an app's transaction, on the engine that has such, and the laws that must go red for them. */
import type { At, Enqueued, Engine, Outcome, Settled } from "../../src/core/engine.ts";
import type { Bug } from "./bugs.ts";
import { onSqlite } from "./engines.ts";
import * as plant from "./planted.ts";
import type { Distortion } from "./planted.ts";

/** What is settled in a transaction of the app; all else is as it is. */
const inTransaction =
  (settle: (inner: Engine, outcomes: readonly Outcome[], at: At<unknown>) => ReturnType<Engine["settle"]>): Distortion =>
  (inner) => ({ settle: (outcomes, at) => (at.tx === undefined ? inner.settle(outcomes, at) : settle(inner, outcomes, at)) });

const said = (answers: ReturnType<Engine["settle"]>, is: Settled["is"]): Settled[] => (answers as Settled[]).map((answer) => ({ ...answer, is }));

export const commitBugs: readonly Bug[] = [
  {
    name: "a completion in a transaction is not written",
    on: onSqlite,
    distortion: inTransaction((_, outcomes) => outcomes.map(({ id }) => ({ id, is: "settled" }))),
    caughtBy: [
      "rows and completion are committed together, and the run's own end changes nothing",
      "over many deaths around the commit the effect is there once for each job",
    ],
  },
  {
    name: "a completion in a transaction has no fence",
    on: onSqlite,
    distortion: inTransaction((inner, outcomes, at) => said(inner.settle(outcomes, at), "settled")),
    caughtBy: [
      "a run whose lease was taken over cannot commit: its rows roll back, and those of the other stand",
      "a job that was cancelled while it ran cannot commit, and ends cancelled",
    ],
  },
  {
    name: "follow-up work is forgotten in a transaction",
    on: onSqlite,
    distortion: inTransaction((inner, outcomes, at) =>
      inner.settle(
        outcomes.map((outcome) => plant.without(outcome, "follow")),
        at,
      ),
    ),
    caughtBy: [
      "what a run handed over is stored with the commit",
      "a job whose transaction was rolled back, and its error left the run, is tried again; neither rows nor follow-ups of it are there",
      "a transaction that is begun again after a rollback commits once",
    ],
  },
  {
    name: "what is said to be retried is completed",
    on: onSqlite,
    distortion: plant.outcomes((outcome) => (outcome.is === "retry" ? { ...plant.without(outcome, "error", "delayMs"), is: "completed" } : outcome)),
    caughtBy: [
      "a job whose transaction was rolled back, and the run returned all the same, is tried again; neither rows nor follow-ups of it are there",
      "a run that returns without the commit it began is told so in its history, and dies of it in the end",
      "a premise that breaks during the run is found at the commit, and rolls it back: with refresh it is tried again, on what is there then",
      "a premise that breaks during the run is found at the commit, and rolls it back: with a conflict it is tried again, and the conflict decides",
    ],
  },
  {
    name: "a skip is a failure, on SQLite",
    on: onSqlite,
    distortion: plant.outcomes((outcome) => (outcome.is === "skipped" ? { ...outcome, is: "dead" } : outcome)),
    caughtBy: ["a premise that breaks during the run is found at the commit, and rolls it back: with skip it ends skipped, with the reason"],
  },
  {
    name: "a transaction of the app takes in nothing",
    on: onSqlite,
    distortion: (inner) => ({
      enqueue: (atoms, at) =>
        at.tx === undefined ? inner.enqueue(atoms, at) : atoms.map(({ works }) => works.map(({ id }): Enqueued => ({ id, isDuplicate: false }))),
    }),
    caughtBy: ["a batch enqueued in a transaction of the app is there when that has committed, and not before"],
  },
];
