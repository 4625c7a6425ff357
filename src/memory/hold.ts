/** What keeps a job, or a join, from going on: its join, and what it comes after. */
import type { After } from "../core/engine.ts";
import type { Ms } from "../core/runtime.ts";
import type { Join } from "./join.ts";
import type { Job } from "./job.ts";

/** What may come after something, or be a member of a join. Both are numbered in the order of their storing. */
export type Held = Job | Join;

/** What something comes after: the very job or join that stood then, never a later one with its id. Absent: it was gone already. */
export interface Before extends After {
  readonly held: Held | undefined;
}

export interface Hold {
  /** Its own join is not open, or has not let it go yet. */
  isByJoin: boolean;
  /** Times that count from its being let go. */
  delayMs: Ms | undefined;
  startWithinMs: Ms | undefined;
}
