/** What keeps every worker from a line of ready jobs. */
import type { JobRow } from "../../engine.ts";
import type { KnownTask } from "../known.ts";
import type { Look } from "../look.ts";

export interface Door {
  /** Follows "because": "queue mail is paused". */
  readonly closed: string;
  /** When it opens, or on what that depends. */
  readonly opens?: string;
}

/** `known` is undefined where nobody has told of the task. */
export type FindDoors = (row: JobRow, known: KnownTask | undefined, look: Look) => Promise<readonly Door[]>;
