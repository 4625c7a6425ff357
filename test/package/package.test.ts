import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { inRoot } from "../../scripts/root.ts";
import { findOldNode } from "./oldNode.ts";
import { Packed } from "./packed.ts";

const tarballBytesMax = 900 * 1_024;
const manifest = JSON.parse(readFileSync(inRoot("package.json"), "utf8")) as { version: string; exports: Record<string, unknown> };
const doors = Object.keys(manifest.exports).map((door) => door.replace(".", "errand"));
const oldNode = findOldNode();
const needsOldNode = oldNode === undefined ? "there is no Node.js before 22 on this machine" : false;

const threeLines = `
import { broker, task } from "errand";
const greet = task("greet", { run: ({ name }) => console.log("hello " + name) });
const work = broker("sqlite:shop.db", { greet });
const { id } = await work.enqueue(greet.with({ name: "world" }));
const worker = await work.start();
while ((await work.find(id)).state !== "completed") await new Promise((later) => setTimeout(later, 10));
await worker.stop();
await work.close();
`;

const typed = `
import { broker, event, task, when, ErrandError, type Broker, type Job } from "errand";
import { memory } from "errand/memory";
import { postgres } from "errand/postgres";
import { sqlite } from "errand/sqlite";
import { testBroker } from "errand/testing";
import { laws } from "errand/conformance";

const orderPlaced = event<{ orderId: string }>("order.placed");
const sendReceipt = task("send-receipt", { run: async ({ orderId }: { orderId: string }, job: Job) => void [orderId.length, job.id] });
const receipts = when(orderPlaced, sendReceipt);
const work: Broker = broker(sqlite("shop.db"), { orderPlaced, sendReceipt, receipts });
await work.publish(orderPlaced.with({ orderId: "7" }));
// @ts-expect-error: the payload is a string
await work.enqueue(sendReceipt.with({ orderId: 7 }));
void [memory, postgres("postgres://db/shop", { schema: "jobs" }), testBroker, laws, ErrandError];
`;

const typedSettings = { compilerOptions: { target: "es2023", module: "nodenext", strict: true, noEmit: true, types: ["node"] }, files: ["src/typed.ts"] };

describe("the package", () => {
  let packed: Packed;
  before(() => (packed = new Packed()));
  after(() => packed?.remove());

  it("holds the build, and no source, test or script", () => {
    const strangers = packed.files
      .map((file) => file.path)
      .filter((name) => !/^(dist\/.+\.(js|d\.ts)|bin\/errand\.js|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(name));
    assert.deepEqual(strangers, []);
    assert.deepEqual(
      ["LICENSE", "README.md", "CHANGELOG.md", "bin/errand.js"].filter((name) => !packed.files.some((file) => file.path === name)),
      [],
    );
  });

  it(`stays under ${tarballBytesMax / 1_024} KiB`, () => {
    assert.ok(packed.tarballBytes <= tarballBytesMax, `it has ${Math.ceil(packed.tarballBytes / 1_024)} KiB`);
  });

  it("runs three lines on SQLite", () => {
    assert.deepEqual(packed.run("three.js", threeLines), { status: 0, printed: "hello world\n" });
  });

  for (const door of doors) {
    it(`opens the door "${door}"`, () => {
      const how = door.endsWith(".json") ? ', { with: { type: "json" } }' : "";
      const { status, printed } = packed.run("door.js", `console.log(Object.keys(await import("${door}"${how})).length > 0)`);
      assert.deepEqual({ status, printed }, { status: 0, printed: "true\n" });
    });
  }

  it("keeps what is behind the doors closed", () => {
    assert.match(packed.run("behind.js", 'await import("errand/dist/core/broker.js")').printed, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });

  it("type-checks for a strict user, its own declarations included", () => {
    writeFileSync(path.join(packed.folder, "src/typed.ts"), typed);
    writeFileSync(path.join(packed.folder, "tsconfig.json"), JSON.stringify(typedSettings));
    assert.deepEqual(packed.execute(inRoot("node_modules/.bin/tsc"), ["-p", "."]), { status: 0, printed: "" });
  });

  for (const [server, url, install] of [
    ["PostgreSQL", "postgres://db/shop", "npm install pg"],
    ["Redis", "redis://db/0", "npm install ioredis"],
  ] as const) {
    it(`says how to get the driver that is missing, of ${server}`, () => {
      const program = `import { broker } from "errand";\ntry { await broker("${url}").open(); } catch (error) { console.log(error.message); }`;
      assert.match(packed.run("driverless.js", program).printed, new RegExp(`^engine-missing: .*${install}`));
    });
  }

  it("has a command line", () => {
    const { status, printed } = packed.execute(process.execPath, ["node_modules/errand/bin/errand.js", "--help"]);
    assert.equal(status, 0, printed);
    assert.match(printed, /errand work/);
  });

  it("tells an old Node.js in one sentence what it needs, from the command line", { skip: needsOldNode }, () => {
    const { status, printed } = packed.execute(oldNode ?? "", ["node_modules/errand/bin/errand.js", "jobs"]);
    assert.equal(status, 1);
    assert.match(printed, /^node-too-old: errand needs Node\.js 22 or later, and this is v[\d.]+; install a newer one[^\n]*\n$/);
  });

  it("tells an old Node.js in one sentence what it needs, when a broker is made", { skip: needsOldNode }, () => {
    const { status, printed } = packed.run(
      "old.js",
      'import { broker } from "errand";\ntry { await broker("sqlite:old.db").open(); } catch (error) { console.log(error.message); }',
      oldNode,
    );
    assert.equal(status, 0, printed);
    assert.match(printed, /^node-too-old: errand needs Node\.js 22 or later[^\n]*\n$/);
  });
});
