/** Bugs in errand's own sources, each a small change of the kind that a hand makes. */
import { coreBugs } from "./coreBugs.ts";
import { storeBugs } from "./storeBugs.ts";
import type { Planted } from "./plant.ts";
import { workerBugs } from "./workerBugs.ts";

export const sourceBugs: readonly Planted[] = [...workerBugs, ...coreBugs, ...storeBugs];
