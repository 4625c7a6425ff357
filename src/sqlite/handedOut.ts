/**
 * Where the jobs stand that this process was handed out, by claim: so that their endings need no look by id. No more than a hint: what runs under a claim is
 * told by errand_running, and a claim's id is never used again.
 */

/** What is older is looked up by id. */
const claimsMax = 32;

export class HandedOut {
  readonly #claims: Map<string, Map<string, number>> = new Map();

  /** By id. A claim that had to be tried again has handed out what it answered last. */
  note(claim: string, seqs: Map<string, number>): void {
    this.#claims.delete(claim);
    this.#claims.set(claim, seqs);
    if (this.#claims.size <= claimsMax) return;
    const [oldest] = this.#claims.keys();
    if (oldest !== undefined) this.#claims.delete(oldest);
  }

  of(claim: string): ReadonlyMap<string, number> | undefined {
    return this.#claims.get(claim);
  }

  /** They have ended. */
  forget(claim: string, ids: Iterable<string>): void {
    const seqs = this.#claims.get(claim);
    if (seqs === undefined) return;
    for (const id of ids) seqs.delete(id);
    if (seqs.size === 0) this.#claims.delete(claim);
  }
}
