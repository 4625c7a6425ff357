/** Who held which lock when, by the store's answers: writers alone, readers together, and each grant with a fence above all before it (I16, I17). */
import type { LockRequest } from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";

/** What is led; all other locks guard something. */
const leadership = "captain";

interface Grant {
  readonly process: string;
  readonly mode: LockRequest["mode"];
  readonly fence: number;
}

export class LockWatch {
  readonly #holds: (does: boolean, invariant: string, otherwise: string) => void;
  readonly #leaseUntil: (process: string) => Instant;
  /** By name, then by ticket. */
  readonly #grants: Map<string, Map<string, Grant>> = new Map();

  constructor(holds: (does: boolean, invariant: string, otherwise: string) => void, leaseUntil: (process: string) => Instant) {
    this.#holds = holds;
    this.#leaseUntil = leaseUntil;
  }

  /** True: it was not known to be granted. */
  granted({ name, ticket, process, mode, permits = 1 }: LockRequest, fence: number, now: Instant): boolean {
    const all = this.#grants.get(name) ?? new Map<string, Grant>();
    this.#grants.set(name, all);
    if (all.get(ticket)?.fence === fence) return false;
    const live = [...all].filter(([other, { process: holder }]) => other !== ticket && this.#leaseUntil(holder) > now).map(([, grant]) => grant);
    const beside = mode === "read" ? live.filter((other) => other.mode === "write") : live;
    const room = mode === "read" ? 1 : permits;
    this.#holds(beside.length < room, name === leadership ? "I17" : "I16", `${name} was granted to ${process} while ${beside[0]?.process} held it`);
    all.set(ticket, { process, mode, fence });
    return true;
  }

  unlocked({ name, ticket }: { readonly name: string; readonly ticket: string }): void {
    this.#grants.get(name)?.delete(ticket);
  }
}
