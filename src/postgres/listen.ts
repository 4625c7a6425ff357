/**
 * Wakes those who wait for work: at once after a commit of this engine, and when another process tells of one of its own (NOTIFY), on a connection that only listens.
 *
 * A commit that notifies takes a lock of the whole server, so it is never the commit of the work, nor in a caller's transaction, and it is told at most 100 times a
 * second (https://www.recall.ai/blog/postgres-listen-notify-does-not-scale). What is told can be lost: workers look for work by themselves, too.
 *
 * A connection that broke without a word sounds like one on which nothing happens, so each process asks itself from time to time. One that never hears its own
 * question sits behind a pooler that gives statements to any connection; there nothing but looking helps, and `isHearing` says so.
 */
import { createHash } from "node:crypto";
import { jitter, notifyEveryMs, probeAnswerMs, probeEveryMs, reconnectFirstMs } from "../core/defaults.ts";
import type { Unlisten } from "../core/engine.ts";
import type { Ms, Runtime, Timer } from "../core/runtime.ts";
import type { Database, Hearing } from "./client.ts";

/** A notification need not survive a crash, so its commit does not wait for the disk. */
const notify = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)";
/** After a caller's transaction was joined: it commits when it likes. */
const hintsAfterMs: readonly Ms[] = [5, 50, 250];
/** Where nothing was heard at all, another try may find that the pooler is gone. */
const deafForMs: Ms = 20 * probeEveryMs;
const channelBytesMax = 63;

/** Under a virtual clock, which waits for no network: all processes are in this one. */
const together = new Map<string, Set<Listeners>>();

export class Listeners {
  readonly #runtime: Runtime;
  readonly #database: Database;
  readonly #channel: string;
  readonly #wakes = new Set<() => void>();
  readonly #hints = new Map<Ms, { readonly timer: Timer; isWantedAgain: boolean }>();
  /** Tells this process's own messages from others'. */
  readonly #id: string;
  #hearing: Hearing | undefined;
  /** Whether anything was ever heard on this connection. */
  #hasHeard = false;
  /** Another one for each connection: what an earlier one still does is none of this one's business. */
  #generation = 0;
  #failures = 0;
  #timer: Timer | undefined;
  #isWaking = false;
  #isTellingSoon = false;
  #toldAt = Number.NEGATIVE_INFINITY;
  #tellTimer: Timer | undefined;
  #telling: Promise<void> | undefined;

  constructor(runtime: Runtime, database: Database, schema: string) {
    this.#runtime = runtime;
    this.#database = database;
    this.#channel = channelOf(schema);
    this.#id = runtime.id();
  }

