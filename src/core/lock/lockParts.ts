/** What the parts of a process's locks share. */
import type { Caretaker } from "./caretaker.ts";
import type { Holder, HolderParts } from "./holder.ts";
import type { Hints } from "./hints.ts";
import type { Returns } from "./returns.ts";

export interface LockParts extends HolderParts {
  readonly holder: Holder;
  readonly hints: Hints;
  readonly caretaker: Caretaker;
  readonly returns: Returns;
}
