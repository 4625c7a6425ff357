/** What each home had to hand out when it was last heard of: known for a second, or until it is heard that work became ready there. */
import { headMs } from "../../core/defaults.ts";
import type { At, Claim } from "../../core/engine.ts";
import type { Instant, Ms, Runtime } from "../../core/runtime.ts";
import { headScript } from "../head.ts";
import type { ToldHead } from "../head.ts";
import type { Home } from "./home.ts";
import type { Reach } from "./reach.ts";

/** Queues and tasks that are asked for together: mostly one set for each worker. */
const setsMax = 100;

interface Head extends ToldHead {
  /** By the monotonic clock: when it was asked for. */
  readonly askedAt: number;
  readonly change: number;
  /** Who asked it for more than it gave: it has nothing for him now. Others may be given what he was not. */
  readonly drainedBy: string | undefined;
}

type Asked = Pick<Claim, "process" | "queues" | "tasks" | "terms" | "alone">;

interface HeadsOfAll {
  readonly homes: readonly Home[];
  readonly runtime: Runtime;
  readonly reach: Reach;
}

export class Heads {
  readonly #parts: HeadsOfAll;
  readonly #sets: Map<string, (Head | undefined)[]> = new Map();
  /** How often work became ready, as far as it was heard. */
  readonly #changes: number[];

  constructor(parts: HeadsOfAll) {
    this.#parts = parts;
    this.#changes = parts.homes.map(() => 0);
  }

  /** Work may have become ready there. */
  changed(home: number): void {
    this.#changes[home] = (this.#changes[home] ?? 0) + 1;
  }

  of(asked: Asked): HeadsOf {
    const name = `${asked.queues.map(({ queue }) => queue).join("\n")}\n\n${asked.tasks.join("\n")}`;
    const known = this.#sets.get(name) ?? [];
    if (!this.#sets.has(name)) {
      if (this.#sets.size >= setsMax) this.#sets.clear();
      this.#sets.set(name, known);
    }
    return new HeadsOf({ ...this.#parts, changes: this.#changes, known, asked });
  }
}

interface HeadsParts extends HeadsOfAll {
  readonly changes: readonly number[];
  readonly known: (Head | undefined)[];
  readonly asked: Asked;
}

/** For one claim. */
export class HeadsOf {
  readonly #parts: HeadsParts;
  /** What decides, beside queues and tasks, what may be handed out. */
  readonly #asker: string;

  constructor(parts: HeadsParts) {
    const { process, terms, alone } = parts.asked;
    this.#parts = parts;
    this.#asker = JSON.stringify([process, terms, alone]);
  }

  /** Homes that may have something, the most urgent first. Asks those of which too little is known, unless there is but one to ask. */
  async order(at: At): Promise<readonly number[]> {
    const { homes } = this.#parts;
    const stale = homes.filter(({ number }) => !this.#isFresh(number));
    const known = homes.filter(({ number }) => this.#isFresh(number) && this.#urgency(number, at) < Infinity);
    if (stale.length === 1 && known.length === 0) return stale.map(({ number }) => number);
    await Promise.all(stale.map((home) => this.#ask(home, at)));
    return homes
      .map(({ number }) => ({ number, urgency: this.#urgency(number, at) }))
      .filter(({ urgency }) => urgency < Infinity)
      .toSorted((a, b) => a.urgency - b.urgency)
      .map(({ number }) => number);
  }

  /** How often work had become ready there, before it is asked. */
  change(home: number): number {
    return this.#parts.changes[home] ?? 0;
  }

  told(home: number, head: ToldHead | undefined, asked: { readonly at: number; readonly change: number; readonly isDrained: boolean }): void {
    if (head === undefined) return;
    this.#parts.known[home] = { ...head, askedAt: asked.at, change: asked.change, drainedBy: asked.isDrained ? this.#asker : undefined };
  }

  /** Nobody has asked in vain there: who stores work next may tell of it late. */
  isDeaf(home: number): boolean {
    return this.#parts.known[home]?.isIdle !== true;
  }

  hasSuspects(home: number): boolean {
    return this.#parts.known[home]?.alone !== undefined;
  }

  dueInMs(home: number, at: At): Ms | undefined {
    const head = this.#parts.known[home];
    return head?.dueAt === undefined ? undefined : head.dueAt - this.#now(head, at);
  }

  async #ask(home: Home, at: At): Promise<void> {
    const { asked, runtime, reach } = this.#parts;
    const [before, change] = [runtime.monotonic(), this.change(home.number)];
    const { queues, tasks, terms, alone } = asked;
    try {
      const [text] = await reach.on(home.number, ({ verbs }) => verbs.call(headScript, "run", { queues, tasks, terms, alone, process: "" }, at));
      this.told(home.number, JSON.parse(text as string) as ToldHead, { at: before, change, isDrained: false });
    } catch (error) {
      // The others go on. It is asked again when this is old.
      runtime.log.debug({ err: error, home: home.key }, "a partition does not tell what it has ready");
      this.told(home.number, { now: 0, isIdle: true }, { at: runtime.monotonic(), change, isDrained: true });
    }
  }

  #isFresh(home: number): boolean {
    const head = this.#parts.known[home];
    return head !== undefined && head.change === this.change(home) && this.#parts.runtime.monotonic() - head.askedAt < headMs;
  }

  /** Infinity: there is nothing. What is due by now comes behind what is ready: it may be less urgent than it is old. */
  #urgency(home: number, at: At): number {
    const head = this.#parts.known[home];
    if (head === undefined) return Infinity;
    const ready = this.#parts.asked.alone === "only" ? head.alone : head.urgency;
    const isDue = head.dueAt !== undefined && head.dueAt <= this.#now(head, at);
    const due = isDue ? Number.MAX_SAFE_INTEGER : Infinity;
    return head.drainedBy === this.#asker ? due : (ready ?? due);
  }

  /** The store's time, about. */
  #now({ now, askedAt }: Head, at: At): Instant {
    return at.now ?? now + (this.#parts.runtime.monotonic() - askedAt);
  }
}
