/** What can only be seen from outside: how a process ends. Each script runs in a process of its own. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";

const real = new URL("../../src/runtime/real.ts", import.meta.url).href;

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

async function run(script: string, flags: readonly string[] = []): Promise<Ended> {
  const source = `import { AsyncLocalStorage } from "node:async_hooks"; const { realRuntime } = await import(${JSON.stringify(real)}); const runtime = realRuntime(); ${script}`;
  const child = spawn(process.execPath, [...flags, "--input-type=module", "-e", source], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (text) => (out += text));
  child.stderr.on("data", (text) => (err += text));
  return new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal, out, err })));
}

test("a rejection is heard in the context of the run that caused it, and does not end the process", async () => {
  const { code, out } = await run(`
    const job = new AsyncLocalStorage();
    runtime.onUnhandledRejection((reason) => { console.log(job.getStore(), reason.message); return true; });
    job.run("job-1", async () => { await 1; void Promise.reject(new Error("at once")); });
    job.run("job-2", () => setTimeout(async () => { throw new Error("later"); }, 5));
    job.run("job-3", () => { const call = new Promise((_, reject) => setTimeout(reject, 10, new Error("a call"))); (async () => { await call; })(); });
    setTimeout(() => console.log("alive"), 60);`);
  assert.deepEqual([code, out.trim().split("\n")], [0, ["job-1 at once", "job-2 later", "job-3 a call", "alive"]]);
});

const passed = "runtime.onUnhandledRejection(() => false);";
const rejects = 'void Promise.reject(new Error("mine")); setTimeout(() => console.log("alive"), 50);';
const rejections: readonly {
  readonly claim: string;
  readonly script: string;
  readonly flags?: readonly string[];
  readonly code: number;
  readonly err?: RegExp;
}[] = [
  { claim: "a rejection that nobody takes ends the process with that error", script: passed + rejects, code: 1, err: /Error: mine\n\s+at / },
  {
    claim: "a reason that is no error ends it too",
    script: `${passed} void Promise.reject("text"); setTimeout(() => {}, 50);`,
    code: 1,
    err: /ERR_UNHANDLED_REJECTION/,
  },
  { claim: "the app's own listener decides where it has one", script: `process.on("unhandledRejection", () => {}); ${passed} ${rejects}`, code: 0 },
  { claim: "a process told only to warn lives", script: passed + rejects, flags: ["--unhandled-rejections=warn"], code: 0, err: /mine/ },
  { claim: "one broker that takes it is enough", script: `${passed} runtime.onUnhandledRejection(() => true); ${rejects}`, code: 0 },
  { claim: "after listening ended the platform decides again", script: `runtime.onUnhandledRejection(() => true)(); ${rejects}`, code: 1, err: /mine/ },
];
for (const { claim, script, flags, code, err } of rejections) {
  test(claim, async () => {
    const ended = await run(script, flags);
    assert.deepEqual([ended.code, ended.out], [code, code === 0 ? "alive\n" : ""]);
    if (err !== undefined) assert.match(ended.err, err);
  });
}

const stops: readonly { readonly claim: string; readonly script: string; readonly end: readonly [number | null, string | null]; readonly out: string }[] = [
  {
    claim: "a stop signal is heard each time, and then ends the process as if nobody had listened",
    script:
      'let n = 0; runtime.onStopSignal((signal) => { console.log(signal); if (++n === 2) runtime.exitBy(signal); else process.kill(process.pid, "SIGINT"); }); process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 2_000);',
    end: [null, "SIGINT"],
    out: "SIGTERM\nSIGINT\n",
  },
  {
    claim: "an app with a handler of its own ends when it likes",
    script:
      'process.on("SIGTERM", () => { console.log("app"); setTimeout(() => process.exit(9), 100); }); runtime.onStopSignal((signal) => runtime.exitBy(signal)); process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 2_000);',
    end: [9, null],
    out: "app\n",
  },
  {
    claim: "the last of two brokers ends the process",
    script:
      'for (const ms of [20, 60]) { const one = realRuntime(); one.onStopSignal((signal) => setTimeout(() => { console.log(ms); one.exitBy(signal); }, ms)); } process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 2_000);',
    end: [null, "SIGTERM"],
    out: "20\n60\n",
  },
  {
    claim: "a runtime that listens keeps no process alive",
    script: "runtime.onStopSignal(() => {}); runtime.onUnhandledRejection(() => true);",
    end: [0, null],
    out: "",
  },
  {
    claim: "a beat keeps no process alive",
    script: `runtime.startBeat({ process: "p", leaseMs: 1_000, everyMs: 20, maxBlockMs: 1_000, source: { module: ${JSON.stringify(new URL("./fixtures/counting.ts", import.meta.url).href)}, data: { words: new SharedArrayBuffer(16) } }, heard: () => {}, failed: console.error });`,
    end: [0, null],
    out: "",
  },
];
for (const { claim, script, end, out } of stops) {
  test(claim, async () => {
    const ended = await run(script);
    assert.deepEqual([ended.code, ended.signal, ended.out, ended.err], [...end, out, ""]);
  });
}
