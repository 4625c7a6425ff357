/** `errand <command> …`. Exit codes: 0 done, 1 failed, 2 the command line has a mistake, 3 nothing matched. */
import { ErrandError } from "../core/errors.ts";
import { didYouMean } from "../core/names.ts";
import { complain, say } from "./output.ts";

/** A command takes its own arguments and answers its exit code. */
interface Command {
  readonly summary: string;
  readonly load: () => Promise<{ run(args: readonly string[]): Promise<number> }>;
}

const commands: Readonly<Record<string, Command>> = {
  work: { summary: "start a worker from a module of definitions", load: () => import("./work.ts") },
  jobs: { summary: "list, show, cancel, retry and redrive jobs", load: () => import("./jobs.ts") },
  queues: { summary: "count jobs; pause and resume queues and tasks", load: () => import("./queues.ts") },
};

export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    say(help());
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    complain(`errand has no command "${name}"${didYouMean(name, Object.keys(commands)) || `; it has ${Object.keys(commands).join(", ")}`}`);
    return 2;
  }
  try {
    const { run } = await command.load();
    return await run(rest);
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return ErrandError.is(error, "cli-usage") ? 2 : 1;
  }
}

function help(): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => `  errand ${name.padEnd(8)} ${summary}`);
  return [
    "errand: background work and events",
    "",
    ...rows,
    "",
    "Each command says more with --help. The store is --store or ERRAND_STORE, as in sqlite:shop.db.",
    "Exit codes: 0 done, 1 failed, 2 a mistake on the command line, 3 nothing matched.",
  ].join("\n");
}
