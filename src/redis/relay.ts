/**
 * Moves on what an outbox holds: soon after a commit of this process, and now and then, since the process that committed may be gone. A row is taken away when it is
 * stored, or set aside when it never can be. Where either side is away it waits, and tries again for as long as it takes.
 */
import { jitter, outboxLeaseMs, outboxLookFirstMs, pollIdleMs, reconnectFirstMs, reconnectUpToMs } from "../core/defaults.ts";
import type { At, Atom, Outbox, OutboxBatch } from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import { shapeRefusal } from "../core/refusals.ts";
import { errorOf } from "../core/refused.ts";
import type { Ms, Runtime, Timer } from "../core/runtime.ts";
import { aged } from "./outbox.ts";
import type { Move, Moved } from "./outbox.ts";

export interface RelayParts {
  readonly outbox: Outbox;
  readonly runtime: Runtime;
  /** Stores a part of a batch. */
  readonly move: (move: Move, at: At) => Promise<Moved>;
}

/** What `stop` still moves on, of what this process handed in. */
const batchesAtTheEnd = 20;
/** Of one row, so that a list of errors stays small. */
const errorLettersMax = 2_000;

/** A row that nothing can be made of. */
const unreadable = "this is no JSON of works";

export class Relay {
  readonly #parts: RelayParts;
  readonly #by: string;
  #timer: Timer | undefined;
  /** By the monotonic clock: when it looks next. */
  #next = Infinity;
  #idleMs: Ms = pollIdleMs;
  #failures = 0;
  #above = 0;
  #turn: Promise<void> | undefined;
  /** Since the last look, this process handed something in. */
  #isHinted = false;
  #isStopped = false;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    this.#by = parts.runtime.id();
  }

  start(): void {
    this.#later(0);
  }

  /** Something was handed in, and may be committed soon. */
  hint(): void {
    this.#isHinted = true;
    this.#idleMs = outboxLookFirstMs;
    if (this.#failures === 0 && this.#turn === undefined) this.#later(outboxLookFirstMs);
  }

  /** Moves on first what this process handed in, as far as it can be done soon. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#turn;
    if (!this.#isHinted && this.#idleMs >= pollIdleMs) return;
    try {
      for (let batch = 0; batch < batchesAtTheEnd && (await this.moveOn()); batch += 1);
    } catch {
      // Whoever opens it next goes on with it.
    }
  }

  /** The next batch. Answers whether there may be another. */
  async moveOn(): Promise<boolean> {
    const { outbox, runtime } = this.#parts;
    this.#isHinted = false;
    const batch = await outbox.take({ by: this.#by, leaseMs: outboxLeaseMs, above: this.#above, batch: runtime.id() }, this.#at);
    if (batch === undefined) return false;
    const refused = await this.#move(batch).catch(async (error: unknown) => {
      // Another process may reach what this one does not.
      await this.#giveBack(batch);
      throw error;
    });
    if (refused === undefined) await this.#giveBack(batch);
    else await this.#done(batch, new Map(refused));
    return true;
  }

  async #giveBack({ fence }: OutboxBatch): Promise<void> {
    try {
      await this.#parts.outbox.done({ fence, moved: [], refused: [] });
    } catch {
      // The lease ends by itself.
    }
  }

  async #done(batch: OutboxBatch, places: ReadonlyMap<number, string>): Promise<void> {
    await this.#parts.outbox.done({
      fence: batch.fence,
      moved: batch.rows.flatMap(({ n }, place) => (places.has(place) ? [] : [n])),
      refused: batch.rows.flatMap(({ n }, place) => {
        const error = places.get(place);
        return error === undefined ? [] : [{ n, error: error.slice(0, errorLettersMax) }];
      }),
    });
    if (places.size > 0) this.#tellRefused(batch, places);
  }

  get #at(): At {
    const now = this.#parts.runtime.storeTime?.();
    return now === undefined ? {} : { now };
  }

  /** The refused ones, by their places in it. Undefined: somebody else has gone on with it. */
  async #move({ batch, fence, rows }: OutboxBatch): Promise<readonly (readonly [place: number, error: string])[] | undefined> {
    const refused: [number, string][] = [];
    const atoms = rows.map(({ body, ageMs }, place): Atom => {
      const atom = atomOf(body, ageMs);
      if (typeof atom !== "string") return atom;
      refused.push([place, atom]);
      return { works: [] };
    });
    const told = await this.#together({ batch, fence, from: 0, atoms }, refused);
    if (told.is === "stale") {
      // The database went back in time, else this lease is over.
      this.#above = told.fence;
      return undefined;
    }
    return [...refused, ...told.refused.map(({ place, refusal }) => [place, errorOf(refusal).message] as const)];
  }

  /** One that a script fails with whatever is tried stops no other: it is found by itself. */
  async #together(all: Move, refused: [number, string][]): Promise<Moved> {
    try {
      return await this.#store(all);
    } catch (error) {
      if (!isAnswered(error)) throw error;
    }
    // Where not even this can be stored, it is not the rows.
    let told = await this.#store({ ...all, atoms: [] });
    for (const [place, atom] of all.atoms.entries()) {
      if (told.is === "stale") return told;
      try {
        told = await this.#store({ ...all, from: place, atoms: [atom] });
      } catch (error) {
        if (!isAnswered(error)) throw error;
        refused.push([place, error.message]);
        told = await this.#store({ ...all, from: place, atoms: [{ works: [] }] });
      }
    }
    return told;
  }

  #store(move: Move): Promise<Moved> {
    return this.#parts.move(move, this.#at);
  }

  #tellRefused({ rows }: OutboxBatch, places: ReadonlyMap<number, string>): void {
    const { outbox, runtime } = this.#parts;
    const [first] = places.values();
    runtime.log.error(
      { outbox: outbox.name, setAside: places.size, rows: [...places.keys()].slice(0, 10).map((place) => rows[place]?.n), err: first },
      "what transactions handed in can never be stored, and was set aside with what was said; the table outbox_set_aside holds it",
    );
  }

  #later(ms: Ms): void {
    if (this.#isStopped) return;
    const { runtime } = this.#parts;
    const next = runtime.monotonic() + ms;
    if (this.#timer !== undefined && this.#next <= next) return;
    this.#timer?.cancel();
    this.#next = next;
    this.#timer = runtime.after(
      ms,
      () => {
        this.#timer = undefined;
        this.#turn = this.#look().finally(() => (this.#turn = undefined));
      },
      { background: true },
    );
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { outbox, runtime } = this.#parts;
    try {
      const hasMore = await this.moveOn();
      if (this.#failures > 0) runtime.log.info({ outbox: outbox.name }, "what transactions handed in is moved on again");
      this.#failures = 0;
      this.#next = Infinity;
      if (hasMore) this.#later(0);
      else this.#later(this.#idle());
    } catch (error) {
      this.#failures += 1;
      if (this.#failures === 1) {
        runtime.log.warn(
          { outbox: outbox.name, err: error },
          "what transactions handed in cannot be moved on now; it waits in the outbox, and is tried again until it can",
        );
      }
      this.#next = Infinity;
      this.#later(Math.ceil(runtime.random() * Math.min(reconnectUpToMs, reconnectFirstMs * 2 ** Math.min(this.#failures - 1, 10))));
    }
  }

  /** The sooner the more recently this process handed something in, since its commit may be still to come. */
  #idle(): Ms {
    const { runtime } = this.#parts;
    const ms = this.#isHinted ? outboxLookFirstMs : this.#idleMs;
    this.#idleMs = Math.min(pollIdleMs, ms * 2);
    return ms * (1 + jitter * runtime.random());
  }
}

/** What is wrong with it where nothing can be made of it. */
function atomOf(body: string, ageMs: Ms): Atom | string {
  try {
    const atom = JSON.parse(body) as Atom;
    if (!Array.isArray(atom.works) || !atom.works.every((work) => typeof work?.id === "string")) return unreadable;
    return shapeRefusal(atom)?.message ?? aged(atom, ageMs);
  } catch {
    return unreadable;
  }
}

/** The server ran the script, and it failed. */
function isAnswered(error: unknown): error is ErrandError {
  return ErrandError.is(error, "store-failed") && error.cause instanceof Error && error.cause.name === "ReplyError";
}
