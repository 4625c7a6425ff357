/** Which queues and tasks are paused, since when, and why. */
import { pageMax } from "../core/defaults.ts";
import type { OpenStore } from "./store.ts";

export interface Pause {
  readonly of: "queue" | "task";
  readonly name: string;
  readonly since: Date;
  /** Empty: none was given. */
  readonly reason: string;
}

const prefix = "pause/";

/** At most 1,000. */
export async function pausesOf({ engine }: Pick<OpenStore, "engine">): Promise<readonly Pause[]> {
  const { rows } = await engine.find({ of: "notes", prefix, limit: pageMax }, {});
  return rows.map(({ key, value, writtenAt }) => {
    const [kind, name = ""] = key.slice(prefix.length).split("/");
    const { reason = "" } = JSON.parse(value) as { readonly reason?: string };
    return { of: kind === "task" ? "task" : "queue", name, since: new Date(writtenAt), reason };
  });
}

export function isPausedBy(line: { readonly queue: string; readonly task: string }, pauses: readonly Pause[]): Pause | undefined {
  return pauses.find((pause) => pause.name === line[pause.of]);
}
