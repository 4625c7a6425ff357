/**
 * Every engine answers as the reference model does, command by command, and shows the same jobs, counts, notes, events, lanes and locks.
 * MODEL_RUNS, MODEL_SEED and MODEL_ENGINE choose, MODEL_COMMANDS replays one list; what failed before (seeds.json) is replayed first.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { Engine } from "../../src/core/engine.ts";
import { postgres } from "../../src/postgres/index.ts";
import { redis } from "../../src/redis/index.ts";
import { freshPlace as freshPrefix } from "../../test/redis/places.ts";
import { redisMissing } from "../../test/redis/server.ts";
import { emptyStore } from "../../test/postgres/emptying.ts";
import { emptyBy, freshPlace } from "../../test/postgres/places.ts";
import { findDivergence, isDivergent, story } from "./campaign.ts";
import type { EngineUnderTest } from "./campaign.ts";
import type { Command } from "./commands.ts";
import type { Store } from "./world.ts";
import { ModelEngine, modelName } from "./modelEngine.ts";

interface Kept {
  readonly why: string;
  readonly commands: readonly Command[];
}

const runs = Number(process.env["MODEL_RUNS"] ?? 120);
const seed = Number(process.env["MODEL_SEED"] ?? 20_261_121);
const given = process.env["MODEL_COMMANDS"];
const chosen = process.env["MODEL_ENGINE"];
const shrinkMs = 20_000;
/** On a machine that does much else. */
const runMsMost = 1_000;
/** The same, but it leaves to tidy all that the port lets an engine leave to it. */
const lazyName = "lazy model";
/** The model against itself tests only the test: a few runs will do. */
const modelRuns = Math.min(runs, 40);
const commandsMax = 60;
const kept = JSON.parse(readFileSync(new URL("seeds.json", import.meta.url), "utf8")) as readonly Kept[];

const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "errand-model-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function load(engine: string): Promise<Record<string, (...given: string[]) => Engine> | undefined> {
  if (chosen !== undefined && chosen !== engine) return undefined;
  const url = new URL(`../../src/${engine}/index.ts`, import.meta.url);
  return existsSync(url) ? ((await import(url.href)) as Record<string, (...given: string[]) => Engine>) : undefined;
}

async function engines(): Promise<EngineUnderTest[]> {
  emptyBy(emptyStore);
  const memory = (await load("memory"))?.["memory"];
  const sqlite = (await load("sqlite"))?.["sqlite"];
  let files = 0;
  return [
    { name: modelName, make: () => ({ connect: () => new ModelEngine(), isShared: false }) },
    { name: lazyName, make: () => ({ connect: () => new ModelEngine(true), isShared: false }) },
    ...(memory ? [{ name: "memory", make: () => ({ connect: () => memory(), isShared: false }) }] : []),
    ...(sqlite ? [{ name: "sqlite", make: () => fileStore(sqlite, join(folder, `${++files}.db`)) }] : []),
    { name: "postgres", make: schemaStore },
    ...(redisMissing === undefined ? [{ name: "redis", make: prefixStore }] : []),
  ];
}

function fileStore(sqlite: (file: string) => Engine, file: string): Store {
  return { connect: () => sqlite(file), isShared: true, dispose: async () => rmSync(file, { force: true }) };
}

async function schemaStore(): Promise<Store> {
  const { pool, schema, done } = await freshPlace();
  return { connect: () => postgres(pool, { schema }), isShared: true, dispose: done };
}

async function prefixStore(): Promise<Store> {
  const { url, prefix, done } = await freshPrefix();
  return { connect: () => redis(url, { prefix }), isShared: true, dispose: done };
}

for (const target of await engines()) {
  if (chosen !== undefined && chosen !== target.name) continue;
  describe(`${target.name} and the model`, () => {
    if (given !== undefined) {
      it("agree in the commands given", () => mustAgree(target, JSON.parse(given) as readonly Command[]));
      return;
    }
    for (const { why, commands } of kept) {
      it(`agree where they once did not: ${why}`, () => mustAgree(target, commands));
    }
    const some = runsOf(target.name);
    const timeout = 180_000 + some * runMsMost;
    it(`agree in ${some} runs of up to ${commandsMax} commands, seed ${seed}`, { timeout }, async () => {
      const commands = await findDivergence(target, { runs: some, commandsMax, seed, shrinkMs });
      if (commands !== undefined) assert.fail(await story(target, commands));
    });
  });
}

function runsOf(name: string): number {
  if (name === modelName || name === lazyName) return modelRuns;
  // Each command is a round trip.
  return name === "postgres" || name === "redis" ? Math.ceil(runs / 4) : runs;
}

async function mustAgree(target: EngineUnderTest, commands: readonly Command[]): Promise<void> {
  if (await isDivergent(target, commands)) assert.fail(await story(target, commands));
}
