/** The engines that the port's tests run on. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "../../src/core/engine.ts";
import { memory } from "../../src/memory/index.ts";
import { postgres } from "../../src/postgres/index.ts";
import { redis } from "../../src/redis/index.ts";
import { emptyStore } from "../postgres/emptying.ts";
import { emptyBy, freshPlace } from "../postgres/places.ts";
import { postgresMissing } from "../postgres/server.ts";
import { freshPlace as freshPrefix } from "../redis/places.ts";
import { redisMissing } from "../redis/server.ts";

export interface EngineUnderTest {
  readonly name: string;
  /** Why it cannot be tested here, if so. */
  readonly missing?: string;
  /** A fresh store; `dispose` leaves nothing behind. */
  fresh(): Promise<{ readonly engine: Engine; readonly dispose: () => void | Promise<void> }>;
}

const sqliteModule = new URL("../../src/sqlite/index.ts", import.meta.url);

export const engines: readonly EngineUnderTest[] = [
  { name: "memory", fresh: () => Promise.resolve({ engine: memory(), dispose: () => undefined }) },
  {
    name: "sqlite",
    ...(!existsSync(sqliteModule) && { missing: "src/sqlite/index.ts does not exist" }),
    fresh: async () => {
      const { sqlite } = (await import(sqliteModule.href)) as { sqlite: (file: string) => Engine };
      const folder = mkdtempSync(join(tmpdir(), "errand-port-"));
      return { engine: sqlite(join(folder, "port.db")), dispose: () => rmSync(folder, { recursive: true, force: true }) };
    },
  },
  {
    name: "postgres",
    ...(postgresMissing !== undefined && { missing: postgresMissing }),
    fresh: async () => {
      const { pool, schema, done } = await freshPlace();
      return { engine: postgres(pool, { schema }), dispose: done };
    },
  },
  {
    name: "redis",
    ...(redisMissing !== undefined && { missing: redisMissing }),
    fresh: async () => {
      const { url, prefix, done } = await freshPrefix();
      return { engine: redis(url, { prefix }), dispose: done };
    },
  },
];

/** For what holds of several homes too: much is told of one alone. */
export const overHomes: EngineUnderTest = {
  name: "redis over partitions",
  ...(redisMissing !== undefined && { missing: redisMissing }),
  fresh: async () => {
    const { url, prefix, done } = await freshPrefix();
    return { engine: redis(url, { prefix, partitions: 3 }), dispose: done };
  },
};
emptyBy(emptyStore);
