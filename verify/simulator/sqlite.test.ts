/** Simulated lives on SQLite, each process with a connection of its own. */
import { livesOn } from "./campaign.ts";
import { onSqlite } from "./stores.ts";

livesOn({ maker: onSqlite, steps: 4_000_000, share: 0.2 });
