/** What holds a job back. */
import type { JobRow, Waits } from "../engine.ts";
import type { Look } from "./look.ts";

export interface Reason {
  /** Follows "waits": "until it is due …", "for job 7 …", "because …". */
  readonly waits: string;
  /** When it is expected to go on, or on what that depends. */
  readonly expected?: string | undefined;
}

export type Explain = (row: JobRow, waits: Waits, look: Look) => Reason | Promise<Reason>;
