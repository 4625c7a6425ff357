/** Which queues, tasks and schedules are paused, since when, and why. */
import { pageMax } from "../core/defaults.ts";
import { reasonOfPause } from "../core/pauseNote.ts";
import type { OpenStore } from "./store.ts";

export interface Pause extends PauseOf<"queue" | "task"> {}

export interface PauseOf<What extends string> {
  readonly of: What;
  readonly name: string;
  readonly since: Date;
  /** Empty: none was given. */
  readonly reason: string;
}

const prefix = "pause/";

/** Of queues and tasks: at most 1,000 of each. */
export async function pausesOf(store: Pick<OpenStore, "engine">): Promise<readonly Pause[]> {
  return [...(await pausesOfKind(store, "queue")), ...(await pausesOfKind(store, "task"))];
}

/** At most 1,000. */
export async function pausesOfKind<What extends "queue" | "task" | "schedule">(
  { engine }: Pick<OpenStore, "engine">,
  of: What,
): Promise<readonly PauseOf<What>[]> {
  const { rows } = await engine.find({ of: "notes", prefix: `${prefix}${of}/`, limit: pageMax }, {});
  return rows.map(({ key, value, writtenAt }) => ({
    of,
    name: key.slice(`${prefix}${of}/`.length),
    since: new Date(writtenAt),
    reason: reasonOfPause(value),
  }));
}

export function isPausedBy(line: { readonly queue: string; readonly task: string }, pauses: readonly Pause[]): Pause | undefined {
  return pauses.find((pause) => pause.name === line[pause.of]);
}
