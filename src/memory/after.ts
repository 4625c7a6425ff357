/** Predecessors: who comes after what, who is to be looked at because something ended, and how it is judged. */
import type { After } from "../core/engine.ts";
import { answerTo, endedAs, jobBefore, joinBefore, unmetReason } from "../core/joining.ts";
import { Heap } from "./heap.ts";
import type { Held } from "./hold.ts";
import { endedJoin } from "./join.ts";
import type { Fate } from "./join.ts";
import { Sequence } from "./sequence.ts";
import type { Store } from "./store.ts";

/** All that came after one job or join. */
interface Named {
  readonly id: string;
  /** Those that are not let go yet, and may have to wait for it. */
  readonly waiting: Sequence<Held>;
  /** How many that have not ended name it: it is kept for them. */
  live: number;
  /** It is removed, and ended badly by that: what it was, in words. */
  gone: string | undefined;
  look: Look | undefined;
}

/** It ended: those that wait for it are looked at, from the one numbered `from` on. */
interface Look {
  readonly named: Named;
  from: number;
}

export class Afters {
  readonly #byId = new Map<string, Named>();
  readonly #looks = new Heap<Look>((a, b) => a.from - b.from);
  /** To be looked at themselves. */
  readonly #direct = new Heap<Held>((a, b) => a.seq - b.seq);

  /** A new one waits, and names its predecessors. */
  add(held: Held): void {
    for (const id of predecessors(held)) this.#of(id).waiting.append(held);
    this.name(held);
  }

  /** It has not ended (any more): its predecessors are kept. */
  name(held: Held): void {
    for (const id of predecessors(held)) this.#of(id).live += 1;
  }

  /** It ended. Answers which predecessors nobody needs any more. */
  unname(held: Held): string[] {
    return predecessors(held).filter((id) => {
      const named = this.#of(id);
      named.live -= 1;
      this.#forgetIfUnused(named);
      return named.live === 0;
    });
  }

  /** It waits no longer. */
  leave(held: Held): void {
    this.#direct.remove(held);
    for (const id of predecessors(held)) {
      const named = this.#of(id);
      named.waiting.remove(held);
      this.#forgetIfUnused(named);
    }
  }

  isNamed(id: string): boolean {
    return (this.#byId.get(id)?.live ?? 0) > 0;
  }

  /** The job or join of this id ended: those that wait for it are to be looked at. */
  mark(id: string): void {
    const named = this.#byId.get(id);
    if (named === undefined || named.waiting.size === 0) return;
    named.look ??= { named, from: 0 };
    this.#looks.remove(named.look);
    named.look.from = 0;
    this.#looks.push(named.look);
  }

  /** It is removed though it never ended, which counts as a bad ending. */
  markGone(id: string, what: string): void {
    const named = this.#byId.get(id);
    if (named) named.gone = what;
    this.mark(id);
  }

  goneAs(id: string): string | undefined {
    return this.#byId.get(id)?.gone;
  }

  lookAt(held: Held): void {
    this.#direct.push(held);
  }

  get hasLooks(): boolean {
    return this.#looks.size + this.#direct.size > 0;
  }

  /** The first in the order of storing that is to be looked at. */
  take(): Held | undefined {
    const next = this.#nextLook();
    const direct = this.#direct.first();
    if (direct && (next === undefined || direct.seq <= next.held.seq)) {
      this.#direct.remove(direct);
      return direct;
    }
    if (next === undefined) return undefined;
    this.#advance(next.look, next.held.seq + 1);
    return next.held;
  }

  #nextLook(): { readonly look: Look; readonly held: Held } | undefined {
    for (let look = this.#looks.first(); look; look = this.#looks.first()) {
      const held = look.named.waiting.next(look.from - 1);
      if (held?.seq === look.from) return { look, held };
      this.#advance(look, held?.seq);
    }
    return undefined;
  }

  #advance(look: Look, from: number | undefined): void {
    this.#looks.remove(look);
    if (from === undefined) {
      look.named.look = undefined;
      return;
    }
    look.from = from;
    this.#looks.push(look);
  }

  #of(id: string): Named {
    const named = this.#byId.get(id) ?? { id, waiting: new Sequence<Held>(), live: 0, gone: undefined, look: undefined };
    this.#byId.set(id, named);
    return named;
  }

  #forgetIfUnused(named: Named): void {
    if (named.live > 0 || named.waiting.size > 0) return;
    this.#byId.delete(named.id);
    if (named.look) this.#looks.remove(named.look);
  }
}

export type Verdict = { readonly is: "met" } | { readonly is: "open"; readonly on: string } | ({ readonly is: "unmet" } & { readonly fate: Fate });

/** By the states of now. The first that has ended otherwise than asked decides, also while others are open. */
export function judge(store: Store, after: readonly After[]): Verdict {
  let open: string | undefined;
  for (const { id, when } of after) {
    const before = endingOf(store, id);
    if (before === "open") {
      open ??= id;
      continue;
    }
    const answer = before === undefined ? "met" : answerTo(when, before.ended);
    if (before && answer !== "met") return { is: "unmet", fate: { is: answer, reason: unmetReason(answer, before.what) } };
  }
  return open === undefined ? { is: "met" } : { is: "open", on: open };
}

/** Undefined: it is not stored any more, and so in nobody's way; unless it was removed before it ended. */
function endingOf(store: Store, id: string): "open" | { readonly ended: "well" | "badly"; readonly what: string } | undefined {
  const job = store.jobs.get(id);
  const join = job ? undefined : store.joins.find(id);
  const ended = job ? endedAs(job.state) : join && endedJoin(join);
  if (job) return ended ? { ended, what: jobBefore(id, job.state) } : "open";
  if (join) return ended ? { ended, what: joinBefore(join.name, id, ended) } : "open";
  const gone = store.afters.goneAs(id);
  return gone === undefined ? undefined : { ended: "badly", what: gone };
}

/** Each once, though it may be named for several endings. */
function predecessors({ after }: Held): string[] {
  return after.length < 2 ? after.map(({ id }) => id) : [...new Set(after.map(({ id }) => id))];
}
