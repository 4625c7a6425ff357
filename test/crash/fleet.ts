/** A store in a temporary folder, real worker processes on it, and the ledger of what they did. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { broker, type Broker } from "../../src/index.ts";
import * as definitions from "./definitions.ts";
import { linesOf, type LedgerLine } from "./definitions.ts";
import type { CrashStore } from "./stores.ts";

/** A server that is killed is complained of. */
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export class Fleet {
  readonly folder: string = mkdtempSync(join(tmpdir(), "errand-crash-"));
  readonly file: string = join(this.folder, "store.db");
  readonly work: Broker;
  readonly #store: CrashStore;
  readonly #ledger: string = join(this.folder, "ledger");
  readonly #children: Set<ChildProcess> = new Set();

  /** Without a store of its own: a file in its folder. */
  constructor(store?: CrashStore) {
    this.#store = store ?? { url: `sqlite:${this.file}`, dispose: () => undefined };
    this.work = broker({ store: this.#store.url, log: quiet }, definitions);
  }

  /** Starts a worker process and waits until it works. */
  async worker(options: { readonly hands?: number; readonly isolate?: boolean; readonly execArgv?: string[] } = {}): Promise<ChildProcess> {
    const child = fork(new URL("./workerMain.ts", import.meta.url), {
      execArgv: ["--disable-warning=ExperimentalWarning", ...(options.execArgv ?? [])],
      env: { ...process.env, STORE: this.#store.url, LEDGER: this.#ledger, HANDS: String(options.hands ?? 10), ISOLATE: options.isolate ? "yes" : "no" },
      stdio: ["ignore", "ignore", process.env["DEBUG_CRASH"] ? "inherit" : "ignore", "ipc"],
    });
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    await Promise.race([
      once(child, "message"),
      once(child, "exit").then(([code, signal]) => {
        throw new Error(`a worker ended before it worked: ${String(code)} ${String(signal)}`);
      }),
    ]);
    return child;
  }

  /** Ends a process by `signal` and waits until it is gone. */
  async end(child: ChildProcess, signal: NodeJS.Signals): Promise<{ code: number | null; signal: string | null }> {
    const gone = once(child, "exit");
    child.kill(signal);
    const [code, by] = (await gone) as [number | null, string | null];
    return { code, signal: by };
  }

  lines(): LedgerLine[] {
    return linesOf(this.#ledger);
  }

  /** Waits until `isTrue` holds; throws after `seconds`. */
  async until(what: string, isTrue: () => Promise<boolean> | boolean, seconds: number): Promise<number> {
    const begin = now();
    while (!(await isTrue())) {
      if (now() - begin > seconds * 1_000) throw new Error(`${what}: not within ${seconds} s; ${JSON.stringify(await this.work.count())}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return now() - begin;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [...this.#children]) {
      child.kill("SIGCONT");
      await this.end(child, "SIGKILL");
    }
    await this.work.close();
    await this.#store.dispose();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** CLOCK_MONOTONIC in ms, as in the ledger. */
export function now(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
