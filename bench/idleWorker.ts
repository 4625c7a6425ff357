/** A worker process beside the bench: tells when a run starts, and its CPU when asked. */
import { broker, task } from "../src/index.ts";

const noop = task("noop", { run: (_input: { id: number }) => void process.send?.({ at: String(process.hrtime.bigint()) }) });
const work = broker(`sqlite:${process.argv[2] ?? ""}`, { noop });
await work.start({ queues: { default: 10 } });
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1_000 });
});
process.send?.("ready");
