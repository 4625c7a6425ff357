/** Processes that hold something: jobs, locks, or a place in a lock's line. One lease covers it all (G3). */
import type { Instant, Ms } from "../core/runtime.ts";
import { Heap } from "./heap.ts";
import type { Job } from "./job.ts";

export interface Process {
  readonly id: string;
  readonly since: Instant;
  readonly running: Set<Job>;
  leaseUntil: Instant;
  /** Something was taken back from it: whatever it still holds is void, and it gets nothing more. */
  isLost: boolean;
}

export class Processes {
  readonly #byId = new Map<string, Process>();
  readonly #byLeaseEnd = new Heap<Process>((a, b) => a.leaseUntil - b.leaseUntil);

  find(id: string): Process | undefined {
    return this.#byId.get(id);
  }

  /** Made if it is missing; its lease lasts at least `leaseMs` from now. */
  of(id: string, leaseMs: Ms, now: Instant): Process {
    const process = this.#byId.get(id) ?? { id, since: now, running: new Set(), leaseUntil: now, isLost: false };
    this.#byId.set(id, process);
    this.leaseUntil(process, Math.max(process.leaseUntil, now + leaseMs));
    return process;
  }

  leaseUntil(process: Process, until: Instant): void {
    this.#byLeaseEnd.remove(process);
    process.leaseUntil = until;
    this.#byLeaseEnd.push(process);
  }

  /** The one whose lease ended first, if it had ended by then. */
  expired(until: Instant): Process | undefined {
    const first = this.#byLeaseEnd.first();
    return first && first.leaseUntil <= until ? first : undefined;
  }

  forget(process: Process): void {
    this.#byId.delete(process.id);
    this.#byLeaseEnd.remove(process);
  }

  *known(): Generator<Process> {
    for (const process of this.#byId.values()) if (!process.isLost) yield process;
  }
}
