/** The engines that are held to the laws. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineMaker, TestStore } from "../../src/conformance/index.ts";
import { present } from "../../src/conformance/expect.ts";
import { memory } from "../../src/memory/index.ts";
import { postgres } from "../../src/postgres/index.ts";
import { redis } from "../../src/redis/index.ts";
import type { RedisOptions } from "../../src/redis/index.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import { emptyStore } from "../postgres/emptying.ts";
import { emptyBy, freshPlace } from "../postgres/places.ts";
import { freshPlace as freshPrefix } from "../redis/places.ts";
import { AppRows } from "./appRows.ts";
import { PostgresRows } from "./postgresRows.ts";
import { Wipeable } from "./wipeable.ts";

export const onMemory: EngineMaker = {
  name: "memory",
  open: () => {
    const store = new Wipeable(() => {
      const engine = memory();
      return () => engine;
    });
    return { engine: () => store.engine(), wipe: () => store.wipe(), dispose: () => undefined };
  },
};

/** In memory where there is such a place: laws ask for no durability, and open some hundred files. */
const place = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Each process has a connection of its own on one file. */
export const onSqlite: EngineMaker = {
  name: "sqlite",
  open: () => {
    const folder = mkdtempSync(join(place, "errand-laws-"));
    let file = "";
    const store = new Wipeable((generation) => {
      file = join(folder, `laws${generation}.db`);
      const own = file;
      return () => sqlite(own);
    });
    const app = new AppRows(() => file);
    const dispose = (): void => {
      app.close();
      rmSync(folder, { recursive: true });
    };
    return { engine: () => store.engine(), wipe: () => store.wipe(), dispose, app };
  },
};

/** All processes share the pool of the test's process; each has transactions of its own. */
export const onPostgres: EngineMaker = {
  name: "postgres",
  open: async () => {
    emptyBy(emptyStore);
    const places = [await freshPlace()];
    const store = new Wipeable(() => {
      const { pool, schema } = present(places.at(-1), "a place");
      return () => postgres(pool, { schema });
    });
    const { apps, schema } = present(places[0], "a place");
    const app = new PostgresRows(apps, `${schema}_app_rows`);
    const wipe = async (): Promise<void> => {
      places.push(await freshPlace());
      await store.wipe();
    };
    const dispose = async (): Promise<void> => {
      await app.close();
      for (const place of places) await place.done();
    };
    return { engine: () => store.engine(), wipe, dispose, app };
  },
};

/** Each process has connections of its own to one server. */
export const onRedis: EngineMaker = { name: "redis", open: () => redisStore({}) };

/** The same, over three partitions: as they would be on three servers, but for what can be seen from outside. */
export const onRedisSpread: EngineMaker = { name: "redis over partitions", open: () => redisStore({ partitions: 3 }) };

async function redisStore(options: RedisOptions): Promise<TestStore> {
  const places = [await freshPrefix()];
  const store = new Wipeable(() => {
    const { url, prefix } = present(places.at(-1), "a place");
    return () => redis(url, { ...options, prefix });
  });
  const wipe = async (): Promise<void> => {
    places.push(await freshPrefix());
    await store.wipe();
  };
  const dispose = async (): Promise<void> => {
    for (const place of places) await place.done();
  };
  return { engine: () => store.engine(), wipe, dispose };
}
