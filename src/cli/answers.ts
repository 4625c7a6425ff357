/** What the store answers to a change, for people. */
import type { ChangedJob } from "../index.ts";

/** `freed`: it was parked, and another job of its key opened the key: it runs again in its turn. */
export type Answer = ChangedJob["is"] | "freed";

const phrases: Readonly<Partial<Record<Answer, string>>> = {
  retried: "will run again",
  freed: "will run again in their key's order",
  cancelled: "cancelled",
  cancelling: "running: asked to stop",
  ended: "had ended before: nothing to do",
  waiting: "waits already: nothing to do",
  running: "runs already: nothing to do",
  taken: "not retried: another live job holds its unique key",
  unknown: "no such job, or its retention has passed",
};

export function phraseFor(is: Answer): string {
  return phrases[is] ?? is;
}

export function isChange(is: Answer): boolean {
  return is === "retried" || is === "freed" || is === "cancelled" || is === "cancelling";
}
