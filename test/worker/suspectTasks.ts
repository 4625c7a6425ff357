/** Definitions that a child process loads. */
import { skip } from "../../src/core/endings.ts";
import { task } from "../../src/core/task.ts";

export const next = task("next", () => undefined);
export const killer = task("killer", () => process.kill(process.pid, "SIGKILL"));
export const innocent = task("innocent", (_input: {}, job) => job.enqueue(next.with({})));
export const skipping = task("skipping", () => skip("nothing to do"));
export const reading = task("reading", async (_input: {}, job) => {
  const read: unknown[] = [];
  for await (const { task: name, state } of job.before()) read.push(name, state);
  skip(read.join());
});
export const committing = task("committing", { retry: { first: "1h" }, run: (_input: {}, job) => job.commit({} as never) });
export const stepping = task("stepping", async (_input: {}, job) => {
  await job.step("charge", () => "p7");
  await job.save({ page: 3 });
  await job.save("x".repeat(300_000)).catch((error: Error) => job.save(error.message.slice(0, 20)));
  process.kill(process.pid, "SIGKILL");
});
export const failing = task("failing", {
  retry: { first: "1h" },
  run: () => {
    throw new Error("smtp down");
  },
});
