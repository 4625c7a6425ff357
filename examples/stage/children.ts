/** The processes of a run: started, killed, and all ended at the end. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

const startMs = 20_000;
const stopMs = 5_000;

export interface Child {
  readonly name: string;
  readonly url: string;
  readonly process: ChildProcess;
}

export class Children {
  readonly #modules: string;
  readonly #directory: string;
  readonly #alive: Set<Child> = new Set();
  #isClosed = false;
  #failed: (error: Error) => void = () => undefined;
  /** Rejects when one of them ends by itself. */
  readonly failure: Promise<never> = new Promise((_, reject) => (this.#failed = reject));

  /** Their modules stand in the first directory; their output goes to log files in the second. */
  constructor(modules: string, directory: string) {
    this.#modules = modules;
    this.#directory = directory;
    this.failure.catch(() => undefined); // heard by whoever races against it
  }

  /** Runs a module; resolves when it says that it is ready. It finds its name in `STAGE_PROCESS`. */
  async start(module: string, name: string, settings: Readonly<Record<string, string>>): Promise<Child> {
    if (this.#isClosed) return this.failure;
    const log = openSync(this.#logOf(name), "a");
    const child = fork(join(this.#modules, module), { env: { ...process.env, ...settings, STAGE_PROCESS: name }, stdio: ["ignore", log, log, "ipc"] });
    closeSync(log);
    const starting = { name, url: "", process: child };
    this.#alive.add(starting);
    child.once("exit", (code, signal) => this.#ended(starting, code, signal));
    const [message] = (await Promise.race([once(child, "message", { signal: AbortSignal.timeout(startMs) }), this.failure])) as [{ readonly url: string }];
    return this.#replace(starting, { ...starting, url: message.url });
  }

  /** kill -9: nothing in it can react. */
  async kill(child: Child): Promise<void> {
    await this.#endBy("SIGKILL", child);
  }

  async end(child: Child): Promise<void> {
    const impatience = setTimeout(() => child.process.kill("SIGKILL"), stopMs);
    await this.#endBy("SIGTERM", child);
    clearTimeout(impatience);
  }

  /** Ends all, and starts no other. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.endAll();
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#alive].map((child) => this.end(child)));
  }

  async #endBy(signal: NodeJS.Signals, child: Child): Promise<void> {
    this.#forget(child);
    if (child.process.exitCode !== null || child.process.signalCode !== null) return;
    const exit = once(child.process, "exit");
    child.process.kill(signal);
    await exit;
  }

  #ended(child: Child, code: number | null, signal: string | null): void {
    if (!this.#forget(child)) return;
    const lastLines = readFileSync(this.#logOf(child.name), "utf8").trimEnd().split("\n").slice(-12).join("\n");
    this.#failed(new Error(`the ${child.name} ended by itself (${signal ?? `exit code ${code}`}). Its last lines:\n${lastLines}`));
  }

  #replace(before: Child, after: Child): Child {
    this.#forget(before);
    this.#alive.add(after);
    return after;
  }

  /** By its process: the value a caller holds may be a later one. */
  #forget(child: Child): boolean {
    const found = [...this.#alive].find((alive) => alive.process === child.process);
    return found !== undefined && this.#alive.delete(found);
  }

  #logOf(name: string): string {
    return join(this.#directory, `${name.replaceAll(" ", "-")}.log`);
  }
}
