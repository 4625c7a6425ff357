import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { inRoot } from "../../scripts/root.ts";
import { broker, task } from "../../src/index.ts";
import { entry, fail, greet } from "./fixtures/tasks.ts";
import { Shop } from "./shop.ts";

const evil = "\u001b[31mred\u001b[0m\u0007 bell\nnext line\r\u009b2J \u202eright to left";
/** What a terminal would act on; a line's end is ours. */
const acting = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

type Job = Readonly<Record<string, unknown>> & { readonly id: string; readonly task: string; readonly state: string };
interface JobPage {
  readonly jobs: readonly Job[];
  readonly next: string | null;
}

describe("errand jobs", { concurrency: 4 }, () => {
  let shop: Shop;
  before(async () => {
    shop = new Shop();
    await shop.work.enqueue(fail.with({ why: evil }));
    await shop.run("dead", 1);
    for (const n of [1, 2, 3]) await shop.work.enqueue(entry.with({ account: "a", n }));
    await shop.run("parked", 3);
    await shop.work.enqueue([greet.with({ name: "Ann" }, { in: "90m", id: "later" }), greet.with({ name: "Bob" }, { id: "now" })]);
    for (const n of [2, 3]) await shop.work.enqueue(entry.with({ account: "b", n }, { id: `b${n}` }));
    const strange = task("strange", { run: () => undefined });
    await using stranger = broker(shop.url, { strange });
    await stranger.enqueue(strange.with({}, { id: "strange" }));
    await shop.work.pause({ queue: "mail" }, "the provider is down");
  });
  after(() => shop[Symbol.asyncDispose]());

  async function ids(...args: readonly string[]): Promise<readonly string[]> {
    return (await shop.json<JobPage>("jobs", ...args)).jobs.map(({ id }) => id);
  }

  it("lists jobs newest first, each with why it waits", async () => {
    const { code, out } = await shop.errand("jobs");
    assert.equal(code, 0);
    const [head = "", ...rows] = out.trimEnd().split("\n");
    assert.match(head, /^id +task +queue +state +attempts +age +why$/);
    const told = rows
      .map((row) => row.split(/ {2,}/))
      .map(([id = "", name = "", , state = "", , , why = ""]) => [/^[0-9a-f]{32}$/.test(id) ? "" : id, name, state, why]);
    assert.deepEqual(told, [
      ["strange", "strange", "ready", ""],
      ["b3", "entry", "blocked", 'behind another job of entry["b"]'],
      ["b2", "entry", "ready", ""],
      ["now", "greet", "ready", "queue mail is paused"],
      ["later", "greet", "scheduled", "due in 1 h"],
      ["", "entry", "parked", 'behind a job of entry["a"] that died'],
      ["", "entry", "parked", 'behind a job of entry["a"] that died'],
      ["", "entry", "parked", "the ledger is closed"],
      ["", "fail", "dead", "\\x1b[31mred\\x1b[0m\\x07 bell next line \\x9b2J \\u202eright to left"],
    ]);
    assert.ok(
      rows.every((row) => row.slice(head.indexOf("task")).startsWith(`${row.split(/ {2,}/)[1]} `)),
      "the columns line up",
    );
  });

  it("lists a job whose task this command line has never heard of", async () => {
    assert.match((await shop.errand("jobs", "--task", "strange")).out, /strange +default +ready/);
  });

  it("goes by state, queue, task and key", async () => {
    assert.deepEqual(await ids("--state", "scheduled, blocked"), ["b3", "later"]);
    assert.deepEqual(await ids("--state", "ready", "--state", "scheduled", "--queue", "mail"), ["now", "later"]);
    assert.deepEqual(await ids("--key", 'entry["b"]'), ["b3", "b2"]);
    assert.equal((await ids("--task", "entry")).length, 5);
  });

  it("goes page by page", async () => {
    const all = await ids();
    const paged: string[] = [];
    for (let next: string | null = ""; next !== null && paged.length <= all.length;) {
      const page: JobPage = await shop.json("jobs", "list", "--limit", "4", ...(next === "" ? [] : ["--after", next]));
      paged.push(...page.jobs.map(({ id }) => id));
      next = page.next;
    }
    assert.deepEqual(paged, all);
    assert.match((await shop.errand("jobs", "--limit", "4")).err, /^there may be more: --after \S+\n$/);
  });

  it("has one shape for every job as JSON, which the guide tells field by field", async () => {
    const { jobs } = await shop.json<JobPage>("jobs", "--limit", "1000");
    const guide = readFileSync(inRoot("docs/guide/cli.md"), "utf8");
    const fields = [...guide.matchAll(/^\| `(\w+)` \|/gm)].map(([, field]) => field);
    assert.ok(fields.length > 10);
    for (const job of jobs) assert.deepEqual(Object.keys(job), fields);
    const dead = jobs.find(({ state }) => state === "dead");
    assert.ok(dead);
    const [attempt] = dead["history"] as [Readonly<Record<string, unknown>>];
    assert.deepEqual([dead["attempts"], dead["input"], dead["reason"], dead["waits"]], [1, { why: evil }, evil, null]);
    assert.deepEqual([Object.keys(attempt), attempt["is"]], [["start", "is", "at", "ranMs", "reason", "error"], "dead"]);
  });

  it("shows one job: why it waits, its key, its input, its attempts", async () => {
    const [parked = ""] = await ids("--state", "parked");
    assert.match(
      (await shop.errand("jobs", "show", parked)).out,
      /^why +waits .*entry\["a"\][^]*^input +\{"account":"a","n":3\}$[^]*^ordered by +entry\["a"\]$/m,
    );
    assert.match((await shop.errand("jobs", "show", "now")).out, /^why +waits because queue mail is paused \(the provider is down\)/m);
    const [dead = ""] = await ids("--state", "dead");
    const { out } = await shop.errand("jobs", "show", dead);
    assert.match(out, /^state +dead$[^]*^attempts +1 \(1 start\)$[^]*^start +at +ended +ran +why\n +1 +\d{4}-.*dead/m);
    const { why } = await shop.json<{ why: string }>("jobs", "show", dead);
    assert.match(why, /died .* ago/);
  });

  it("lets no control character of a stored text reach the terminal, in tables, details or JSON", async () => {
    const [dead = ""] = await ids("--state", "dead");
    for (const args of [
      ["jobs"],
      ["jobs", "--json"],
      ["jobs", "show", dead],
      ["jobs", "show", dead, "--json"],
      ["jobs", "redrive", "--all", "--dry-run"],
      ["jobs", "redrive", "--all", "--dry-run", "--json"],
    ]) {
      const { out, err } = await shop.errand(...args);
      assert.match(out, /bell/, args.join(" "));
      assert.doesNotMatch(out + err, acting, args.join(" "));
    }
    assert.doesNotMatch((await shop.errand("jobs", "show", evil)).err, acting);
  });

  it("ends with 3 where nothing matches, and says what was probably meant", async () => {
    assert.deepEqual(await shop.errand("jobs", "--task", "grete"), {
      code: 3,
      out: "",
      err: 'no jobs match; no job here is of task "grete", did you mean "greet"?\n',
    });
    assert.deepEqual(await shop.errand("jobs", "--state", "cancelled"), { code: 3, out: "", err: "no jobs match\n" });
    assert.deepEqual(await shop.errand("jobs", "show", "nix"), { code: 3, out: "", err: "no job has the id nix, or its retention has passed\n" });
    const none = await shop.errand("jobs", "--state", "cancelled", "--json");
    assert.deepEqual([none.code, JSON.parse(none.out)], [3, { jobs: [], next: null }]);
  });

  it("is quiet when its reader leaves", { skip: process.platform === "win32" && "there is no sh" }, async () => {
    const { err } = await shop.ended(shop.piped('{ "$@"; echo "ended with $?" >&2; } | true', ["jobs", "--json"]));
    assert.equal(err, "ended with 0\n");
  });
});
