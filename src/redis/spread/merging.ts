/** Rows of several homes in one order, page by page: each home's rows are in order, and of those that come next the first one goes first. */
import type { Instant } from "../../core/runtime.ts";
import { listed } from "../find.ts";
import type { Told } from "../find.ts";

/** How often one home is read for one page. The page may be short then, with a `next`. */
const readsMax = 20;

/** What one reading brought: rows with their places, and where the next one begins if there may be more. */
export interface Reading<T> {
  readonly rows: readonly T[];
  readonly places: readonly string[];
  readonly goOn: string | undefined;
  readonly now: Instant;
}

/** `limit`: how many rows were asked for. */
export function readingOf<T>(told: Told, limit: number): Reading<T> {
  const rows = listed(told.rows) as readonly T[];
  const places = listed(told.places ?? []);
  return { rows, places, goOn: told.goOn ?? (rows.length >= limit ? places.at(-1) : undefined), now: told.now };
}

/** Behind a place, at most so many. */
export type Read<T> = (after: string | undefined, limit: number) => Promise<Reading<T>>;

class Source<T> {
  readonly #read: Read<T>;
  #rows: readonly T[] = [];
  #places: readonly string[] = [];
  #at = 0;
  /** What was taken last, and where the next reading begins. */
  #taken: string | undefined;
  #behind: string | undefined;
  #isAtEnd = false;
  #reads = 0;
  now: Instant = 0;

  constructor(read: Read<T>, cursor: string | undefined) {
    this.#read = read;
    this.#taken = cursor;
    this.#behind = cursor;
  }

  get head(): T | undefined {
    return this.#rows[this.#at];
  }

  take(): void {
    this.#taken = this.#places[this.#at];
    this.#at += 1;
  }

  /** It may have more, and none is at hand. */
  get isDry(): boolean {
    return this.head === undefined && !this.#isAtEnd;
  }

  /** Until a row is at hand, there is no more, or it was read too often. */
  async fill(limit: number): Promise<void> {
    while (this.isDry && this.#reads < readsMax) {
      const { rows, places, goOn, now } = await this.#read(this.#behind, limit);
      this.#rows = rows;
      this.#places = places;
      this.#at = 0;
      this.#behind = goOn ?? places.at(-1) ?? this.#behind;
      this.#isAtEnd = goOn === undefined;
      this.#reads += 1;
      this.now = now;
    }
  }

  get cursor(): string | undefined {
    return this.head === undefined ? this.#behind : this.#taken;
  }
}

export interface Merged<T> {
  readonly rows: readonly T[];
  readonly now: Instant;
  readonly next?: string;
}

export interface Merging<T> {
  /** One for each home. */
  readonly reads: readonly Read<T>[];
  readonly limit: number;
  /** The `next` of the page before. */
  readonly after: string | undefined;
  compare(this: void, one: T, other: T): number;
  /** Of rows that are the same in this order, makes one; without it each stands for itself. */
  unite?(this: void, one: T, other: T): T;
}

export async function merged<T>({ reads, limit, after, compare, unite }: Merging<T>): Promise<Merged<T>> {
  const cursors = cursorsOf(after, reads.length);
  const sources = reads.map((read, home) => new Source(read, cursors[home]));
  const atOnce = Math.ceil(limit / reads.length) + 1;
  const rows: T[] = [];
  for (;;) {
    await Promise.all(sources.map((source) => source.fill(Math.min(atOnce, limit + 1 - rows.length))));
    const first = firstOf(sources, compare);
    let row = first?.head;
    if (first === undefined || row === undefined || rows.length === limit || sources.some((source) => source.isDry)) break;
    first.take();
    for (const source of unite === undefined ? [] : sources) {
      if (source.head === undefined || compare(source.head, row) !== 0) continue;
      row = unite?.(row, source.head) ?? row;
      source.take();
    }
    rows.push(row);
  }
  const hasMore = sources.some((source) => source.head !== undefined || source.isDry);
  const now = Math.max(...sources.map((source) => source.now));
  return { rows, now, ...(hasMore && { next: JSON.stringify(sources.map((source) => source.cursor ?? null)) }) };
}

/** Of those that are equal, that of the first home. */
function firstOf<T>(sources: readonly Source<T>[], compare: (one: T, other: T) => number): Source<T> | undefined {
  let first: Source<T> | undefined;
  for (const source of sources) {
    if (source.head !== undefined && (first?.head === undefined || compare(source.head, first.head) < 0)) first = source;
  }
  return first;
}

/** What is no such text begins from the start, as a place that is none does in one home. */
function cursorsOf(after: string | undefined, homes: number): readonly (string | undefined)[] {
  let read: unknown;
  try {
    read = after === undefined ? [] : JSON.parse(after);
  } catch {
    read = [];
  }
  const list = Array.isArray(read) ? (read as readonly unknown[]) : [];
  return Array.from({ length: homes }, (_, home) => (typeof list[home] === "string" ? list[home] : undefined));
}

/** Texts as the scripts sort them. */
export function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
