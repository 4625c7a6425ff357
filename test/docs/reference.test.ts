import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { inRoot, root } from "../../scripts/root.ts";
import { broker } from "../../src/index.ts";
import * as defaults from "../../src/core/defaults.ts";
import { errorCodes } from "../../src/core/errors.ts";
import { endedStates, jobStates, liveStates, transitions } from "../../src/core/states.ts";
import { guarantees as onMemory } from "../../src/memory/guarantees.ts";
import { guaranteesOf as onPostgres } from "../../src/postgres/guarantees.ts";
import { nameOf, saidOf } from "../../src/redis/durability.ts";
import type { Durability } from "../../src/redis/durability.ts";
import { guaranteesOf as onRedis } from "../../src/redis/guarantees.ts";
import { guarantees as onSqlite } from "../../src/sqlite/guarantees.ts";
import { inWords } from "./inWords.ts";
import { bare, rowsOf } from "./table.ts";

describe("docs/reference/errors.md", () => {
  const rows = rowsOf("docs/reference/errors.md", 4);

  it("has the codes of the source, each once, in their order, with the same meaning", () => {
    const told = rows.map(([code, when, isDefinite]) => [bare(code), when, isDefinite]);
    assert.deepEqual(
      told,
      Object.entries(errorCodes).map(([code, row]) => [code, row.when, row.isDefinite ? "yes" : "no"]),
    );
  });

  it("has a cure for each", () => {
    assert.deepEqual(
      rows.filter(([, , , cure]) => (cure ?? "").length < 10),
      [],
    );
  });
});

describe("docs/reference/defaults.md", () => {
  it("has every default of the source, each once, in their order, with its value", () => {
    const told = rowsOf("docs/reference/defaults.md", 3).map(([name, value]) => `${bare(name)} = ${value}`);
    const source = readFileSync(inRoot("src/core/defaults.ts"), "utf8").matchAll(/^export const (\w+)/gm);
    const values = new Map(Object.entries(defaults as Readonly<Record<string, unknown>>));
    assert.deepEqual(
      told,
      Array.from(source, ([, name = ""]) => `${name} = ${inWords(name, values.get(name))}`),
    );
  });
});

describe("docs/reference/guarantees.md", () => {
  it("says of each engine what it says itself", () => {
    const rows = rowsOf("docs/reference/guarantees.md", 5);
    const engines = [onMemory, onSqlite, onPostgres(true), onRedis(set("aof-everysec"), { beatsFromThread: true })];
    const numbers = [...new Set(engines.flatMap(({ weaker }) => Object.keys(weaker)))].toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
    assert.deepEqual(
      rows.map(([name = "", ...cells]) => [name.split(",")[0], ...cells]),
      [
        ["durability", ...engines.map(({ durability }) => durability)],
        ["beats from a thread", "no", "yes", "yes, unless the pool cannot be told to a thread", "yes, unless the client's options cannot be told to a thread"],
        ...numbers.map((number) => [number, ...engines.map(({ weaker }) => weaker[number] ?? "")]),
      ],
    );
    assert.deepEqual(
      [...engines, onPostgres(false), onRedis(set("aof-everysec"), { beatsFromThread: false })].map(({ beatsFromThread }) => beatsFromThread),
      [false, true, true, true, false, false],
    );
  });

  it("says what holds less between the partitions of a Redis store, as the engine says it", () => {
    const of = (partitions: number): Readonly<Record<string, string>> => onRedis(set("aof-everysec"), { beatsFromThread: true, partitions }).weaker;
    assert.deepEqual(
      rowsOf("docs/reference/guarantees.md", 2),
      Object.entries(of(3)).filter(([number]) => of(1)[number] === undefined),
    );
  });

  it("says what each setting of a Redis server keeps and may lose, as the engine says it", () => {
    const settings = [set("memory"), set("aof-everysec"), set("aof-always"), set("aof-everysec", 1)];
    const inCluster = onRedis(set("aof-everysec"), { beatsFromThread: true, isCluster: true }).durability;
    assert.deepEqual(
      rowsOf("docs/reference/guarantees.md", 3).map(([name, , said]) => [name, said]),
      [
        ...settings.map((durability) => [`\`${nameOf(durability)}\``, saidOf(durability).slice(nameOf(durability).length + 2)]),
        ["`aof-everysec` in a Cluster", inCluster.slice("aof-everysec. ".length)],
      ],
    );
  });

  function set(disk: Durability["disk"], replicas = 0): Durability {
    return { disk, replicas, notes: [] };
  }
});

describe("docs/reference/states.md", () => {
  const drawn = readFileSync(inRoot("docs/reference/states.md"), "utf8").matchAll(/^ {4}(\S+) --> (\w+)/gm);

  it("has every state, and says whether it is live or ended", () => {
    const told = rowsOf("docs/reference/states.md", 4)
      .filter(([, kind]) => kind === "live" || kind === "ended")
      .map(([state, kind]) => [bare(state), kind]);
    assert.deepEqual(told, [...liveStates.map((state) => [state, "live"]), ...endedStates.map((state) => [state, "ended"])]);
    assert.equal(told.length, jobStates.length);
  });

  it("has every transition of the source, each once, in their order, with its verbs", () => {
    const told = rowsOf("docs/reference/states.md", 4)
      .filter(([, kind]) => kind !== "live" && kind !== "ended")
      .map((row) => row.slice(0, 3).join(" "));
    assert.deepEqual(
      told,
      transitions.map(({ from, to, by }) => `${from} ${to} ${by.join(", ")}`),
    );
  });

  it("draws only transitions that are in the table", () => {
    const legal = new Set(transitions.map(({ from, to }) => `${from === "new" ? "[*]" : from} ${to}`));
    const edges = Array.from(drawn, ([, from, to]) => `${from} ${to}`);
    assert.ok(edges.length > 10);
    assert.deepEqual(
      edges.filter((edge) => !legal.has(edge)),
      [],
    );
  });
});

describe("docs/reference/metrics.md", () => {
  it("has every metric, each once, in their order, with its kind and what it tells", async () => {
    const work = broker("memory:");
    const metrics = await work.metrics();
    await work.close();
    assert.deepEqual(
      rowsOf("docs/reference/metrics.md", 4).map(([name, kind, , help]) => [bare(name), kind, help]),
      metrics.map(({ name, kind, help }) => [name, kind, help]),
    );
  });
});

describe("the table of errors", () => {
  const sources = globSync("src/**/*.ts", { cwd: root, exclude: ["src/core/errors.ts"] }).map((file) => readFileSync(inRoot(file), "utf8"));

  it("has no code that nothing throws", () => {
    assert.deepEqual(
      Object.keys(errorCodes).filter((code) => !sources.some((source) => source.includes(`"${code}"`))),
      [],
    );
  });
});
