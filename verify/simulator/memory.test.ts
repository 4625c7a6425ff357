/** Simulated lives on the memory engine. */
import { livesOn } from "./campaign.ts";
import { onMemory } from "./stores.ts";

livesOn({ maker: onMemory, steps: 16_000_000, share: 1 });
