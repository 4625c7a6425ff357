/** Fresh stores of each engine, for the model test and for the differential stream. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memory } from "../../src/memory/index.ts";
import { postgres } from "../../src/postgres/index.ts";
import { redis } from "../../src/redis/index.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import { emptyStore } from "../../test/postgres/emptying.ts";
import { emptyBy, freshPlace } from "../../test/postgres/places.ts";
import { installation } from "../../test/postgres/installations.ts";
import { PrivateServer } from "../../test/postgres/privateServer.ts";
import { postgresMissing } from "../../test/postgres/server.ts";
import { freshPlace as freshPrefix } from "../../test/redis/places.ts";
import { redisMissing } from "../../test/redis/server.ts";
import { Fences, Parted, partitions } from "../differential/partitions.ts";
import type { EngineUnderTest } from "./campaign.ts";
import { ModelEngine, modelName } from "./modelEngine.ts";
import type { Store } from "./world.ts";

export type EngineName = "memory" | "sqlite" | "postgres" | "redis" | "partitions";

emptyBy(emptyStore);
/** One file of SQLite after the other in it. */
let folder: string | undefined;
let files = 0;
let ownServer: Promise<void> | undefined;

export const engines: Readonly<Record<EngineName, EngineUnderTest>> = {
  memory: { name: "memory", make: memoryStore },
  sqlite: { name: "sqlite", make: fileStore },
  postgres: { name: "postgres", ...(postgresMissing !== undefined && { missing: postgresMissing }), make: schemaStore },
  redis: { name: "redis", ...(redisMissing !== undefined && { missing: redisMissing }), make: prefixStore },
  partitions: { name: "redis over partitions", ...(redisMissing !== undefined && { missing: redisMissing }), make: partedStore, isParted: true },
};

/** The model dressed as an engine; and one that leaves to tidy all that the port lets an engine leave to it. */
export const models: readonly EngineUnderTest[] = [
  { name: modelName, make: () => ({ connect: () => new ModelEngine(), isShared: false }) },
  { name: "lazy model", make: () => ({ connect: () => new ModelEngine(true), isShared: false }) },
];

function memoryStore(): Store {
  return { connect: () => memory(), isShared: false };
}

function fileStore(): Store {
  folder ??= newFolder();
  const file = join(folder, `${++files}.db`);
  return { connect: () => sqlite(file), isShared: true, dispose: async () => rmSync(file, { force: true }) };
}

function newFolder(): string {
  const made = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "errand-model-"));
  process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Nothing here is about what survives a crash: on a server that waits for no disk, thousands of commits take seconds. */
async function useOwnServer(): Promise<void> {
  if (process.env["DATABASE_URL"] !== undefined || installation() === undefined) return;
  const settings = { max_connections: 50, shared_buffers: "128MB", autovacuum_naptime: "10s" };
  process.env["DATABASE_URL"] = (await PrivateServer.start({ isDurable: false, settings })).url;
}

async function schemaStore(): Promise<Store> {
  await (ownServer ??= useOwnServer());
  const { pool, schema, done } = await freshPlace();
  return { connect: () => postgres(pool, { schema }), isShared: true, dispose: done };
}

async function partedStore(): Promise<Store> {
  const { url, prefix, done } = await freshPrefix();
  const fences = new Fences();
  return { connect: () => new Parted(redis(url, { prefix, partitions }), fences), isShared: true, dispose: done };
}

async function prefixStore(): Promise<Store> {
  const { url, prefix, done } = await freshPrefix();
  return { connect: () => redis(url, { prefix }), isShared: true, dispose: done };
}