  /** Whether other processes' work is heard of, now. */
  get isHearing(): boolean {
    if (this.#runtime.storeTime !== undefined) return this.#wakes.size > 0;
    return this.#hearing !== undefined && this.#hasHeard;
  }

  listen(wake: () => void): Unlisten {
    // Wrapped, so that the same function may listen twice.
    const own = (): void => wake();
    this.#wakes.add(own);
    if (this.#wakes.size === 1) this.#start();
    return () => {
      this.#wakes.delete(own);
      if (this.#wakes.size === 0) this.stop();
    };
  }

  /** After a commit of this process that made work ready. Its own workers ask for it before others are told: each of the two wants a connection and the server. */
  wake(): void {
    this.#wakeOwn();
    if (this.#wakes.size === 0) return this.#tell();
    if (this.#isTellingSoon) return;
    this.#isTellingSoon = true;
    this.#runtime.soon(() => {
      if (this.#isTellingSoon) this.#tell();
      this.#isTellingSoon = false;
    });
  }

  /** After work was stored in a caller's transaction, which commits later, or never. */
  wakeLater(): void {
    for (const afterMs of hintsAfterMs) this.#hint(afterMs);
  }

  /** Hears nothing any more. */
  stop(): void {
    this.#generation++;
    this.#timer?.cancel();
    this.#hearing?.end();
    this.#hearing = undefined;
    this.#hasHeard = false;
    together.get(this.#place)?.delete(this);
  }

  /** What is still to be told, is told. */
  async close(): Promise<void> {
    this.stop();
    this.#wakes.clear();
    for (const { timer } of this.#hints.values()) timer.cancel();
    const isAnythingToTell = this.#isTellingSoon || this.#tellTimer !== undefined || this.#hints.size > 0;
    this.#isTellingSoon = false;
    this.#hints.clear();
    this.#tellTimer?.cancel();
    this.#tellTimer = undefined;
    await this.#telling;
    if (isAnythingToTell) await this.#send();
  }

  #start(): void {
    if (this.#runtime.storeTime === undefined) return this.#connect();
    const others = together.get(this.#place) ?? new Set();
    together.set(this.#place, others.add(this));
  }

  #connect(): void {
    const generation = ++this.#generation;
    this.#hasHeard = false;
    const ear = {
      heard: (payload: string): void => {
        if (generation === this.#generation) this.#heard(payload);
      },
      lost: (error: Error): void => {
        if (generation === this.#generation) this.#lose(error);
      },
    };
    this.#database.hear(this.#channel, ear).then(
      (hearing) => {
        if (generation !== this.#generation) return hearing.end();
        this.#hearing = hearing;
        this.#probe();
      },
      (error: unknown) => {
        if (generation === this.#generation) this.#lose(error);
      },
    );
  }

  #heard(payload: string): void {
    const wasDeaf = !this.#hasHeard;
    this.#hasHeard = true;
    this.#failures = 0;
    this.#later(jittered(probeEveryMs, this.#runtime.random()), () => this.#probe());
    // What was told before this connection heard anything, is lost.
    if (wasDeaf || !payload.startsWith(this.#id)) this.#wakeOwn();
  }

  #lose(error: unknown): void {
    this.#generation++;
    this.#hearing?.end();
    this.#hearing = undefined;
    const mostMs = Math.min(probeEveryMs, reconnectFirstMs * 2 ** Math.min(this.#failures++, 30));
    this.#runtime.log.debug({ err: error }, "wake-ups from other processes are not heard; listening anew");
    this.#later(this.#runtime.random() * mostMs, () => this.#connect());
  }

  /** Anything that is heard counts as the answer. */
  #probe(): void {
    const generation = this.#generation;
    this.#later(probeAnswerMs, () => this.#unanswered());
    this.#database.query(notify, [this.#channel, `${this.#id}?`]).catch((error: unknown) => {
      if (generation === this.#generation) this.#lose(error);
    });
  }

  #unanswered(): void {
    if (this.#hasHeard && this.#hearing?.heals !== true) return this.#lose(new Error(`nothing was heard for ${probeAnswerMs} ms, not even what was asked`));
    if (!this.#hasHeard) {
      this.#runtime.log.warn(
        { channel: this.#channel },
        "no wake-ups arrive over this connection, as behind a pooler in transaction mode; workers look for work by themselves, often while it comes",
      );
    }
    if (this.#hearing?.heals !== true) this.#giveUp();
    this.#hasHeard = false;
    this.#later(deafForMs, () => (this.#hearing === undefined ? this.#connect() : this.#probe()));
  }

  #giveUp(): void {
    this.#generation++;
    this.#hearing?.end();
    this.#hearing = undefined;
  }

  #later(ms: Ms, then: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#runtime.after(ms, then, { background: true });
  }

  #wakeOwn(): void {
    if (this.#isWaking || this.#wakes.size === 0) return;
    this.#isWaking = true;
    this.#runtime.soon(() => {
      this.#isWaking = false;
      for (const wake of this.#wakes) wake();
    });
  }

  #hint(afterMs: Ms): void {
    const pending = this.#hints.get(afterMs);
    if (pending !== undefined) return void (pending.isWantedAgain = true);
    const fire = (): void => {
      const isWantedAgain = this.#hints.get(afterMs)?.isWantedAgain === true;
      this.#hints.delete(afterMs);
      this.wake();
      if (isWantedAgain) this.#hint(afterMs);
    };
    this.#hints.set(afterMs, { timer: this.#runtime.after(afterMs, fire, { background: true }), isWantedAgain: false });
  }

  #tell(): void {
    if (this.#runtime.storeTime !== undefined) return this.#tellTogether();
    if (this.#tellTimer !== undefined) return;
    const waitMs = Math.max(0, this.#toldAt + notifyEveryMs - this.#runtime.monotonic());
    if (waitMs === 0 && this.#telling === undefined) return this.#tellNow();
    this.#tellTimer = this.#runtime.after(
      Math.max(waitMs, 1),
      () => {
        this.#tellTimer = undefined;
        if (this.#telling === undefined) this.#tellNow();
        else this.#tell();
      },
      { background: true },
    );
  }

  #tellNow(): void {
    this.#toldAt = this.#runtime.monotonic();
    this.#telling = this.#send().finally(() => (this.#telling = undefined));
  }

  /** What cannot be told is found by looking. */
  async #send(): Promise<void> {
    if (this.#runtime.storeTime !== undefined) return;
    try {
      await this.#database.query(notify, [this.#channel, this.#id]);
    } catch (error) {
      this.#runtime.log.debug({ err: error }, "other processes were not told of new work; they find it when they look");
    }
  }

  #tellTogether(): void {
    for (const other of together.get(this.#place) ?? []) if (other !== this) other.#wakeOwn();
  }

  get #place(): string {
    return `${this.#database.name} ${this.#channel}`;
  }
}

/** Notifications reach all of the database, whatever the schema. */
export function channelOf(schema: string): string {
  const channel = `errand:${schema}`;
  if (Buffer.byteLength(channel) <= channelBytesMax) return channel;
  return `errand:${createHash("sha256").update(schema).digest("hex").slice(0, 32)}`;
}

function jittered(ms: Ms, random: number): Ms {
  return ms * (1 + jitter * random);
}
