/** Limits and resources over all keys (G9): what runs under each name. The numbers stand in notes, so that people change them at once for all. */
import type { TaskTerms } from "../core/engine.ts";
import { limitKey, resourceKey } from "../core/notes.ts";
import type { StoredLimit, StoredResource } from "../core/notes.ts";
import type { Instant } from "../core/runtime.ts";
import type { Lease } from "./job.ts";
import type { Notes } from "./note.ts";

const stepsPerEvery = 1_000;

/** Starts under one name, oldest first; those of one rounded instant are one entry, so that there are never more than 1,001 that count. */
interface Starts {
  everyMs: number;
  readonly entries: { readonly at: Instant; count: number }[];
}

export class Gates {
  readonly #notes: Notes;
  readonly #running = new Map<string, number>();
  readonly #starts = new Map<string, Starts>();
  readonly #used = new Map<string, number>();

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  /** Whether one more job under these terms may run now. */
  hasRoom({ gates = [], needs = {} }: TaskTerms, now: Instant): boolean {
    return gates.every((name) => this.#hasRoomFor(name, now)) && Object.entries(needs).every(([name, amount]) => this.#hasLeft(name, amount));
  }

  take({ gates, needs }: Lease, now: Instant): void {
    for (const name of gates) {
      add(this.#running, name, 1);
      const limit = this.limit(name);
      if (limit && "starts" in limit) this.#record(name, limit.everyMs, now);
    }
    for (const [name, amount] of Object.entries(needs)) add(this.#used, name, amount);
  }

  /** Its starts go on counting. */
  giveBack({ gates, needs }: Lease): void {
    for (const name of gates) add(this.#running, name, -1);
    for (const [name, amount] of Object.entries(needs)) add(this.#used, name, -amount);
  }

  limit(name: string): StoredLimit | undefined {
    const note = this.#notes.read(limitKey(name));
    return note && (JSON.parse(note.value) as StoredLimit);
  }

  resource(name: string): StoredResource | undefined {
    const note = this.#notes.read(resourceKey(name));
    return note && (JSON.parse(note.value) as StoredResource);
  }

  running(name: string): number {
    return this.#running.get(name) ?? 0;
  }

  inUse(name: string): number {
    return this.#used.get(name) ?? 0;
  }

  /** How many starts count now, and when there is room for one more if there is none. */
  starts(
    name: string,
    { starts: most, everyMs }: Extract<StoredLimit, { starts: number }>,
    now: Instant,
  ): { readonly used: number; readonly freeAt?: Instant } {
    const counting = (this.#starts.get(name)?.entries ?? []).filter(({ at }) => at + everyMs > now);
    const used = counting.reduce((sum, { count }) => sum + count, 0);
    let left = used;
    for (const { at, count } of used < most ? [] : counting) {
      left -= count;
      if (left < most) return { used, freeAt: at + everyMs };
    }
    return { used };
  }

  /** When a limit of starts that are used up has room again. */
  freeAt(name: string, now: Instant): Instant | undefined {
    const limit = this.limit(name);
    return limit && "starts" in limit ? this.starts(name, limit, now).freeAt : undefined;
  }

  /** Forgets starts that count no longer. */
  purge(now: Instant): void {
    for (const [name, starts] of this.#starts) {
      forget(starts, now);
      if (starts.entries.length === 0) this.#starts.delete(name);
    }
  }

  #hasRoomFor(name: string, now: Instant): boolean {
    const limit = this.limit(name);
    if (limit === undefined) return true;
    return "running" in limit ? this.running(name) < limit.running : this.starts(name, limit, now).used < limit.starts;
  }

  #hasLeft(name: string, amount: number): boolean {
    return this.inUse(name) + amount <= (this.resource(name)?.capacity ?? 0);
  }

  #record(name: string, everyMs: number, now: Instant): void {
    const step = Math.max(1, Math.floor(everyMs / stepsPerEvery));
    const at = Math.ceil(now / step) * step;
    const starts = this.#starts.get(name) ?? { everyMs, entries: [] };
    this.#starts.set(name, starts);
    starts.everyMs = everyMs;
    forget(starts, now);
    const last = starts.entries.at(-1);
    if (last?.at === at) last.count += 1;
    else starts.entries.push({ at, count: 1 });
  }
}

function forget({ entries, everyMs }: Starts, now: Instant): void {
  const counting = entries.findIndex(({ at }) => at + everyMs > now);
  entries.splice(0, counting === -1 ? entries.length : counting);
}

function add(to: Map<string, number>, name: string, by: number): void {
  const sum = (to.get(name) ?? 0) + by;
  if (sum === 0) to.delete(name);
  else to.set(name, sum);
}
