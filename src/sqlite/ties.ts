/** What a transaction has yet to look at because of joins and of what comes after what: gathered while it runs, worked off in its aftermath. */
import type { Ended } from "../core/joining.ts";
import { Heap } from "./heap.ts";

/** A walk over rows that may be too many for one commit. */
export interface Pass {
  readonly kind: number;
  readonly node: number;
  /** The last that was seen. */
  cursor: number;
}

/**
 * members, children: of a join that opened, was cancelled, met its fate or is removed. kept: ended members of a join that closed.
 * followers: of what ended. look: at one job or join.
 */
export const passKinds = { members: 1, children: 2, kept: 3, followers: 4, look: 5 } as const;

export interface EndingChange {
  readonly was: Ended;
  is: Ended;
  readonly flags: number;
}

export class Ties {
  /** By seq: jobs that ended, or live again, and that a join or a follower must hear of. */
  readonly endings: Map<number, EndingChange> = new Map();
  /** What ended, and how far those that came after it are known to be looked at. */
  readonly ended: Map<number, number> = new Map();
  /** Joins of which nobody lives any more. */
  readonly toClose: Set<number> = new Set();
  /** By the order of storing: held jobs and waiting joins that may go on, or cannot any more. */
  readonly toLookAt: Nodes = new Nodes();
  readonly passes: Map<string, Pass> = new Map();
  /** Joins of which a member is gone, or a follower ended: their own time may have come. */
  readonly joinsToPurge: Set<number> = new Set();
  /** Members of joins that were given up: they go with them. */
  readonly givenUp: number[] = [];
  /** What was done, for tidy and for its bounds. */
  released = 0;
  dropped = 0;
  closed = 0;
  looked = 0;
  /** Something was left to tidy. */
  hasLeft = false;

  get hasWork(): boolean {
    return this.endings.size + this.ended.size + this.toClose.size + this.toLookAt.size + this.passes.size > 0;
  }

  noteEnding(seq: number, flags: number, was: Ended, is: Ended): void {
    const known = this.endings.get(seq);
    if (known) known.is = is;
    else if (was !== is) this.endings.set(seq, { was, is, flags });
  }

  /** From the beginning, whatever was walked before. */
  begin(kind: number, node: number, cursor = 0): void {
    this.passes.set(nameOf({ kind, node }), { kind, node, cursor });
  }

  passOver(kind: number, node: number): Pass | undefined {
    return this.passes.get(nameOf({ kind, node }));
  }

  end(pass: Pick<Pass, "kind" | "node">): void {
    this.passes.delete(nameOf(pass));
  }
}

/** Each once, the first stored first. */
class Nodes {
  readonly #heap = new Heap<number>([], (a, b) => a < b);
  readonly #known = new Set<number>();

  get size(): number {
    return this.#known.size;
  }

  add(node: number): void {
    if (this.#known.has(node)) return;
    this.#known.add(node);
    this.#heap.push(node);
  }

  take(): number | undefined {
    const node = this.#heap.first;
    if (node === undefined) return undefined;
    this.#heap.removeFirst();
    this.#known.delete(node);
    return node;
  }
}

function nameOf({ kind, node }: Pick<Pass, "kind" | "node">): string {
  return `${kind} ${node}`;
}
