/** One operation of the engine, killed at each of its system calls, and each of them failed. */
import path from "node:path";
import { examine, look } from "./examined.ts";
import { judge } from "./judged.ts";
import type { Found, Judged } from "./judged.ts";
import { Lives } from "./life.ts";
import type { How } from "./lifeMain.ts";
import type { Operation } from "./operations.ts";
import type { Bug } from "./planted.ts";
import { wasInjected } from "./strace.ts";
import type { Call, Fault, Point, Traced } from "./strace.ts";
import { lastTold } from "./told.ts";

/** How a call may fail. */
const errors: Readonly<Record<Traced, readonly string[]>> = {
  openat: ["EIO", "ENOSPC", "EMFILE"],
  pread64: ["EIO", "EINTR"],
  pwrite64: ["ENOSPC", "EIO", "EINTR"],
  write: [],
  fsync: ["EIO", "ENOSPC", "EINTR"],
  fdatasync: ["EIO", "ENOSPC", "EINTR"],
  ftruncate: ["EIO", "EINTR"],
  unlink: ["EIO", "EACCES"],
  fcntl: ["EIO", "ENOLCK"],
  mmap: ["ENOMEM"],
};
/** A signal that interrupts a call may do so again; SQLite repeats these by itself. */
const repeated: readonly Traced[] = ["pread64", "pwrite64", "ftruncate"];
const interruptions = 3;
const kills: readonly Traced[] = ["openat", "pwrite64", "fsync", "fdatasync", "ftruncate", "unlink", "fcntl", "mmap"];

export interface Trial {
  readonly point: Point;
  readonly fault: Fault;
}

export interface Verdict extends Judged {
  /** Whether the engine reported a failure. */
  readonly failed: boolean;
}

/** An operation, with what a life without faults shows of it: what the file holds after each step, and the calls of its steps. */
export class Victim implements Disposable {
  readonly operation: Operation;
  /** Every one there is. */
  readonly trials: readonly Trial[];
  readonly #lives: Lives;
  readonly #states: readonly string[];
  readonly #how: How;

  private constructor(operation: Operation, lives: Lives, states: readonly string[], trials: readonly Trial[], how: How) {
    this.operation = operation;
    this.#lives = lives;
    this.#states = states;
    this.trials = trials;
    this.#how = how;
  }

  static async of(operation: Operation, bug?: Bug): Promise<Victim> {
    const lives = new Lives();
    const states = await lives.statesOf(operation);
    const { calls } = await lives.withoutFaults(operation, {});
    return new Victim(operation, lives, states, trialsOf(calls, operation.prepared.length), bug === undefined ? {} : { bug });
  }

  async try({ point, fault }: Trial): Promise<Verdict> {
    return fault === "KILL" ? this.#kill(point) : this.#fail(point, fault);
  }

  async #kill(point: Point): Promise<Verdict> {
    const life = this.#lives.begin();
    const { code } = await life.live(this.operation, this.#how, { point, fault: "KILL" });
    const { told } = life;
    const { fingerprint, complaint } = await examine(life.file);
    life.remove();
    const survived = code === 0 ? `it was not killed at ${point.call} ${point.nth}` : "";
    return this.#verdict({ done: lastTold(told, "done"), latest: lastTold(told, "begun"), fingerprint, complaint: survived || complaint, failed: false });
  }

  /** A failed step is tried once more, and must be done then; what the file held when its failure was told must fit what was told. */
  async #fail(point: Point, fault: Fault): Promise<Verdict> {
    const life = this.#lives.begin();
    const copyTo = path.join(life.folder, "copy.db");
    const { code, said } = await life.live(this.operation, { ...this.#how, copyTo }, { point, fault });
    const failure = life.told.find(({ is }) => is !== "begun" && is !== "done");
    const last = await examine(life.file);
    const copied = failure === undefined ? undefined : look(copyTo);
    const injected = wasInjected(life.traceFile);
    const done = lastTold(life.told, "done");
    life.remove();
    const failed = failure !== undefined;
    const trouble = injected ? (code === 0 ? "" : `it did not go on: ${said.slice(0, 600)}`) : "nothing was made to fail";
    if (trouble !== "") return this.#verdict({ done, latest: done, ...last, complaint: trouble, failed });
    if (failure !== undefined && copied !== undefined) {
      const { step, is } = failure;
      const then = this.#verdict({ done: step - 1, latest: is === "definite" ? step - 1 : step, ...copied, failed });
      if (then.complaint !== "") return { ...then, complaint: `told ${is} (${failure.said}), and then: ${then.complaint}` };
    }
    return this.#verdict({ done, latest: done, ...last, failed });
  }

  [Symbol.dispose](): void {
    this.#lives[Symbol.dispose]();
  }

  #verdict({ failed, ...found }: Found & { readonly failed: boolean }): Verdict {
    return { ...judge(this.#states, found), failed };
  }
}

const isStandardOutput = /^\d+<[^>]*\/told>/;

/** Each call from the first step under test until the end. */
function trialsOf(calls: readonly Call[], prepared: number): Trial[] {
  const counts = new Map<Traced, number>();
  const trials: Trial[] = [];
  let isUnderTest = false;
  for (const { call, text } of calls) {
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    if (call === "write" && text.includes(`\\"step\\":${prepared},\\"is\\":\\"begun\\"`)) isUnderTest = true;
    if (!isUnderTest || isStandardOutput.test(text)) continue;
    const point = { call, nth };
    if (kills.includes(call)) trials.push({ point, fault: "KILL" });
    // Giving up a lock needs nothing that could be lacking.
    if (text.includes("F_UNLCK")) continue;
    for (const error of errors[call]) trials.push({ point, fault: { error, times: error === "EINTR" && repeated.includes(call) ? interruptions : 1 } });
  }
  return trials;
}
