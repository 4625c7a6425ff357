/**
 * Claims whose answer never arrived. They may have leased jobs to this process, whose heartbeat would keep them from everybody for ever:
 * they are looked for among the running jobs and handed back.
 */
import { at } from "../at.ts";
import { pageMax } from "../defaults.ts";
import type { JobRow, Outcome } from "../engine.ts";
import type { WorkerParts } from "./settings.ts";

const claimsMax = 100;
const pagesMax = 50;

interface LostClaim {
  /** A call may still be under way in the store when its connection is gone, so it is looked for twice. */
  looks: number;
  nextAt: number;
}

export class Stranded {
  readonly #parts: WorkerParts;
  readonly #claims: Map<string, LostClaim> = new Map();

  constructor(parts: WorkerParts) {
    this.#parts = parts;
  }

  get waiting(): number {
    return this.#claims.size;
  }

  add(claim: string): void {
    if (this.#claims.size < claimsMax) this.#claims.set(claim, { looks: 2, nextAt: 0 });
    else this.#parts.log.warn({ claim }, "too many claims without an answer; what this one took is free when this worker has stopped");
  }

  /** The outcomes that hand back what the lost claims took. */
  async look(): Promise<Outcome[]> {
    const now = this.#parts.runtime.monotonic();
    const due = new Set([...this.#claims].filter(([, { nextAt }]) => nextAt <= now).map(([claim]) => claim));
    if (due.size === 0) return [];
    const found = await this.#find(due);
    for (const claim of due) this.#looked(claim, now);
    return found;
  }

  async #find(claims: ReadonlySet<string>): Promise<Outcome[]> {
    const { engine, runtime } = this.#parts;
    const found: Outcome[] = [];
    let after: string | undefined;
    for (let page = 0; page < pagesMax; page++) {
      const { rows, next } = await engine.find(
        { of: "jobs", where: { states: ["running"] }, limit: pageMax, ...(after !== undefined && { after }) },
        at(runtime),
      );
      found.push(...rows.flatMap((row) => handBack(row, claims)));
      after = next;
      if (after === undefined) break;
    }
    return found;
  }

  #looked(claim: string, now: number): void {
    const lost = this.#claims.get(claim);
    if (lost === undefined) return;
    lost.nextAt = now + this.#parts.settings.leaseMs;
    if (--lost.looks === 0) this.#claims.delete(claim);
  }
}

function handBack({ id, claim }: JobRow, claims: ReadonlySet<string>): Outcome[] {
  return claim !== undefined && claims.has(claim.claim) ? [{ id, claim: claim.claim, fence: claim.fence, is: "released", ranMs: 0 }] : [];
}
