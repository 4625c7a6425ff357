/** A process that takes a lock and counts under it, step by step as it is told: in a row that trusts the lock alone, and in one that looks at the fence. */
import Database from "better-sqlite3";
import { broker, ErrandError, type HeldLock } from "../../src/index.ts";

export type Told = { readonly do: "take" } | { readonly do: "write" } | { readonly do: "block"; readonly ms: number };
export type Tells =
  | { readonly is: "ready" }
  | { readonly is: "read"; readonly fence: number; readonly trusting: number; readonly fenced: number }
  | { readonly is: "wrote"; readonly fenced: boolean; readonly release: string; readonly signal: string | undefined }
  | { readonly is: "blocked"; readonly signal: string | undefined };

const work = broker(process.env["STORE"] ?? "", {});
const app = new Database(process.env["APP"] ?? "");
app.pragma("busy_timeout = 5000");
let lock: HeldLock | undefined;
let trusting = 0;
let fenced = 0;

const valueOf = (name: string): number => (app.prepare("SELECT value FROM counters WHERE name = ?").get(name) as { value: number }).value;
const tell = (what: Tells): void => void process.send?.(what);

async function take(): Promise<void> {
  lock = await work.lock("counter", { for: "10m", wait: "1m" });
  // The fence is raised before anything is read: whoever held it before is refused from here on.
  app.prepare("UPDATE counters SET fence = ? WHERE name = 'fenced' AND fence <= ?").run(lock.fence, lock.fence);
  trusting = valueOf("trusting");
  fenced = valueOf("fenced");
  tell({ is: "read", fence: lock.fence, trusting, fenced });
}

async function write(): Promise<void> {
  app.prepare("UPDATE counters SET value = ? WHERE name = 'trusting'").run(trusting + 1);
  const { changes } = app.prepare("UPDATE counters SET value = ? WHERE name = 'fenced' AND fence = ?").run(fenced + 1, lock?.fence ?? 0);
  const release = await lock?.release().then(
    () => "released",
    (error: unknown) => (ErrandError.is(error) ? error.code : String(error)),
  );
  tell({ is: "wrote", fenced: changes === 1, release: release ?? "none", signal: reason() });
}

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  setImmediate(() => tell({ is: "blocked", signal: reason() }));
}

function reason(): string | undefined {
  const why: unknown = lock?.signal.reason;
  return ErrandError.is(why) ? why.code : undefined;
}

process.on("message", (told: Told) => {
  if (told.do === "block") block(told.ms);
  else void (told.do === "take" ? take() : write());
});
await work.open();
tell({ is: "ready" });
