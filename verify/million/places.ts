/** Where a million jobs fit: a file, a schema, a prefix of their own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PrivateServer as PostgresServer } from "../../test/postgres/privateServer.ts";
import { installation as postgresInstallation } from "../../test/postgres/installations.ts";
import { PrivateServer as RedisServer } from "../../test/redis/privateServer.ts";
import { installation as redisInstallation } from "../../test/redis/installations.ts";

export type MillionEngine = "memory" | "sqlite" | "postgres" | "redis";

export interface MillionPlace {
  /** "memory", or a URL that every process opens. */
  readonly store: string;
  readonly remove: () => Promise<void>;
}

/** Why there is none, where there is none. */
export async function placeOf(engine: MillionEngine): Promise<MillionPlace | string> {
  switch (engine) {
    case "memory":
      return { store: "memory", remove: async () => undefined };
    case "sqlite": {
      const folder = mkdtempSync(path.join(tmpdir(), "errand-million-"));
      return { store: `sqlite:${path.join(folder, "store.db")}`, remove: async () => rmSync(folder, { recursive: true, force: true }) };
    }
    case "postgres": {
      if (postgresInstallation() === undefined) return "no PostgreSQL server is installed here; npm ci brings one";
      const server = await PostgresServer.start();
      return { store: server.url, remove: () => server.stop() };
    }
    case "redis": {
      if (redisInstallation() === undefined) return "no redis-server is installed here; apt-get install redis-server brings one";
      const server = await RedisServer.start({ settings: { appendonly: "yes" } });
      return { store: server.url, remove: () => server.stop() };
    }
  }
}
