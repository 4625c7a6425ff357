/** What the scripts are told of slim jobs: those that stay in the home that is asked, and letters to others. */
import type { Atom, NewJob } from "../core/engine.ts";
import type { Instant, Ms } from "../core/runtime.ts";
import { slimSeparator } from "./slim.ts";

/** What follows each other and is alike: a template, how many, how long they wait or until when, and their head start. */
type Group = [template: string, count: number, delayMs: Ms | null, dueAt: Instant | null, headStartMs: Ms];

/** What the scripts are told of slim jobs: beside the groups, in their order, of each its id, its text and its lane. */
export class Gathered {
  readonly groups: Group[] = [];
  readonly ids: string[] = [];
  readonly bodies: string[] = [];
  readonly lanes: string[] = [];
  hasLanes = false;
  /** Characters. */
  size = 0;
  #last: NewJob | undefined;

  add(work: NewJob): void {
    const body = work.id + slimSeparator + work.content + slimSeparator + (work.lane === undefined ? "" : work.lane.key + slimSeparator) + work.payload;
    this.ids.push(work.id);
    this.bodies.push(body);
    this.lanes.push(work.lane?.key ?? "");
    this.hasLanes ||= work.lane !== undefined;
    this.size += body.length;
    const group = this.groups.at(-1);
    if (group !== undefined && this.#last !== undefined && isAlike(this.#last, work)) group[1] += 1;
    else this.groups.push([templateOf(work), 1, work.delayMs ?? null, work.dueAt ?? null, work.headStartMs]);
    this.#last = work;
  }
}

/** What the home of its atom sends on: the message as another takes it. */
export interface Letter {
  readonly home: number;
  readonly ids: readonly string[];
  readonly text: string;
}

/** Of one letter, which is taken in one script. */
const letterMost = 500;
const letterSizeMost = 1_024 * 1_024;

/** Jobs that go to other homes, in letters of so many. */
class Letters {
  readonly all: { readonly home: number; readonly jobs: Gathered }[] = [];
  readonly #open: Map<number, Gathered> = new Map();

  add(home: number, work: NewJob): void {
    let jobs = this.#open.get(home);
    if (jobs === undefined || jobs.ids.length >= letterMost || jobs.size > letterSizeMost) {
      jobs = new Gathered();
      this.#open.set(home, jobs);
      this.all.push({ home, jobs });
    }
    jobs.add(work);
  }
}

/** Of several homes, what the one that is asked sends on. */
export interface Sending {
  /** Where a work goes; undefined: it stays. */
  homeOf(atom: Atom, id: string): number | undefined;
  /** Ids of a letter, before it is written. */
  sends(ids: readonly string[]): void;
}

export interface Parted {
  readonly here: Gathered;
  readonly letters: readonly Letter[];
}

/** Undefined where an id is there twice. */
export function parted(atoms: readonly Atom[], sending: Sending | undefined): Parted | undefined {
  const here = new Gathered();
  const letters = new Letters();
  const ids = new Set<string>();
  let count = 0;
  for (const atom of atoms) {
    for (const work of atom.works as readonly NewJob[]) {
      const home = sending?.homeOf(atom, work.id);
      if (home === undefined) here.add(work);
      else letters.add(home, work);
      ids.add(work.id);
      count += 1;
    }
  }
  return ids.size < count ? undefined : { here, letters: letters.all.map(({ home, jobs }) => letterOf(home, jobs)) };
}

function letterOf(home: number, { groups, bodies, lanes, ids }: Gathered): Letter {
  return { home, ids, text: JSON.stringify({ is: "slim", groups, bodies, lanes }) };
}

function isAlike(a: NewJob, b: NewJob): boolean {
  return (
    a.task === b.task &&
    a.queue === b.queue &&
    a.headStartMs === b.headStartMs &&
    a.version === b.version &&
    a.delayMs === b.delayMs &&
    a.dueAt === b.dueAt &&
    a.lane?.ifDead === b.lane?.ifDead &&
    (a.keep === b.keep || isSameKeep(a.keep, b.keep))
  );
}

function isSameKeep(a: NewJob["keep"], b: NewJob["keep"]): boolean {
  return a.completed === b.completed && a.skipped === b.skipped && a.cancelled === b.cancelled && a.dead === b.dead;
}

/** Its text is its name: always in this order. */
function templateOf({ queue, task, keep, headStartMs, version, lane }: NewJob): string {
  const { completed, skipped, cancelled, dead } = keep;
  return JSON.stringify({ queue, task, headStartMs, version, ifDead: lane?.ifDead, rememberMs: 0, keep: { completed, skipped, cancelled, dead } });
}
