/**
 * What must hold in every scope, seen at the store, call by call: one owner, fences that grow, one end, no start after it, none early. Complaints begin with the number of
 * the guarantee. Written from the port's words, and keeping no more than who was handed what.
 */
import type * as port from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { isEnded, type JobState } from "../../src/core/states.ts";
import type { End, Verb } from "./play.ts";

export interface Holding {
  readonly process: string;
  readonly claim: string;
  readonly fence: number;
}

/** A job, as far as its answers tell. */
export class Seen {
  readonly id: string;
  readonly storedAt: number;
  held: Holding | undefined;
  /** Its own lease, under which it was held and lost to nobody. */
  handedOut = 0;
  ended: JobState | undefined;
  accepted = 0;
  checkpoint: string | undefined;
  isCancelling = false;
  isParked = false;
  notBefore: Instant = 0;

  constructor(id: string, storedAt: number) {
    this.id = id;
    this.storedAt = storedAt;
  }
}

/** A call that was made, and its place among all. */
export interface Made {
  readonly nth: number;
  readonly verb: Verb;
  readonly args: readonly unknown[];
  readonly answer: unknown;
  readonly now: Instant;
}

export class Watch {
  readonly complaints: string[] = [];
  readonly jobs: Map<string, Seen> = new Map();
  /** All that was handed out, in order. */
  readonly starts: { readonly id: string; readonly process: string; readonly now: Instant; readonly nth: number; readonly checkpoint: string | undefined }[] =
    [];
  /** By whoever wants to look: called after the watch itself has. */
  readonly lookers: ((made: Made) => void)[] = [];
  readonly #leases: Map<string, Instant> = new Map();
  readonly #lost: Set<string> = new Set();
  /** By ticket for a lock: its process. */
  readonly #tickets: Map<string, string> = new Map();
  #fence = 0;
  /** Calls so far. */
  nth = 0;

  saw(verb: Verb, args: readonly unknown[], answer: unknown, now: Instant): void {
    this.nth++;
    if (verb === "enqueue") this.#enqueued(args[0] as readonly port.Atom[], answer as (port.Enqueued[] | Error)[], now);
    else if (verb === "claim") this.#claimed(args[0] as port.Claim, answer as port.Claimed, now);
    else if (verb === "settle") this.#settled(args[0] as readonly port.Outcome[], answer as readonly port.Settled[], now);
    else if (verb === "beat") this.#beaten(args[0] as string, args[1] as number, answer as port.Heard, now);
    else if (verb === "tidy") this.#tidied((args[0] as port.Tidy).mayExpire, now);
    else if (verb === "change") this.#changed(args[1] as port.Change, answer as port.Changed);
    else if (verb === "lock") this.#asked(args[0] as port.LockRequest, now);
    else if (verb === "unlock") this.#tickets.delete((args[0] as { readonly ticket: string }).ticket);
    for (const look of this.lookers) look({ nth: this.nth, verb, args, answer, now });
  }

  holds(does: boolean, otherwise: string): void {
    if (!does) this.complaints.push(otherwise);
  }

  /** Not taken back, and not expired. */
  isLive({ process }: Holding, now: Instant): boolean {
    return !this.#lost.has(process) && (this.#leases.get(process) ?? 0) > now;
  }

  isRunning({ held, ended }: Seen): boolean {
    return held !== undefined && ended === undefined && !this.#lost.has(held.process);
  }

  isTakenBack(process: string): boolean {
    return this.#lost.has(process);
  }

  seen(id: string): Seen {
    let seen = this.jobs.get(id);
    if (seen === undefined) this.jobs.set(id, (seen = new Seen(id, this.nth)));
    return seen;
  }

  /** Of all that is left at the end. */
  ended(end: End, mayStay: (row: port.JobRow) => boolean = () => false): readonly string[] {
    return end.rows.flatMap((row) => {
      const seen = this.jobs.get(row.id);
      if (!isEnded(row.state)) return mayStay(row) ? [] : [`G2 ${row.id} is ${row.state} at the end, and waits for ${row.waits?.reason ?? "nothing"}`];
      if (seen?.ended !== undefined && seen.ended !== row.state) return [`G3 ${row.id} is ${row.state}, and was told to be ${seen.ended}`];
      return row.state === "completed" && seen?.accepted !== 1 ? [`G3 ${row.id} is completed, by ${seen?.accepted ?? 0} outcomes that were accepted`] : [];
    });
  }

