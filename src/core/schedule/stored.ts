/** Schedules as the store has them. */
import { at } from "../at.ts";
import { pageMax } from "../defaults.ts";
import type { Atom, Engine, Note } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import { pausedSchedule, pausedSchedulePrefix, scheduleKey, schedulePrefix } from "../notes.ts";
import { reasonOfPause } from "../pauseNote.ts";
import type { Instant, Runtime } from "../runtime.ts";
import type { StoredSchedule } from "./rule.ts";

export interface Store {
  readonly engine: Engine;
  readonly runtime: Runtime;
}
/** A schedule, and the version of its note that it was read from. */
export interface ReadSchedule {
  readonly stored: StoredSchedule;
  readonly version: number;
}
export interface StoredSchedules {
  readonly schedules: readonly ReadSchedule[];
  readonly isPaused: (name: string) => boolean;
  /** Why it is paused; undefined: it is not. */
  readonly pauseOf: (name: string) => string | undefined;
  /** The store's, at the end of the reading. */
  readonly now: Instant;
}

const pagesMax = 20;
const triesMax = 10;

/** At most 20,000. */
export async function readSchedules(store: Store): Promise<StoredSchedules> {
  const paused = new Map((await notesWith(store, pausedSchedulePrefix)).notes.map(({ key, value }) => [key, reasonOfPause(value)]));
  const { notes, now } = await notesWith(store, schedulePrefix);
  return { schedules: notes.map(read), isPaused: (name) => paused.has(pausedSchedule(name)), pauseOf: (name) => paused.get(pausedSchedule(name)), now };
}

export async function readSchedule({ engine, runtime }: Store, name: string): Promise<ReadSchedule | undefined> {
  const note = await engine.readNote(scheduleKey(name), at(runtime));
  return note && read(note);
}

/** The store's clock. */
export async function storeNow({ engine, runtime }: Store): Promise<Instant> {
  return (await engine.find({ of: "notes", prefix: schedulePrefix, limit: 1 }, at(runtime))).now;
}

/** Notes with a prefix, by key: at most 20,000. */
export async function notesWith({ engine, runtime }: Store, prefix: string): Promise<{ readonly notes: readonly Note[]; readonly now: Instant }> {
  const notes: Note[] = [];
  let after: string | undefined;
  for (let page = 1; ; page++) {
    const found = await engine.find({ of: "notes", prefix, limit: pageMax, ...(after !== undefined && { after }) }, at(runtime));
    notes.push(...found.rows);
    after = found.next;
    if (after === undefined || page === pagesMax) return { notes, now: found.now };
  }
}

/**
 * Reads a schedule, stores what `change` makes of it, and does both again where somebody else was faster. Undefined from `change`: nothing is to be written.
 * Answers what stands then. Throws `note-conflict` after ten tries.
 */
export async function changeSchedule(
  store: Store,
  name: string,
  change: (read: ReadSchedule | undefined, now: Instant) => { readonly stored: StoredSchedule; readonly atom?: Partial<Atom> } | undefined,
): Promise<StoredSchedule | undefined> {
  for (let tries = 1; ; tries++) {
    const now = await storeNow(store);
    const found = await readSchedule(store, name);
    const wanted = change(found, now);
    if (wanted === undefined) return found?.stored;
    const { works = [], notes = [] } = wanted.atom ?? {};
    const write = noteOf(wanted.stored, found?.version ?? 0);
    const [answer] = await store.engine.enqueue([{ works, notes: [write, ...notes] }], at(store.runtime));
    if (!(answer instanceof ErrandError)) return wanted.stored;
    if (answer.code !== "note-conflict" || tries === triesMax) throw answer;
  }
}

export function noteOf(stored: StoredSchedule, ifVersion: number): { readonly key: string; readonly value: string; readonly ifVersion: number } {
  return { key: scheduleKey(stored.name), value: JSON.stringify(stored), ifVersion };
}

function read({ value, version }: Note): ReadSchedule {
  return { stored: JSON.parse(value) as StoredSchedule, version };
}
