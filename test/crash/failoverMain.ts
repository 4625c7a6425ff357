/** A worker process of the fail-over tests: says "ready" when it works, ends by signals. */
import { broker } from "../../src/index.ts";
import { doRow, log, undone } from "./failoverTasks.ts";

const work = broker({ store: process.env["STORE"] ?? "", log }, { doRow, undone });
await work.start({ queues: { default: Number(process.env["HANDS"] ?? 5) }, grace: "2s" });
process.send?.("ready");
