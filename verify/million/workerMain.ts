/** Started by doMany.ts with a store, a number of jobs and a file: works until it is told to end, and writes down what it started. */
import { writeFileSync } from "node:fs";
import { broker } from "../../src/index.ts";
import { countingInto } from "./counted.ts";

const [store = "", jobs = "0", file = ""] = process.argv.slice(2);
const starts = new Uint8Array(Number(jobs));
const work = broker(store, { counted: countingInto(starts) });
const worker = await work.start({ queues: { default: 100 }, signals: false });
process.send?.("ready");
process.once("message", () => {
  void worker
    .stop()
    .then(() => work.close())
    .then(() => {
      writeFileSync(file, starts);
      process.exit(0);
    });
});
