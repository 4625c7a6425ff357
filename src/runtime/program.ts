/** A program of errand's own as a process beside this one: it is told things, tells things, and is sent signals. */
import { fork, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inheritedFlags } from "./inheritedFlags.ts";

/** How a process ended. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface ProgramPlan {
  readonly module: URL;
  /** Beside this process's own. */
  readonly env: Readonly<Record<string, string>>;
  /** What it prints is appended to it. */
  readonly logFile: string;
  readonly heard: (message: unknown) => void;
}

export class Program {
  readonly pid: number | undefined;
  readonly ended: Promise<ProgramEnd>;
  readonly #child: ChildProcess;
  #isOver = false;

  constructor({ module, env, logFile, heard }: ProgramPlan) {
    const log = openSync(logFile, "a");
    // A group of its own: Ctrl-C is for the one who started the run, and that one ends the others.
    this.#child = fork(fileURLToPath(module), {
      execArgv: inheritedFlags(process.execArgv),
      env: { ...process.env, ...env },
      stdio: ["ignore", log, log, "ipc"],
      serialization: "json",
      detached: true,
    });
    closeSync(log);
    this.pid = this.#child.pid;
    this.#child.on("message", heard);
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("exit", (code, signal) => {
        this.#isOver = true;
        resolve({ code, signal });
      });
    });
    this.ended.catch(() => undefined); // heard by those who wait for it
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** One that is gone hears nothing. */
  tell(message: object): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.#isOver) this.#child.kill(signal);
  }
}
