/** It was in flight when processes died, so it runs in one of its own. */
import type { Explain } from "./reason.ts";
import { counted } from "./words.ts";

export const alone: Explain = ({ suspects }) => ({ waits: `for a worker that can run it alone: it was in flight in ${counted(suspects, "crash", "crashes")}` });
