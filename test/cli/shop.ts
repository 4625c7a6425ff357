/** A store in a folder of its own, and the command line on it as a child process. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { broker, type Broker, type JobState } from "../../src/index.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import * as tasks from "./fixtures/tasks.ts";

const entry = fileURLToPath(new URL("./fixtures/entry.ts", import.meta.url));
export const tasksFile: string = fileURLToPath(new URL("./fixtures/tasks.ts", import.meta.url));
const patienceMs = 20_000;

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export class Shop implements AsyncDisposable {
  readonly folder: string = mkdtempSync(path.join(tmpdir(), "errand-cli-"));
  readonly file: string = path.join(this.folder, "shop.db");
  readonly url: string = `sqlite:${this.file}`;
  readonly work: Broker = broker({ store: sqlite(this.file), log: { debug() {}, info() {}, warn() {}, error() {} } }, tasks);
  readonly #ledger: string = path.join(this.folder, "ledger");
  readonly #children: Set<ChildProcess> = new Set();

  /** Runs `errand …` on the store to its end. */
  async errand(...args: readonly string[]): Promise<Ended> {
    return this.ended(this.start(args));
  }

  /** The same, with what it printed read as JSON. */
  async json<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse((await this.errand(...args, "--json")).out) as T;
  }

  /** A worker, when it works. */
  async worker(...args: readonly string[]): Promise<{ readonly child: ChildProcess; readonly ended: Promise<Ended> }> {
    const child = this.start(["work", tasksFile, ...args]);
    const ended = this.ended(child);
    const working = new Promise<void>((resolve) => child.stdout?.on("data", (text: string) => text.includes("queues:") && resolve()));
    await Promise.race([working, ended.then(({ err }) => Promise.reject(new Error(`the worker ended before it worked: ${err}`)))]);
    return { child, ended };
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    return this.#spawn(process.execPath, [entry, ...args], env);
  }

  /** The same within a shell's script, as its "$@". */
  piped(script: string, args: readonly string[]): ChildProcess {
    return this.#spawn("sh", ["-c", script, "sh", process.execPath, entry, ...args], {});
  }

  #spawn(command: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    const child = spawn(command, args, {
      cwd: this.folder,
      env: { ...process.env, NODE_COMPILE_CACHE: path.join(tmpdir(), "errand-cli-cache"), ERRAND_STORE: this.url, LEDGER: this.#ledger, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout?.setEncoding("utf8");
    child.stderr?.setEncoding("utf8");
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return child;
  }

  async ended(child: ChildProcess): Promise<Ended> {
    let [out, err] = ["", ""];
    child.stdout?.on("data", (text: string) => (out += text));
    child.stderr?.on("data", (text: string) => (err += text));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, out, err };
  }

  /** Lets a worker in this process run until so many jobs are in that state. */
  async run(state: JobState, jobs: number): Promise<void> {
    process.env["LEDGER"] ??= path.join(tmpdir(), "errand-cli-unused");
    const worker = await this.work.start({ signals: false, grace: "100ms" });
    await this.until(`${jobs} ${state}`, async () => (await this.work.count())[state] === jobs);
    await worker.stop();
  }

  async until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
    const end = Date.now() + patienceMs;
    while (!(await isTrue())) {
      if (Date.now() > end) throw new Error(`${what}: not within ${patienceMs / 1_000} s; ${JSON.stringify(await this.work.count())}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** What fails, fails no more. */
  mend(): void {
    writeFileSync(`${this.#ledger}.mended`, "");
  }

  /** What the workers that were started here did, in order. */
  done(): readonly string[] {
    return existsSync(this.#ledger) ? readFileSync(this.#ledger, "utf8").trimEnd().split("\n") : [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.#children].map(async (child) => {
        const gone = once(child, "exit");
        child.kill("SIGKILL");
        await gone;
      }),
    );
    await this.work.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
