/** Who looks after the queue: pauses it, redrives, prunes, puts first; and at the end lets all go on. */
import type { Broker } from "../../src/index.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { Seeded } from "../../src/testing/seeded.ts";

const task = "plain";
const most = 20;
const doings = ["pause", "resume", "redrive", "hurry", "prune", "put first"] as const;

/** Answers what was done. */
export async function lookAfter(broker: Broker, random: Seeded): Promise<string> {
  const doing = doings[Math.floor(random.random() * doings.length)] ?? "resume";
  const isAnswered = await answered(() => change(broker, doing));
  return `${doing}: ${isAnswered ? "done" : "in doubt"}`;
}

/** True: all that was paused goes on. */
export function letGo(broker: Broker): Promise<boolean> {
  return answered(() => broker.resume({ task }));
}

function change(broker: Broker, doing: (typeof doings)[number]): Promise<unknown> {
  switch (doing) {
    case "pause":
      return broker.pause({ task }, "lunch");
    case "resume":
      return broker.resume({ task });
    case "redrive":
      return broker.change({ jobs: { task, states: ["dead"] } }, { do: "retry" }, most);
    case "hurry":
      return broker.change({ jobs: { task, states: ["scheduled"] } }, { do: "retry" }, most);
    case "prune":
      return broker.change({ jobs: { task, states: ["completed", "cancelled"] } }, { do: "delete" }, most);
    case "put first":
      return broker.change({ jobs: { task, states: ["ready"] } }, { do: "prioritise", headStartMs: 600_000 }, most);
  }
}

async function answered(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (!ErrandError.is(error)) throw error;
    return false;
  }
}
