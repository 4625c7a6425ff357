/** What the engine needs of what it keeps its jobs in: one home, as almost always, or several. */
import type { Guarantees, Unlisten } from "../../core/engine.ts";
import type { BeatSource } from "../../core/runtime.ts";
import type { Verbs } from "../verbs.ts";

export type StoreVerbs = Pick<
  Verbs,
  "enqueue" | "claim" | "settle" | "beat" | "tidy" | "change" | "find" | "count" | "lock" | "unlock" | "readNote" | "move" | "queueIn"
>;

export interface Store {
  readonly verbs: StoreVerbs;
  /** Where the keys are, for messages, and what those of the first home begin with. */
  readonly name: string;
  readonly key: string;
  /** Undefined where a thread could not connect. */
  readonly beat: BeatSource | undefined;
  readonly isHearing: boolean;
  guarantees(): Guarantees;
  listen(wake: () => void): Unlisten;
  close(): Promise<void>;
}
