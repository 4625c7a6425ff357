/** What was asked for on the command line. */
import type { Choices } from "./explore.ts";

/** `npm run verify -- scopes`: how many faults there may be in every scope. */
export const wideFaults: number | undefined = process.env["SCOPES_FAULTS"] === undefined ? undefined : Number(process.env["SCOPES_FAULTS"]);

export interface Replay {
  readonly engine: string;
  readonly scope: string;
  readonly faults: number;
  readonly choices: Choices;
  /** The planted bug, if there was one. */
  readonly bug?: string;
}

const asked = process.env["SCOPES_REPLAY"];
export const toReplay: Replay | undefined = asked === undefined ? undefined : (JSON.parse(asked) as Replay);