  #enqueued(atoms: readonly port.Atom[], answers: (port.Enqueued[] | Error)[], now: Instant): void {
    for (const [at, answer] of answers.entries()) {
      if (!Array.isArray(answer)) continue;
      for (const [nth, { id, isDuplicate, leased }] of answer.entries()) {
        const work = atoms[at]?.works[nth];
        if (work?.kind !== "job" || isDuplicate) continue;
        // A new one, also under an id that was forgotten.
        const seen = new Seen(id, this.nth);
        this.jobs.set(id, seen);
        if (leased === undefined || work.lease === undefined) continue;
        this.#handed(seen, work.lease, leased.fence, work.lease.leaseMs, now, undefined);
        this.#fence = Math.max(this.#fence, leased.fence);
      }
    }
  }

  #claimed(wanted: port.Claim, claimed: port.Claimed, now: Instant): void {
    this.#settled(wanted.settling, claimed.settled, now);
    for (const { id, fence = claimed.fence, dueAt, checkpoint, isCancelled } of claimed.jobs) {
      const seen = this.seen(id);
      this.holds(dueAt <= now && seen.notBefore <= now, `G5 ${id} was handed out before it is due`);
      this.#handed(seen, wanted, fence, wanted.leaseMs, now, checkpoint);
      if (isCancelled === true) seen.isCancelling = true;
    }
    if (claimed.jobs.length > 0) this.#fence = Math.max(this.#fence, claimed.fence);
  }

  #handed(
    seen: Seen,
    { process, claim }: Pick<Holding, "process" | "claim">,
    fence: number,
    leaseMs: number,
    now: Instant,
    checkpoint: string | undefined,
  ): void {
    const { id, held } = seen;
    this.holds(seen.ended === undefined, `G4 ${id} was handed out when it was ${seen.ended}`);
    this.holds(fence > this.#fence, `G3 ${id} was handed out under a fence that does not grow`);
    this.holds(!this.#lost.has(process), `G3 ${id} was handed to ${process}, which has lost what it held`);
    this.holds(held === undefined || this.#lost.has(held.process), `G3 ${id} was handed to ${process} while ${held?.process} held it`);
    seen.held = { process, claim, fence };
    seen.handedOut++;
    this.#leases.set(process, Math.max(this.#leases.get(process) ?? 0, now + leaseMs));
    this.starts.push({ id, process, now, nth: this.nth, checkpoint });
  }

  #settled(outcomes: readonly port.Outcome[], answers: readonly port.Settled[], now: Instant): void {
    for (const [nth, { id, is, state }] of answers.entries()) {
      const outcome = outcomes[nth];
      if (outcome === undefined || is === "refused") continue;
      const seen = this.seen(id);
      const { held } = seen;
      const isMine = held !== undefined && held.claim === outcome.claim && held.fence === outcome.fence;
      const mayBe = isMine && !this.#lost.has(held.process) && seen.ended === undefined;
      if (is === "lease-lost") {
        this.holds(!mayBe, `G3 ${id} was not settled by ${outcome.claim}, which held it`);
        continue;
      }
      this.holds(isMine && seen.ended === undefined, `G3 ${id} was settled as ${outcome.is} by ${outcome.claim}, which did not hold it`);
      this.holds(!isMine || mayBe, `G3 ${id} was settled as ${outcome.is} by ${outcome.claim}, from which it was taken back`);
      this.holds(!seen.isCancelling || is === "cancelled" || outcome.is === "saved", `G4 ${id} is cancelling, and was settled as ${outcome.is}`);
      if (outcome.checkpoint !== undefined) seen.checkpoint = outcome.checkpoint;
      if (outcome.is === "saved" && is === "settled") continue;
      seen.held = undefined;
      seen.isParked = state === "parked";
      if (is === "settled" && (outcome.is === "retry" || outcome.is === "snoozed")) seen.notBefore = now + (outcome.delayMs ?? 0);
      if (is === "cancelled") seen.ended = "cancelled";
      else if (outcome.is === "completed" || outcome.is === "skipped" || (outcome.is === "dead" && state === "dead")) {
        seen.ended = outcome.is;
        seen.accepted++;
      }
    }
  }

  #beaten(process: string, leaseMs: number, { isLost }: port.Heard, now: Instant): void {
    const wasLost = this.#lost.has(process);
    this.holds(!isLost || wasLost, `G3 ${process} was told that it lost what it holds, and nobody took it`);
    this.holds(isLost || !wasLost, `G3 ${process} was not told that it lost what it held`);
    if (!isLost && this.#leases.has(process)) this.#leases.set(process, Math.max(this.#leases.get(process) ?? 0, now + leaseMs));
  }

  #asked({ process, ticket, leaseMs }: port.LockRequest, now: Instant): void {
    this.#tickets.set(ticket, process);
    this.#leases.set(process, Math.max(this.#leases.get(process) ?? 0, now + leaseMs));
  }

  /** Who holds something and has let his lease run out loses it, all at once. */
  #tidied(mayExpire: boolean, now: Instant): void {
    if (!mayExpire) return;
    for (const [ticket, process] of this.#tickets) {
      if ((this.#leases.get(process) ?? 0) > now) continue;
      this.#lost.add(process);
      this.#tickets.delete(ticket);
    }
    for (const seen of this.jobs.values()) {
      if (seen.held === undefined || seen.ended !== undefined || (this.#leases.get(seen.held.process) ?? 0) > now) continue;
      this.#lost.add(seen.held.process);
      if (seen.isCancelling) seen.ended = "cancelled";
    }
  }

  #changed(change: port.Change, { jobs }: port.Changed): void {
    for (const { id, is } of jobs) {
      const seen = this.seen(id);
      if (is === "cancelled") {
        this.holds(seen.ended === undefined, `G4 ${id} was cancelled when it was ${seen.ended}`);
        seen.ended = "cancelled";
      } else if (is === "cancelling") {
        this.holds(seen.held !== undefined && seen.ended === undefined, `G4 ${id} is cancelling, and nobody holds it`);
        seen.isCancelling = true;
      } else if (is === "retried") {
        [seen.ended, seen.held, seen.isParked, seen.notBefore] = [undefined, undefined, false, 0];
        seen.accepted = 0;
      } else if (is === "deleted") this.jobs.delete(id);
      else if (is === "ended" && change.do === "cancel" && seen.held !== undefined)
        this.holds(seen.ended !== undefined || this.#lost.has(seen.held.process), `G4 ${id} was told to have ended, and ${seen.held.process} holds it`);
    }
  }
}
