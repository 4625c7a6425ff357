/** What a look at a store's health tells. */
export interface Examination {
  /** The store, without secrets. */
  readonly of: string;
  /** In words, so that nobody takes what was not looked at for sound. */
  readonly lookedAt: readonly string[];
  /** What is neither right nor wrong. */
  readonly facts?: readonly Fact[];
  readonly findings: readonly Finding[];
}

export interface Fact {
  readonly of: string;
  readonly is: string;
}

export interface Finding {
  readonly about: "schema" | "settings" | "privileges" | "horizon" | "vacuum" | "integrity";
  /** One sentence. */
  readonly what: string;
  /** Absent: no statement repairs it, and `what` ends in what does. */
  readonly repair?: string;
}
