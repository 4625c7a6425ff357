/** One atom on one handle: its time, and what is gathered while it runs and written once before it ends. */
import type { Instant, Runtime } from "../core/runtime.ts";
import { aftermath } from "./aftermath.ts";
import { Gates } from "./gates.ts";
import type { HandedOut } from "./handedOut.ts";
import { Joins } from "./join.ts";
import { leaveToPurge } from "./joinRetention.ts";
import { Keys } from "./keyLimit.ts";
import { Dictionary } from "./lines.ts";
import type { NoticeCache, Notices } from "./notices.ts";
import { CounterChanges, readNumbersOf, writeChangedNumbers } from "./numbers.ts";
import type { Numbers } from "./numbers.ts";
import type { Statements } from "./statements.ts";
import { Ties } from "./ties.ts";

const addPurge = "INSERT INTO errand_purges (at, seqs) VALUES (?, ?)";
/** By rowid: the last. */
const lastSeq = "SELECT max(seq) FROM errand_jobs";

/** What the transactions of one file have in common. */
export interface Shared {
  readonly runtime: Pick<Runtime, "now" | "random">;
  readonly dictionary: Dictionary;
  readonly notices: NoticeCache;
  /** Without it, jobs are looked up by id. */
  readonly handedOut?: HandedOut;
}

export class Transaction {
  readonly sql: Statements;
  readonly now: Instant;
  readonly numbers: Numbers;
  readonly counters: CounterChanges = new CounterChanges();
  readonly dictionary: Dictionary;
  /** Lanes that may have room. */
  readonly lanesToAdmit: Set<string> = new Set();
  /** Work may have become ready. */
  isReadied = false;
  /** What was done, for tidy and for its bounds. */
  admitted = 0;
  skipped = 0;
  readonly #shared: Shared;
  readonly #before: Numbers;
  readonly #purges = new Map<Instant, number[]>();
  // Made when first asked for: most transactions have to do with none of them.
  #ties: Ties | undefined;
  #joins: Joins | undefined;
  #keys: Keys | undefined;
  #gates: Gates | undefined;
  #nextSeq: number | undefined;

  constructor(shared: Shared, sql: Statements, stated: Instant | undefined) {
    this.#shared = shared;
    this.sql = sql;
    this.#before = readNumbersOf(sql);
    this.now = Math.max(this.#before.clock, stated ?? shared.runtime.now());
    this.numbers = { ...this.#before, clock: this.now };
    this.dictionary = new Dictionary(shared.dictionary);
  }

  /** Subscriptions and pauses. */
  get notices(): Notices {
    return this.#shared.notices.at(this.sql, this.numbers);
  }

  get handedOut(): HandedOut | undefined {
    return this.#shared.handedOut;
  }

  get ties(): Ties {
    return (this.#ties ??= new Ties());
  }

  get joins(): Joins {
    return (this.#joins ??= new Joins());
  }

  get keys(): Keys {
    return (this.#keys ??= new Keys());
  }

  get gates(): Gates {
    return (this.#gates ??= new Gates());
  }

  /** Something follows from what was done that has not been looked at. */
  get hasAftermath(): boolean {
    return this.lanesToAdmit.size > 0 || this.#ties?.hasWork === true || this.#keys?.hasWork === true;
  }

  /** The next place in the order of enqueue. */
  takeSeq(): number {
    return this.takeSeqs(1);
  }

  /** The first of `count` places. */
  takeSeqs(count: number): number {
    const first = this.#nextSeq ?? Math.max(this.sql.value<number>(lastSeq) ?? 0, this.numbers.seqs) + 1;
    this.#nextSeq = first + count;
    return first;
  }

  giveSeqsBack(first: number): void {
    this.#nextSeq = first;
  }

  /** The next fence: above all that were given out, and above the largest the asker ever saw. */
  takeFence(lastFence: number): number {
    this.numbers.fence = Math.max(this.numbers.fence, this.now * 1_000, lastFence) + 1;
    return this.numbers.fence;
  }

  noteWritten(): void {
    this.numbers.notesVersion += 1;
    this.numbers.notesStamp = Math.floor(this.#shared.runtime.random() * Number.MAX_SAFE_INTEGER);
  }

  /** An ended job is to be looked at again then. */
  purgeAt(at: Instant, seq: number): void {
    this.purgesAt(at).push(seq);
  }

  /** Those that are to be looked at again then, to be added to. */
  purgesAt(at: Instant): number[] {
    const known = this.#purges.get(at);
    if (known !== undefined) return known;
    const seqs: number[] = [];
    this.#purges.set(at, seqs);
    return seqs;
  }

  /** A seq that somebody may still name is not given again. */
  spendSeq(seq: number): void {
    this.numbers.seqs = Math.max(this.numbers.seqs, seq);
  }

  /** A job that was handed out under these terms runs no more; others may have been passed over for what it held. */
  giveGatesBack(terms: number): void {
    this.gates.giveBack(terms, 1);
    this.isReadied = true;
  }

  /** So that what is read of them next is as it is now. */
  writeKeys(): void {
    this.#keys?.write(this.sql);
  }

  writePurges(): void {
    for (const [at, seqs] of this.#purges) this.sql.run(addPurge, at, JSON.stringify(seqs));
    this.#purges.clear();
  }

  /** Writes what was gathered. Nothing else may be written after it. */
  finish(): void {
    aftermath(this);
    if (this.#ties) leaveToPurge(this, this.#ties);
    this.#joins?.write(this.sql);
    this.writeKeys();
    this.#gates?.write(this.sql);
    this.writePurges();
    this.counters.write(this.sql);
    writeChangedNumbers(this.sql, this.#before, this.numbers);
  }
}
