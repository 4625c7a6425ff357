/** `errand work <module>`: a worker process, from a module of definitions. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { broker, type Broker, type DefinitionModule, type Logger } from "../index.ts";
import { StderrLog, type LogLevel } from "../runtime/log.ts";
import { readArguments, usage, type Arguments } from "./arguments.ts";
import { paint, say } from "./output.ts";
import { storeOf, storeOption } from "./store.ts";

const help = `errand work <module …> --store URL    start a worker; SIGTERM or Ctrl-C stops it gracefully, a second one at once

  <module>            a JavaScript (or, on Node 24, TypeScript) file that exports tasks and subscriptions
  --queue NAME=HANDS  how many jobs of a queue run at once; several times. Default: each queue of the tasks, 10 hands
  --grace TIME        how long running jobs may take to end when stopping. Default 25s
  --log LEVEL         debug, info, warn (default) or error: the log of every run is at debug
  --store URL         the store, as in sqlite:shop.db (or ERRAND_STORE)`;

const levels: readonly string[] = ["debug", "info", "warn", "error"] satisfies LogLevel[];

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, { ...storeOption, queue: { type: "string", multiple: true }, grace: { type: "string" }, log: { type: "string" } });
  if (given.has("help")) {
    say(help);
    return 0;
  }
  if (given.words.length === 0) throw usage("which definitions? give a module, as in errand work ./tasks.js");
  const files = given.words.map((word) => pathToFileURL(resolve(word)).href);
  const modules = await Promise.all(files.map(load));
  const work = broker({ store: storeOf(given), log: logOf(given) }, ...modules);
  await serve(work, given, files);
  return 0;
}

async function load(file: string): Promise<DefinitionModule> {
  try {
    return (await import(file)) as DefinitionModule;
  } catch (error) {
    throw usage(`${file} does not load: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function serve(work: Broker, given: Arguments, files: readonly string[]): Promise<void> {
  const queues = queuesOf(given);
  const grace = given.text("grace");
  const [isolate] = files;
  const worker = await work.start({
    ...(queues && { queues }),
    ...(grace !== undefined && { grace: grace as `${number}s` }),
    ...(files.length === 1 && isolate !== undefined && { isolate }),
  });
  const { durability } = await work.guarantees();
  say(`${paint("green", "working")} on ${storeOf(given)} (${durability})`);
  await worker.stopped;
  await work.close();
}

/** `--queue mail=5 --queue default=20`. */
function queuesOf(given: Arguments): Record<string, number> | undefined {
  const texts = given.texts("queue");
  if (texts.length === 0) return undefined;
  return Object.fromEntries(
    texts.map((text) => {
      const [name = "", hands = "10"] = text.split("=");
      if (!/^\d+$/.test(hands)) throw usage(`--queue is "${text}"; write it as --queue mail=5`);
      return [name, Number(hands)];
    }),
  );
}

function logOf(given: Arguments): Logger {
  const level = given.text("log") ?? "warn";
  if (!levels.includes(level)) throw usage(`--log is "${level}"; it takes ${levels.join(", ")}`);
  return new StderrLog(undefined, undefined, level as LogLevel);
}
