/** A schema of the user's database. */
import type { ServerAddress } from "../../conformance/sharedEngine.ts";
import { databaseOf } from "../../postgres/client.ts";
import { quoted } from "../../postgres/quoting.ts";
import { withoutSecrets } from "../../stores.ts";
import { sleep } from "../sleep.ts";
import type { Place } from "./place.ts";

const usualPort = 5_432;
/** The server may still be ending what killed processes had begun. */
const dropTries = 5;
const dropAgainMs = 2_000;

/** `database`: as the driver takes it. */
export function postgresPlace(database: string, schema: string): Place {
  const drop = `DROP SCHEMA IF EXISTS ${quoted(schema)} CASCADE`;
  const server = serverOf(database);
  return {
    name: `${withoutSecrets(database)}, schema ${schema}`,
    servers: server === undefined ? [] : [server],
    ...(server === undefined && { whyNoServers: "the URL names no host of its own" }),
    reach: (via) => ({ by: "url", url: withSchema(server === undefined || via === undefined ? database : movedTo(database, via(server)), schema) }),
    remove: () => removed(database, drop),
    byHand: drop,
  };
}

/** Undefined where a socket, or the environment, says where it is. */
function serverOf(database: string): ServerAddress | undefined {
  const url = URL.canParse(database) ? new URL(database) : undefined;
  if (url === undefined || url.hostname === "" || url.hostname.includes("%") || url.searchParams.has("host")) return undefined;
  return { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port: url.port === "" ? usualPort : Number(url.port) };
}

function movedTo(database: string, { host, port }: ServerAddress): string {
  const url = new URL(database);
  url.hostname = host;
  url.port = String(port);
  return url.href;
}

function withSchema(database: string, schema: string): string {
  return `${database}${database.includes("?") ? "&" : "?"}schema=${schema}`;
}

async function removed(database: string, drop: string): Promise<void> {
  const connection = databaseOf(database, 1);
  try {
    for (let tries = 1; ; tries++) {
      try {
        await connection.query(drop, []);
        return;
      } catch (error) {
        if (tries === dropTries) throw error;
        await sleep(dropAgainMs);
      }
    }
  } finally {
    await connection.close();
  }
}
