import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { broker, task } from "../../src/index.ts";
import { inRoot } from "../../scripts/root.ts";
import { greet, hold, signedUp } from "./fixtures/tasks.ts";
import { Shop, tasksFile, type Ended } from "./shop.ts";

const errand = JSON.stringify(inRoot("src/index.ts"));

/** Modules that are no definitions, and what is said of them. */
const broken: readonly (readonly [string, string, RegExp])[] = [
  ["syntax.js", "export const a = ;", /syntax\.js does not load: .*; node --check .*syntax\.js shows where/],
  ["throwing.js", '\nthrow new Error("no DATABASE_URL");', /throwing\.js does not load: no DATABASE_URL \(.*throwing\.js:2:7\)/],
  ["missing.js", 'import "./gone.js";', /missing\.js does not load: .*gone\.js/],
  ["empty.js", "export const a = 1;", /empty\.js exports no tasks; write export const/],
  ["bare.js", `import { task } from ${errand};\nexport default { a: task("a", { run() {} }) };`, /bare\.js exports no tasks by name/],
  ["name.js", `import { task } from ${errand};\nexport const a = task("a b", { run() {} });`, /name\.js does not load: name-invalid: .*name\.js:2/],
];

describe("errand work", { concurrency: 4 }, () => {
  it("runs the jobs and the subscriptions of a TypeScript module, and stops at SIGTERM with 0", async () => {
    await using shop = new Shop();
    await shop.work.enqueue(greet.with({ name: "Ann" }));
    const { child, ended } = await shop.worker();
    await shop.work.publish(signedUp.with({ name: "Bob" }));
    await shop.until("both are greeted", () => shop.done().length === 2);
    child.kill("SIGTERM");
    const { code, out } = await ended;
    assert.deepEqual([code, shop.done()], [0, ["greet Ann", "greet Bob"]]);
    assert.match(out, /^working on sqlite:.*\nqueues: .*mail \(10 hands\).*; tasks: .*greet.*; Ctrl-C stops\nstopped\n$/);
  });

  it("runs a JavaScript module beside it, and what a module keeps open does not keep the process", async () => {
    await using shop = new Shop();
    writeFileSync(
      path.join(shop.folder, "more.js"),
      `import { task } from ${errand};\nsetInterval(() => undefined, 1_000);\nexport const more = task("more", { queue: "more", run() {} });`,
    );
    const { child, ended } = await shop.worker("more.js");
    child.kill("SIGTERM");
    const { code, out } = await ended;
    assert.equal(code, 0);
    assert.match(out, /more \(10 hands\)/);
  });

  it("a worker goes on when nobody reads what it prints any more", async () => {
    await using shop = new Shop();
    const told = path.join(shop.folder, "told");
    writeFileSync(
      path.join(shop.folder, "chatty.js"),
      `import { appendFileSync } from "node:fs";\nimport { task } from ${errand};\nexport const chat = task("chat", { run() { console.log("hello"); appendFileSync(${JSON.stringify(told)}, "x"); } });`,
    );
    const chat = task("chat", { run: () => undefined });
    await using sender = broker(shop.url, { chat });
    const { child, ended } = await shop.worker("chatty.js");
    child.stdout?.destroy();
    for (const times of [1, 2, 3]) {
      await sender.enqueue(chat.with({}));
      await shop.until("it is told", () => existsSync(told) && readFileSync(told, "utf8").length === times);
    }
    child.kill("SIGTERM");
    assert.equal((await ended).code, 0);
    assert.equal((await sender.count()).completed, 3);
  });

  it("tells the steps of each run at --log debug", async () => {
    await using shop = new Shop();
    await shop.work.enqueue([greet.with({ name: "Ann" }, { id: "a" }), greet.with({ name: "nobody" }, { id: "b" })]);
    const { child, ended } = await shop.worker("--log", "debug");
    await shop.until("both ended", async () => (await shop.work.count({ queue: "mail" })).ready === 0 && (await shop.work.count()).running === 0);
    child.kill("SIGTERM");
    const steps = stepsOf(await ended);
    assert.deepEqual(
      steps.filter(([, job]) => job === "a").map(([step]) => step),
      ["attempting", "doing", "finishing"],
    );
    assert.deepEqual(
      steps.filter(([, job]) => job === "b").map(([step]) => step),
      ["attempting", "doing", 'skipping "there is nobody"'],
    );
  });

  it("a job may end within the grace when Ctrl-C stops its worker", async () => {
    await using shop = new Shop();
    await shop.work.enqueue(hold.with({ isDeaf: false }, { id: "h" }));
    const { child, ended } = await shop.worker("--grace", "300ms");
    await shop.until("it runs", () => shop.done().includes("hold"));
    child.kill("SIGINT");
    const { code, out, err } = await ended;
    assert.equal(code, 0);
    assert.match(out, /\nstopped\n$/);
    assert.match(err, /^stopping: running jobs have 300 ms to end; Ctrl-C again hands them back at once$/m);
    const job = await shop.work.find("h");
    assert.deepEqual([job?.state, job?.attempts, job?.suspects], ["ready", 0, 0]);
  });

  it("a second Ctrl-C hands back at once, also what does not listen", async () => {
    await using shop = new Shop();
    await shop.work.enqueue(hold.with({ isDeaf: true }, { id: "h" }));
    const { child, ended } = await shop.worker("--grace", "1h");
    await shop.until("it runs", () => shop.done().includes("hold"));
    child.stderr?.on("data", (text: string) => text.includes("stopping:") && child.kill("SIGINT"));
    child.kill("SIGINT");
    const { code, err } = await ended;
    assert.equal(code, 0);
    assert.match(err, /^handing back what still runs$/m);
    assert.equal((await shop.work.find("h"))?.state, "ready");
  });

  it("gives a queue the hands it was told, and remarks what that leaves out", async () => {
    await using shop = new Shop();
    const { child, ended } = await shop.worker("--queue", "mail=3", "--queue", "lnog");
    child.kill("SIGTERM");
    const { out, err } = await ended;
    assert.match(out, /^queues: mail \(3 hands\), lnog \(10 hands\); /m);
    assert.match(err, /no task of these modules is in queue lnog, did you mean "long"\?/);
    assert.match(err, /this worker leaves queue default, long to others/);
  });

  it("says that the store is new, and names jobs that wait for somebody else", async () => {
    await using shop = new Shop();
    const strange = task("strange", { run: () => undefined });
    await using stranger = broker(shop.url, { strange });
    await stranger.enqueue(strange.with({}));
    const known = await shop.worker();
    const made = await shop.worker("--store", "sqlite:made.db");
    known.child.kill("SIGTERM");
    made.child.kill("SIGTERM");
    assert.match((await known.ended).err, /that this worker does not know, and leaves alone: strange \(1\)/);
    assert.match((await made.ended).err, /^new: there was no such file, it was made now$/m);
    assert.ok(existsSync(path.join(shop.folder, "made.db")));
  });

  for (const [name, source, answer] of broken) {
    it(`${name}: says why it is no module of definitions, without a stack trace`, async () => {
      await using shop = new Shop();
      writeFileSync(path.join(shop.folder, name), source);
      const { code, err } = await shop.errand("work", name);
      assert.equal(code, 1);
      assert.match(err, answer);
      assert.doesNotMatch(err, /^\s+at /m);
    });
  }

  it("two modules that name two tasks alike are refused", async () => {
    await using shop = new Shop();
    writeFileSync(path.join(shop.folder, "again.js"), `import { task } from ${errand};\nexport const g = task("greet", { run() {} });`);
    assert.deepEqual(await shop.errand("work", tasksFile, "again.js"), {
      code: 1,
      out: "",
      err: 'errand: name-taken: two tasks are named "greet"; rename one of them\n',
    });
  });
});

function stepsOf({ err }: Ended): readonly (readonly [string, string])[] {
  return Array.from(err.matchAll(/ errand debug: (.*?) job=(\S+)/g), ([, step = "", job = ""]) => [step, job] as const);
}
