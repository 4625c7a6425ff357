/** `errand queues pause` and `resume`. */
import type { Pausable } from "../index.ts";
import { didYouMean } from "../core/names.ts";
import { usage, type Arguments } from "./arguments.ts";
import { paint, remark, say } from "./output.ts";
import { isPausedBy, pausesOf } from "./pauses.ts";
import { plainJson } from "./plain.ts";
import type { OpenStore } from "./store.ts";

type QueueOrTask = Exclude<Pausable, { readonly schedule: string }>;

export async function pauseQueue(store: OpenStore, given: Arguments, queue: string | undefined): Promise<number> {
  const what = pausableOf(queue, given, "pause");
  await store.work.pause(what, given.text("reason"));
  await remarkStranger(store, what);
  if (given.has("json")) say(plainJson({ ...what, isPaused: true }));
  else say(`${nameOf(what)} ${paint("yellow", "is paused")}: no job of it starts until errand queues resume ${wordsFor(what)}`);
  return 0;
}

/** 3: it was not paused. */
export async function resumeQueue(store: OpenStore, given: Arguments, queue: string | undefined): Promise<number> {
  const what = pausableOf(queue, given, "resume");
  const pauses = await pausesOf(store);
  const wasPaused = isPausedBy({ queue: "", task: "", ...what }, pauses) !== undefined;
  await store.work.resume(what);
  if (given.has("json")) say(plainJson({ ...what, isPaused: false }));
  if (!wasPaused)
    remark(
      `${nameOf(what)} was not paused${didYouMean(
        Object.values(what).join(""),
        pauses.map(({ name }) => name),
      )}`,
    );
  else if (!given.has("json")) say(`${nameOf(what)} ${paint("green", "goes on")}`);
  return wasPaused ? 0 : 3;
}

function pausableOf(queue: string | undefined, given: Arguments, verb: string): QueueOrTask {
  const task = given.text("task");
  if (queue !== undefined && task === undefined) return { queue };
  if (task !== undefined && queue === undefined) return { task };
  throw usage(`queues ${verb} takes a queue, or --task <task>`);
}

/** One may pause what has no jobs yet; more often it is misspelt. */
async function remarkStranger({ work }: OpenStore, what: QueueOrTask): Promise<void> {
  const [kind, name] = "queue" in what ? (["queue", what.queue] as const) : (["task", what.task] as const);
  const known = new Set((await work.counts()).map((line) => line[kind]));
  if (!known.has(name)) remark(`no job here is of ${nameOf(what)}${didYouMean(name, known)}`);
}

function nameOf(what: QueueOrTask): string {
  return "queue" in what ? `queue ${what.queue}` : `task ${what.task}`;
}

function wordsFor(what: QueueOrTask): string {
  return "queue" in what ? what.queue : `--task ${what.task}`;
}
