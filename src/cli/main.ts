/** `errand <command> …`. Exit codes: 0 done, 1 failed, 2 the command line has a mistake, 3 nothing matched. */
import { readFileSync } from "node:fs";
import { ErrandError, type ErrorCode } from "../core/errors.ts";
import { didYouMean } from "../core/names.ts";
import { complain, outliveReaders, say } from "./output.ts";

/** A command takes its own arguments and answers its exit code. */
interface Command {
  readonly summary: string;
  readonly load: () => Promise<{ readonly run: (args: readonly string[]) => Promise<number> }>;
}

const commands: Readonly<Record<string, Command>> = {
  work: { summary: "start a worker from modules of definitions", load: () => import("./work.ts") },
  jobs: { summary: "list, show, cancel, retry and redrive jobs", load: () => import("./jobs.ts") },
  batches: { summary: "list, show and cancel batches and chains", load: () => import("./batches.ts") },
  schedules: { summary: "list schedules and their next slots; pause, resume, backfill", load: () => import("./schedules.ts") },
  rebuild: { summary: "run reconciliations now, and show how far they come", load: () => import("./rebuild.ts") },
  queues: { summary: "count jobs; pause and resume queues and tasks", load: () => import("./queues.ts") },
  metrics: { summary: "print what the store tells a monitoring system", load: () => import("./metrics.ts") },
  locks: { summary: "list locks, who holds them, and who waits", load: () => import("./locks.ts") },
  migrate: { summary: "make errand's schema on PostgreSQL, or update it", load: () => import("./migrate.ts") },
  doctor: { summary: "look for what is wrong with a store, and print repairs", load: () => import("./doctor.ts") },
  verify: { summary: "prove the guarantees on your own store, under faults", load: () => import("./verify.ts") },
};

/** Errors of what was typed. */
const mistakes: readonly ErrorCode[] = [
  "cli-usage",
  "engine-unknown",
  "option-invalid",
  "option-unknown",
  "name-invalid",
  "schedule-unknown",
  "reconciliation-unknown",
  "not-supported",
];

export async function main(args: readonly string[]): Promise<number> {
  outliveReaders();
  const [name, ...rest] = args;
  if (name === "--version" || name === "-v") {
    say(version());
    return 0;
  }
  if (name === "help" && rest[0] !== undefined) return runCommand(rest[0], ["--help"]);
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    say(help());
    return 0;
  }
  return runCommand(name, rest);
}

async function runCommand(name: string, args: readonly string[]): Promise<number> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    complain(`there is no command "${name}"${didYouMean(name, Object.keys(commands)) || `; there are ${Object.keys(commands).join(", ")}`}`);
    return 2;
  }
  try {
    const { run } = await command.load();
    return await run(args);
  } catch (error) {
    complain(messageOf(error));
    return ErrandError.is(error) && mistakes.includes(error.code) ? 2 : 1;
  }
}

/** The code stays where it can be looked up. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return ErrandError.is(error, "cli-usage") ? error.message.replace(/^cli-usage: /, "") : error.message;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { readonly version: string };
  return manifest.version;
}

function help(): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => `  errand ${name.padEnd(9)} ${summary}`);
  return [
    "errand: background work and events",
    "",
    ...rows,
    "",
    "errand <command> --help says more, errand --version which one this is.",
    "The store is --store or ERRAND_STORE, as in sqlite:shop.db, or as in",
    "postgres://app@db/shop?schema=errand, or redis://host:6379/0?prefix=errand.",
    "",
    "Exit codes: 0 done, 1 failed, 2 a mistake on the command line,",
    "3 nothing matched.",
  ].join("\n");
}
