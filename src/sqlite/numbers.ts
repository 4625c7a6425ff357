/** The store's own numbers and its counters: all in one small table, so that a commit dirties one page for them. */
import { jobStates } from "../core/states.ts";
import type { JobState } from "../core/states.ts";
import type { Statements } from "./statements.ts";

export const numbers = { clock: 0, fence: 1, notesVersion: 2, notesStamp: 3, seqs: 4 } as const;

export interface Numbers {
  /** The latest time that was written: the store's time never falls behind it. */
  clock: number;
  fence: number;
  notesVersion: number;
  /** Random, fresh with each note written, so that what was read under one stamp is never taken for another's, also after a rollback. */
  notesStamp: number;
  /** No seq up to it is given again: jobs that are gone may still be named by those that came after them. */
  seqs: number;
}

/** By (line, what). */
const readNumbers = "SELECT what, value FROM errand_numbers WHERE line = 0 ORDER BY what";
const writeNumber = "UPDATE errand_numbers SET value = ? WHERE line = 0 AND what = ?";
const addToCounter = "INSERT INTO errand_numbers (line, what, value) VALUES (?, ?, ?) ON CONFLICT (line, what) DO UPDATE SET value = value + excluded.value";

export function readNumbersOf(sql: Statements): Numbers {
  const [clock, fence, notesVersion, notesStamp, seqs] = sql.tuples<[number, number]>(readNumbers).map(([, value]) => value);
  return { clock: clock ?? 0, fence: fence ?? 0, notesVersion: notesVersion ?? 0, notesStamp: notesStamp ?? 0, seqs: seqs ?? 0 };
}

export function writeChangedNumbers(sql: Statements, before: Numbers, after: Numbers): void {
  for (const name of Object.keys(numbers) as (keyof Numbers)[]) {
    if (after[name] !== before[name]) sql.run(writeNumber, after[name], numbers[name]);
  }
}

/** How many jobs came to, or left, a state of a line. */
export class CounterChanges {
  readonly #byPlace = new Map<number, number>();

  add(line: number, state: JobState, jobs: number): void {
    const place = line * statesMax + codeOf(state);
    this.#byPlace.set(place, (this.#byPlace.get(place) ?? 0) + jobs);
  }

  /** How many more a line has in that state than was written. */
  changeOf(line: number, state: JobState): number {
    return this.#byPlace.get(line * statesMax + codeOf(state)) ?? 0;
  }

  /** Lines that have more in that state than was written. */
  linesGaining(state: JobState): number[] {
    return [...this.#byPlace].filter(([place, jobs]) => jobs > 0 && place % statesMax === codeOf(state)).map(([place]) => Math.floor(place / statesMax));
  }

  write(sql: Statements): void {
    for (const [place, jobs] of this.#byPlace) {
      if (jobs !== 0) sql.run(addToCounter, Math.floor(place / statesMax), place % statesMax, jobs);
    }
    this.#byPlace.clear();
  }
}

const statesMax = 16;

/** States as they are stored: never renumbered. */
export function codeOf(state: JobState): number {
  return codes[state];
}

export function stateOfCode(code: number): JobState {
  const state = jobStates.find((name) => codes[name] === code);
  if (state === undefined) throw new Error(`no state has code ${code}`);
  return state;
}

const codes: Readonly<Record<JobState, number>> = {
  scheduled: 1,
  blocked: 2,
  ready: 3,
  running: 4,
  parked: 5,
  completed: 6,
  skipped: 7,
  cancelled: 8,
  dead: 9,
};
