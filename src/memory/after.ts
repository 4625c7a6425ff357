/** Predecessors: who comes after what, who is to be looked at because something ended, and how it is judged. */
import { answerTo, endedAs, jobBefore, joinBefore, unmetReason } from "../core/joining.ts";
import { Heap } from "./heap.ts";
import type { Before, Held } from "./hold.ts";
import { endedJoin } from "./join.ts";
import type { Fate } from "./join.ts";
import { Sequence } from "./sequence.ts";
import type { Store } from "./store.ts";

/** All that came after one job or join. */
interface Named {
  readonly held: Held;
  /** Those that are not let go yet, and may have to wait for it. */
  readonly waiting: Sequence<Held>;
  /** How many that have not ended name it: it is kept for them. */
  live: number;
  /** It was removed before it ended, which counts as a bad ending. */
  isGone: boolean;
  look: Look | undefined;
}

/** It ended: those that wait for it are looked at, from the one numbered `from` on. */
interface Look {
  readonly named: Named;
  from: number;
}

export class Afters {
  readonly #named = new Map<Held, Named>();
  readonly #looks = new Heap<Look>((a, b) => a.from - b.from);
  /** To be looked at themselves. */
  readonly #direct = new Heap<Held>((a, b) => a.seq - b.seq);

  /** A new one waits, and names its predecessors. */
  add(held: Held): void {
    for (const before of predecessors(held)) this.#of(before).waiting.append(held);
    this.name(held);
  }

  /** It has not ended (any more): its predecessors are kept. */
  name(held: Held): void {
    for (const before of predecessors(held)) this.#of(before).live += 1;
  }

  /** It ended. Answers which predecessors nobody needs any more. */
  unname(held: Held): readonly Held[] {
    return predecessors(held).filter((before) => {
      const named = this.#of(before);
      named.live -= 1;
      this.#forgetIfUnused(named);
      return named.live === 0;
    });
  }

  /** It waits no longer. */
  leave(held: Held): void {
    this.#direct.remove(held);
    for (const before of predecessors(held)) {
      const named = this.#of(before);
      named.waiting.remove(held);
      this.#forgetIfUnused(named);
    }
  }

  isNamed(held: Held): boolean {
    return (this.#named.get(held)?.live ?? 0) > 0;
  }

  /** It ended: those that wait for it are to be looked at. */
  mark(held: Held): void {
    const named = this.#named.get(held);
    if (named === undefined || named.waiting.size === 0) return;
    named.look ??= { named, from: 0 };
    this.#looks.remove(named.look);
    named.look.from = 0;
    this.#looks.push(named.look);
  }

  markGone(held: Held): void {
    const named = this.#named.get(held);
    if (named) named.isGone = true;
    this.mark(held);
  }

  isGone(held: Held): boolean {
    return this.#named.get(held)?.isGone ?? false;
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

  #of(held: Held): Named {
    const named = this.#named.get(held) ?? { held, waiting: new Sequence<Held>(), live: 0, isGone: false, look: undefined };
    this.#named.set(held, named);
    return named;
  }

  #forgetIfUnused(named: Named): void {
    if (named.live > 0 || named.waiting.size > 0) return;
    this.#named.delete(named.held);
    if (named.look) this.#looks.remove(named.look);
  }
}

export type Verdict = { readonly is: "met" } | { readonly is: "open"; readonly on: string } | ({ readonly is: "unmet" } & { readonly fate: Fate });

/** By the states of now. The first that has ended otherwise than asked decides, also while others are open. */
export function judge(store: Store, after: readonly Before[]): Verdict {
  let open: string | undefined;
  for (const { id, when, held } of after) {
    // What is not stored any more is in nobody's way, unless it was removed before it ended.
    if (held === undefined || !(isStored(store, held) || store.afters.isGone(held))) continue;
    const ended = endingOf(store, held);
    if (ended === undefined) {
      open ??= id;
      continue;
    }
    const answer = answerTo(when, ended);
    if (answer !== "met") return { is: "unmet", fate: { is: answer, reason: unmetReason(answer, whatWas(held, ended)) } };
  }
  return open === undefined ? { is: "met" } : { is: "open", on: open };
}

function endingOf(store: Store, held: Held): "well" | "badly" | undefined {
  if (held.kind === "job") return endedAs(held.state);
  return store.afters.isGone(held) ? "badly" : endedJoin(held);
}

function whatWas(held: Held, ended: "well" | "badly"): string {
  return held.kind === "job" ? jobBefore(held.id, held.state) : joinBefore(held.name, held.id, ended);
}

function isStored({ jobs, joins }: Store, held: Held): boolean {
  return (held.kind === "job" ? jobs.get(held.id) : joins.find(held.id)) === held;
}

/** Most have none: they share it. */
const none: readonly Held[] = [];

/** Each once, though it may be named for several endings. */
function predecessors({ after }: Held): readonly Held[] {
  if (after.length === 0) return none;
  const held = after.flatMap((before) => before.held ?? []);
  return held.length < 2 ? held : [...new Set(held)];
}
