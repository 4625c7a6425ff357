/** How far a reconciliation has come, as a note: the next one goes on where this one's pace ends. */
import { at } from "../at.ts";
import type { NewWork } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import { reconciliationKey } from "../notes.ts";
import type { Instant } from "../runtime.ts";
import type { Store } from "../schedule/stored.ts";

export interface Drift {
  readonly found: number;
  readonly missing: number;
  readonly enqueued: number;
  readonly refused: number;
  readonly dead: number;
}
export const noDrift: Drift = { found: 0, missing: 0, enqueued: 0, refused: 0, dead: 0 };

export function sum(one: Drift, other: Partial<Drift>): Drift {
  const { found = 0, missing = 0, enqueued = 0, refused = 0, dead = 0 } = other;
  return {
    found: one.found + found,
    missing: one.missing + missing,
    enqueued: one.enqueued + enqueued,
    refused: one.refused + refused,
    dead: one.dead + dead,
  };
}

/** The note `reconciliation/<name>`. */
export interface StoredReconciliation {
  readonly name: string;
  /** Until then its pace has starts already. */
  readonly pacedUntil?: Instant;
  readonly running?: (Drift & { readonly job: string; readonly startedAt: Instant }) | undefined;
  readonly last?: Drift & { readonly job: string; readonly startedAt: Instant; readonly endedAt: Instant };
}

/** One run's hold on its note. Whoever wrote in between is a run of the same reconciliation, and this one is over. */
export class ReconciliationNote {
  readonly #store: Store;
  #version: number;
  #stored: StoredReconciliation;

  private constructor(store: Store, stored: StoredReconciliation, version: number) {
    this.#store = store;
    this.#stored = stored;
    this.#version = version;
  }

  static async read(store: Store, name: string): Promise<ReconciliationNote> {
    const note = await store.engine.readNote(reconciliationKey(name), at(store.runtime));
    return new ReconciliationNote(store, note === undefined ? { name } : (JSON.parse(note.value) as StoredReconciliation), note?.version ?? 0);
  }

  get stored(): StoredReconciliation {
    return this.#stored;
  }

  /** In one atom with works. Answers which of them were new. Throws `lease-lost` where another run of the same wrote meanwhile. */
  async write(change: Partial<StoredReconciliation>, works: readonly NewWork[]): Promise<readonly boolean[]> {
    const stored = { ...this.#stored, ...change };
    const write = { key: reconciliationKey(stored.name), value: JSON.stringify(stored), ifVersion: this.#version };
    const [answer] = await this.#store.engine.enqueue([{ works, notes: [write] }], at(this.#store.runtime));
    if (ErrandError.is(answer, "note-conflict"))
      throw new ErrandError("lease-lost", `reconciliation ${stored.name} goes on elsewhere; this run of it ends`, {
        cause: answer,
        details: { reconciliation: stored.name },
      });
    if (answer instanceof ErrandError) throw answer;
    this.#stored = stored;
    this.#version++;
    return (answer ?? []).map(({ isDuplicate }) => !isDuplicate);
  }
}
