/** Limits and resources over all keys hold over several homes, wherever what they tell each other is, and what one home does not use the others get. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { takeScript } from "../../../src/redis/mail.ts";
import { job, leaseMs } from "../../port/stage.ts";
import { Lending } from "../../../src/redis/spread/lending.ts";
import { redisMissing } from "../server.ts";
import { borrowerOf, Borrowers, count, lenderOf } from "./borrowers.ts";

const ids = (home: number, many: number, of = "j"): string[] => Array.from({ length: many }, (_, n) => `${of}${home}.${n}`);

async function withJobs(scene: Borrowers, each: number, task = "send"): Promise<void> {
  for (let home = 0; home < count; home += 1) await scene.put(home, task, ...ids(home, each, task));
}

describe("a limit of what runs, over three homes", { skip: redisMissing ?? false }, () => {
  it("is kept by all together, and used up wherever there is work", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["g"] } });
    await scene.limit("g", { running: 5 });
    await scene.carry();
    await withJobs(scene, 4);
    const counts: number[] = [];
    for (const home of [0, 1, 2]) counts.push((await scene.claim(home)).length);
    assert.deepEqual(counts, [4, 1, 0]);
    await scene.end(...[...scene.running.keys()].slice(0, 3));
    await scene.carry();
    for (const home of [2, 1, 0]) await scene.claim(home);
    assert.equal(scene.used("g"), 5);
  });

  it("lends nothing before all homes said what runs there already", async () => {
    const name = ["a", "b", "c", "d", "e", "f", "g", "h"].find((one) => lenderOf(one) === 2) ?? "";
    await using scene = await Borrowers.of({ send: { gates: [name] } });
    await withJobs(scene, 4);
    assert.equal((await scene.claim(1, 2)).length, 2);
    await scene.limit(name, { running: 3 });
    const carrier = scene.homes.carrier();
    await carrier.carry(0, [2], scene.at);
    await carrier.close();
    assert.deepEqual((await scene.claimOnce(2)).jobs, []);
    await scene.carry();
    assert.equal((await scene.claim(2)).length, 1);
    assert.equal(scene.used(name), 3);
  });

  it("that comes while more runs waits until less does", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["g"] } });
    await withJobs(scene, 6);
    for (let home = 0; home < count; home += 1) assert.equal((await scene.claim(home, 2)).length, 2);
    await scene.limit("g", { running: 2 });
    await scene.carry();
    for (let left = 6; left > 2; left -= 1) {
      await scene.end([...scene.running.keys()][0] ?? "");
      for (let home = 0; home < count; home += 1) assert.deepEqual(await scene.claim(home), [], `${left - 1} run of 2`);
    }
    await scene.end([...scene.running.keys()][0] ?? "");
    await scene.carry();
    for (let home = 0; home < count; home += 1) await scene.claim(home);
    assert.equal(scene.used("g"), 2);
  });

  it("that is lowered is kept when that was carried, also by a home that used nothing just then", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["g"] } });
    await scene.limit("g", { running: 6 });
    await scene.carry();
    await withJobs(scene, 9);
    for (let home = 0; home < count; home += 1) assert.equal((await scene.claim(home, 2)).length, 2);
    // What they were lent is free there.
    await scene.end(...[...scene.running].filter(([, { home }]) => home > 0).map(([id]) => id));
    await scene.limit("g", { running: 2 });
    await scene.carry();
    for (let home = 0; home < count; home += 1) assert.deepEqual(await scene.claim(home), []);
    await scene.limit("g", { running: 4 });
    await scene.carry();
    for (let home = 2; home >= 0; home -= 1) await scene.claim(home);
    assert.equal(scene.used("g"), 4);
  });

  it("counts anew when its note is removed and written again", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["g"] } });
    await withJobs(scene, 20);
    for (const running of [3, 2]) {
      await scene.limit("g", { running });
      await scene.carry();
      for (let home = 0; home < count; home += 1) await scene.claim(home, 2);
      assert.equal(scene.used("g"), running);
      await scene.limit("g", undefined);
      await scene.carry();
      assert.equal((await scene.claim(borrowerOf("g"), 4)).length, 4, "without a note there is no limit");
      await scene.end(...scene.running.keys());
    }
  });

  it("is asked for anew when its note is removed and written again", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["g"] } });
    await scene.limit("g", { running: 1 });
    await scene.carry();
    await withJobs(scene, 9);
    await scene.claim(lenderOf("g"));
    assert.deepEqual(await scene.claim(borrowerOf("g")), []);
    scene.now += 200;
    await scene.limit("g", undefined);
    await scene.carry();
    await scene.end(...scene.running.keys());
    await scene.limit("g", { running: 1 });
    await scene.carry();
    assert.equal((await scene.claim(borrowerOf("g"))).length, 1);
  });

  it("is not asked for again and again where it is full", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["g"] } });
    await scene.limit("g", { running: 1 });
    await scene.carry();
    await withJobs(scene, 4);
    for (let home = 0; home < count; home += 1) await scene.claim(home);
    for (let nth = 0; nth < 5; nth += 1) {
      for (let home = 0; home < count; home += 1) assert.equal((await scene.claimOnce(home)).wants, undefined);
      scene.now += 10;
    }
    assert.equal(await scene.lying(), 0);
  });

  it("is handed on from home to home where it is smaller than their number", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["g"] } });
    await scene.limit("g", { running: 1 });
    await scene.carry();
    await withJobs(scene, 20);
    const order: number[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      for (let home = 0; home < count; home += 1) await scene.claim(home);
      const [id, { home }] = [...scene.running][0] ?? ["", { home: -1 }];
      order.push(home);
      scene.now += 150;
      await scene.end(id);
      await scene.carry();
    }
    for (let at = 3; at < order.length; at += 3) assert.equal(new Set(order.slice(at, at + 3)).size, 3, order.join(" "));
  });

  it("stays with a home for its turn while jobs are short, and no longer", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["g"] } });
    await scene.limit("g", { running: 1 });
    await scene.carry();
    const [lender, other] = [lenderOf("g"), borrowerOf("g")];
    await withJobs(scene, 100);
    await scene.claim(other);
    assert.deepEqual(await scene.claim(lender), []);
    let ran = 0;
    for (; [...scene.running.values()].every(({ home }) => home === other); ran += 1) {
      scene.now += 10;
      await scene.end(...scene.running.keys());
      await scene.claimOnce(other);
      await scene.carry();
      await scene.claim(lender);
    }
    assert.equal(ran, 10);
  });

  it("is given back by a home whose work is done, and by one whose work is gone", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["g"] } });
    await scene.limit("g", { running: 3 });
    await scene.carry();
    const [lender, other, third] = [lenderOf("g"), borrowerOf("g"), borrowerOf("g", 2)];
    await scene.put(other, "send", ...ids(other, 3));
    await scene.put(third, "send", ...ids(third, 3));
    await scene.end(...(await scene.claim(other)));
    assert.equal((await scene.claim(third)).length, 3);
    await scene.end(...scene.running.keys());
    // It is lent some, and its job is cancelled before anybody comes for it.
    await scene.put(other, "send", "gone");
    await scene.put(lender, "send", ...ids(lender, 3));
    await scene.claimOnce(other);
    await scene.carry();
    await scene.homes.verbs[other]?.change({ ids: ["gone"] }, { do: "cancel", reason: "not wanted" }, 1, scene.at);
    await scene.claim(lender);
    scene.now += 1_000;
    await scene.tidyAll();
    await scene.claim(lender);
    assert.equal(scene.used("g"), 3);
  });

  it("is given back where nobody comes for it in its turn", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["g"] } });
    await scene.limit("g", { running: 1 });
    await scene.carry();
    const [lender, other] = [lenderOf("g"), borrowerOf("g")];
    await withJobs(scene, 1);
    await scene.claimOnce(other);
    await scene.carry();
    assert.deepEqual(await scene.claim(lender), []);
    scene.now += 90;
    await scene.tidyAll();
    assert.deepEqual(await scene.claim(lender), []);
    scene.now += 10;
    await scene.tidyAll();
    assert.equal((await scene.claim(lender)).length, 1);
  });

  it("is free again with the lease of who held it", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["g"] } });
    await scene.limit("g", { running: 2 });
    await scene.carry();
    await withJobs(scene, 2);
    assert.equal((await scene.claim(borrowerOf("g"))).length, 2);
    assert.deepEqual(await scene.claim(lenderOf("g")), []);
    scene.now += 8_001;
    scene.running.clear();
    await scene.tidyAll();
    assert.ok((await scene.claim(lenderOf("g"))).length > 0);
  });
});

describe("a new era of all homes", { skip: redisMissing ?? false }, () => {
  it("voids what was lent and is under way, and counts what runs", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["g"] } });
    await scene.limit("g", { running: 4 });
    await scene.carry();
    const [lender, other, third] = [lenderOf("g"), borrowerOf("g"), borrowerOf("g", 2)];
    await withJobs(scene, 9);
    assert.equal((await scene.claim(other, 2)).length, 2);
    assert.equal((await scene.claim(third, 1)).length, 1);
    // The last one is lent, and on its way.
    await scene.claimOnce(other, 2);
    const carrier = scene.homes.carrier((home, number) =>
      number !== other ? home : { call: (main, ...rest) => (main === takeScript ? lost() : home.call(main, ...rest)) },
    );
    await carrier.carry(other, [lender], scene.at);
    for (const [nth, home] of [lender, other, third].entries()) {
      if (nth === 2) await scene.claimOnce(other, 2);
      await scene.bear(home, 2);
      await scene.claimOnce(lender, 1);
    }
    await scene.carry();
    for (let home = 0; home < count; home += 1) await scene.claim(home);
    assert.equal(scene.used("g"), 4);
    await scene.end(...scene.running.keys());
    await scene.carry();
    for (let home = 0; home < count; home += 1) await scene.claim(home);
    assert.equal(scene.used("g"), 4);
  });

  it("counts the starts of the one before", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["s"] } });
    await scene.limit("s", { starts: 4, everyMs: 1_000 });
    await scene.carry();
    await withJobs(scene, 9);
    const other = borrowerOf("s");
    await scene.claimOnce(other, 3);
    await scene.carry();
    assert.equal((await scene.claimOnce(other, 3)).jobs.length, 3);
    for (let home = 0; home < count; home += 1) await scene.bear(home, 2);
    await scene.carry();
    for (let home = 0; home < count; home += 1) await scene.claim(home);
    assert.equal(scene.starts.length, 4);
  });
});

const lost = (): Promise<never> => Promise.reject(new Error("lost"));

describe("a limit of starts, over three homes", { skip: redisMissing ?? false }, () => {
  const everyMs = 1_000;

  it("is kept in any window, however late what was lent is used, and told", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["s"] } });
    const [lender, other] = [lenderOf("s"), borrowerOf("s")];
    await scene.limit("s", { starts: 4, everyMs });
    await scene.carry();
    await withJobs(scene, 20);
    await scene.claimOnce(other, 3);
    await scene.carry();
    scene.now += 900;
    // Lent at 0, used at 900, told at 1,500.
    assert.equal((await scene.claimOnce(other, 3)).jobs.length, 3);
    scene.now += 200;
    assert.equal((await scene.claim(lender)).length, 1);
    scene.now += 400;
    assert.equal((await scene.claimOnce(lender)).jobs.length, 0);
    await scene.carry();
    for (let turn = 0; turn < 100; turn += 1) {
      for (let home = 0; home < count; home += 1) await scene.claim(home, 3);
      scene.now += 50;
    }
    assert.equal(scene.startsWithin("s", everyMs), 4);
  });

  it("goes on at its rate in all homes, and each is told when there is room again", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["s"] } });
    await scene.limit("s", { starts: 4, everyMs });
    await scene.carry();
    await withJobs(scene, 16);
    const from = scene.now;
    while (scene.starts.length < 48) {
      for (let home = 0; home < count; home += 1) await scene.claim(home);
      const waits: number[] = [];
      for (let home = 0; home < count; home += 1) waits.push((await scene.claimOnce(home)).nextDueMs ?? Number.POSITIVE_INFINITY);
      await scene.carry();
      await scene.end(...scene.running.keys());
      assert.ok(Math.min(...waits) <= everyMs || scene.starts.length === 48, "nobody was told when there is room");
      if (scene.starts.length < 48) scene.now += Math.max(1, Math.min(...waits));
    }
    assert.equal(scene.now - from, 11 * everyMs);
    assert.equal(scene.startsWithin("s", everyMs), 4);
  });

  it("that is lowered takes back what was lent and not used", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["s"] } });
    await scene.limit("s", { starts: 6, everyMs });
    await scene.carry();
    const other = borrowerOf("s");
    await withJobs(scene, 9);
    await scene.claimOnce(other, 6);
    await scene.carry();
    await scene.limit("s", { starts: 2, everyMs });
    await scene.carry();
    for (let home = 0; home < count; home += 1) await scene.claim(home);
    assert.equal(scene.starts.length, 2);
  });
});

describe("a resource, over three homes", { skip: redisMissing ?? false }, () => {
  const terms = { big: { needs: { gpu: 5 } }, small: { needs: { gpu: 1 } } };

  it("comes together for one that needs more than any home has", async () => {
    await using scene = await Borrowers.of(terms);
    await scene.resource("gpu", 6);
    await scene.carry();
    for (let home = 0; home < count; home += 1) await scene.put(home, "small", ...ids(home, 2));
    for (let home = 0; home < count; home += 1) assert.equal((await scene.claim(home)).length, 2);
    await scene.end(...scene.running.keys());
    await scene.carry();
    await scene.put(borrowerOf("gpu"), "big", "b");
    assert.deepEqual(await scene.claim(borrowerOf("gpu")), ["b"]);
    assert.deepEqual(await scene.claim(borrowerOf("gpu")), []);
  });

  it("goes to one that needs much while others need little, when all of it is given back", async () => {
    await using scene = await Borrowers.of(terms);
    await scene.resource("gpu", 6);
    await scene.carry();
    for (let home = 0; home < count; home += 1) await scene.put(home, "small", ...ids(home, 6));
    await scene.put(borrowerOf("gpu"), "big", "b");
    for (let turn = 0; turn < 12 && !scene.running.has("b"); turn += 1) {
      for (let home = 0; home < count; home += 1) await scene.claim(home);
      assert.ok(scene.used("gpu") <= 6);
      scene.now += 200;
      await scene.end(...[...scene.running.keys()].filter((id) => id !== "b"));
      await scene.carry();
    }
    assert.ok(scene.running.has("b"));
  });

  it("has none to give without a note, nor more than there is", async () => {
    await using scene = await Borrowers.of(terms);
    await scene.put(1, "big", "b");
    assert.equal((await scene.claimOnce(1)).wants, undefined);
    await scene.resource("gpu", 4);
    await scene.carry();
    assert.equal((await scene.claimOnce(1)).wants, undefined);
    await scene.resource("gpu", 5);
    await scene.carry();
    assert.deepEqual(await scene.claim(1), ["b"]);
  });
});

describe("several limits together, over three homes", { skip: redisMissing ?? false }, () => {
  it("do not keep each other waiting, though one home has what the other lacks", async () => {
    await using scene = await Borrowers.of({ a: { gates: ["g1"] }, b: { gates: ["g2"] }, both: { gates: ["g2", "g1"], needs: { gpu: 1 } } });
    for (const gate of ["g1", "g2"]) await scene.limit(gate, { running: 1 });
    await scene.resource("gpu", 1);
    await scene.carry();
    await scene.put(0, "a", "a");
    await scene.put(1, "b", "b");
    assert.deepEqual([await scene.claim(0), await scene.claim(1)], [["a"], ["b"]]);
    for (let home = 0; home < count; home += 1) await scene.put(home, "both", ...ids(home, 4));
    await scene.end("a", "b");
    await scene.carry();
    for (let turn = 0; turn < 100 && scene.ended < 14; turn += 1) {
      // All ask before anything is carried.
      for (let home = 0; home < count; home += 1) await scene.claimOnce(home);
      await scene.carry();
      assert.ok(scene.running.size <= 1);
      scene.now += 20;
      if (turn % 5 === 0) await scene.tidyAll();
      await scene.end(...scene.running.keys());
      await scene.carry();
    }
    assert.equal(scene.ended, 14);
  });

  it("is asked for before one is handed in that is to run from its start", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["g"] } });
    await scene.limit("g", { running: 2 });
    await scene.carry();
    const other = borrowerOf("g");
    const lending = new Lending(() => scene.carry());
    const lease = { process: "p", leaseMs, claim: "born", lastFence: 0, terms: { gates: ["g"] } };
    const atoms = ["x", "y", "z"].map((id) => ({ works: [job(id, { lease })] }));
    const verbs = scene.homes.verbs[other];
    assert.ok(verbs);
    await lending.borrow(other, verbs, atoms, scene.at);
    const answers = await verbs.enqueue(atoms, scene.at);
    assert.deepEqual(
      answers.map((answer) => Array.isArray(answer) && answer[0]?.state),
      ["running", "running", "ready"],
    );
  });

  it("leave alone what is born running where there is no room, and ask for it", async () => {
    await using scene = await Borrowers.of({ send: { gates: ["g"] } });
    await scene.limit("g", { running: 1 });
    await scene.carry();
    const other = borrowerOf("g");
    const lease = { process: "p", leaseMs, claim: "born", lastFence: 0, terms: { gates: ["g"] } };
    const [first] = (await scene.homes.verbs[other]?.enqueue([{ works: [job("x", { lease })] }], scene.at)) ?? [];
    assert.equal(Array.isArray(first) && first[0]?.leased, undefined);
    await scene.carry();
    const [second] = (await scene.homes.verbs[other]?.enqueue([{ works: [job("y", { lease })] }], scene.at)) ?? [];
    assert.ok(Array.isArray(second) && second[0]?.leased !== undefined);
    assert.deepEqual((await scene.claimOnce(other)).jobs, []);
  });
});
