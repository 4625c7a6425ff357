/** `errand work <module>`: a worker process, from modules of definitions. */
import { existsSync } from "node:fs";
import { queueName, slotsPerQueue, stopGraceMs } from "../core/defaults.ts";
import { durationMs, inWords, type Duration } from "../core/duration.ts";
import { checkName, didYouMean } from "../core/names.ts";
import { broker, type Broker, type Logger } from "../index.ts";
import { StderrLog, type LogLevel } from "../runtime/log.ts";
import { withoutSecrets } from "../stores.ts";
import { readArguments, usage, type Arguments } from "./arguments.ts";
import { loadDefinitions, type Loaded } from "./loadDefinitions.ts";
import { paint, remark, say } from "./output.ts";
import { storeOf } from "./store.ts";
import { fileOf } from "./storeFile.ts";
import { stopped } from "./stopped.ts";

const help = `errand work <module …>  start a worker; Ctrl-C or SIGTERM stops it gracefully,
                        a second one at once

  <module>              a file that exports tasks and subscriptions: JavaScript,
                        or TypeScript from Node.js 22.18 on
  --queue NAME[=HANDS]  how many jobs of a queue run at once; several times.
                        Default: each queue of the tasks, ${slotsPerQueue} hands
  --grace TIME          how long running jobs may take to end when it stops; the
                        rest is handed back. Default ${stopGraceMs / 1_000}s
  --log LEVEL           debug, info, warn (default) or error, on stderr; each
                        run tells its steps at debug
  --store URL           the store, as in sqlite:shop.db (or ERRAND_STORE); made
                        if it is missing

Exit codes: 0 stopped, 1 failed, 2 a mistake on the command line.`;

const levels: readonly string[] = ["debug", "info", "warn", "error"] satisfies LogLevel[];
const handsMax = 1_000;
/** Tasks to name. */
const namedMax = 5;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, {
    store: { type: "string" },
    queue: { type: "string", multiple: true },
    grace: { type: "string" },
    log: { type: "string" },
  });
  if (given.has("help")) {
    say(help);
    return 0;
  }
  const [url, log, queues] = [storeOf(given), logOf(given), queuesOf(given)];
  const graceMs = durationMs((given.text("grace") ?? `${stopGraceMs}ms`) as Duration, "--grace");
  if (url.startsWith("memory:")) throw usage("memory: is a store within one process: no app could hand this worker anything; use sqlite:shop.db");
  const loaded = await loadDefinitions(given.words);
  const file = fileOf(url);
  const isNew = file !== undefined && !existsSync(file);
  const work = broker({ store: url, log }, ...loaded.modules);
  await serve(work, { url, isNew, loaded, graceMs, queues: queues ?? queuesOfTasks(loaded) });
  return 0;
}

interface Plan {
  readonly url: string;
  readonly isNew: boolean;
  readonly loaded: Loaded;
  readonly graceMs: number;
  readonly queues: ReadonlyMap<string, number>;
}

async function serve(work: Broker, plan: Plan): Promise<void> {
  const [isolate] = plan.loaded.files;
  const worker = await work.start({
    queues: Object.fromEntries(plan.queues),
    grace: `${plan.graceMs}ms`,
    ...(plan.loaded.files.length === 1 && isolate !== undefined && { isolate }),
  });
  const ended = stopped(worker, inWords(plan.graceMs));
  try {
    await greet(work, plan);
    await ended;
  } finally {
    await work.close();
  }
  say("stopped");
}

async function greet(work: Broker, { url, isNew, loaded, queues }: Plan): Promise<void> {
  const { durability } = await work.guarantees();
  const hands = [...queues].map(([queue, count]) => `${queue} (${count} ${count === 1 ? "hand" : "hands"})`).join(", ");
  say(`${paint("green", "working")} on ${withoutSecrets(url)}: ${durability}`);
  if (isNew) remark(`${paint("yellow", "new", process.stderr)}: there was no such file, it was made now`);
  say(`queues: ${hands}; tasks: ${listed([...loaded.definitions.tasks.keys()])}; Ctrl-C stops`);
  remarkUnused(loaded, queues);
  const strangers = (await work.counts()).filter(({ task, states }) => states.ready > 0 && !loaded.definitions.tasks.has(task));
  if (strangers.length > 0)
    remark(
      `jobs wait here that this worker does not know, and leaves alone: ${listed(strangers.map(({ task, states }) => `${task} (${states.ready.toLocaleString("en-US")})`))}`,
    );
}

function remarkUnused({ definitions }: Loaded, queues: ReadonlyMap<string, number>): void {
  const ofTasks = new Set([...definitions.tasks.values()].map(({ policy }) => policy.queue));
  const unused = [...queues.keys()].filter((queue) => queue !== queueName && !ofTasks.has(queue));
  for (const queue of unused) remark(`no task of these modules is in queue ${queue}${didYouMean(queue, ofTasks)}`);
  const unserved = [...ofTasks].filter((queue) => !queues.has(queue));
  if (unserved.length > 0) remark(`this worker leaves queue ${listed(unserved)} to others`);
}

function listed(names: readonly string[]): string {
  return names.length <= namedMax ? names.join(", ") : `${names.slice(0, namedMax).join(", ")} and ${names.length - namedMax} more`;
}

/** `--queue mail=5 --queue default=20`. */
function queuesOf(given: Arguments): ReadonlyMap<string, number> | undefined {
  const texts = given.texts("queue");
  return texts.length === 0 ? undefined : new Map(texts.map(handsOf));
}

function handsOf(text: string): [string, number] {
  const match = /^([^=]+)(?:=(\d{1,6}))?$/.exec(text);
  const hands = Number(match?.[2] ?? slotsPerQueue);
  if (match?.[1] === undefined || hands < 1 || hands > handsMax)
    throw usage(`--queue is "${text}"; write it as --queue mail=5, with 1 to ${handsMax.toLocaleString("en-US")} hands`);
  return [checkName(match[1], "--queue"), hands];
}

function queuesOfTasks({ definitions }: Loaded): ReadonlyMap<string, number> {
  const queues = new Set([queueName, ...[...definitions.tasks.values()].map(({ policy }) => policy.queue)]);
  return new Map([...queues].map((queue) => [queue, slotsPerQueue]));
}

function logOf(given: Arguments): Logger {
  const level = given.text("log") ?? "warn";
  if (!levels.includes(level)) throw usage(`--log is "${level}"${didYouMean(level, levels) || `; it takes ${levels.join(", ")}`}`);
  return new StderrLog(undefined, undefined, level as LogLevel);
}
