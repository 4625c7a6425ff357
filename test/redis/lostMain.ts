/** A worker process of the test of a lost store: does the rows of the app's table once the gate is open; says "ready" when it works, ends by signals. */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { broker } from "../../src/index.ts";
import { undoneOf } from "./lostTasks.ts";

const gate = process.env["GATE"] ?? "";
const { doRow, undone } = undoneOf(process.env["ROWS"] ?? "", async () => {
  while (!existsSync(gate)) await sleep(20);
});
const work = broker(process.env["STORE"] ?? "", { doRow, undone });
await work.start({ queues: { default: 10 }, grace: "2s" });
process.send?.("ready");
