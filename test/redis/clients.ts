/** The ways in which an app can hand its server to errand. */
import { Redis } from "ioredis";
import { Redis as Valkey } from "iovalkey";
import { connectionOf } from "../../src/redis/client.ts";
import type { Connection } from "../../src/redis/client.ts";
import type { ConnectionOptions } from "../../src/redis/redisConnection.ts";

export interface ClientUnderTest {
  readonly name: string;
  open(url: string, options?: ConnectionOptions): Opened;
}

export interface Opened extends AsyncDisposable {
  readonly connection: Connection;
}

export const clients: readonly ClientUnderTest[] = [
  {
    name: "a URL",
    open: (url, options) => {
      const { connection } = connectionOf(url, options);
      return { connection, [Symbol.asyncDispose]: () => connection.close() };
    },
  },
  { name: "a client of ioredis", open: (url, options) => opened(new Redis(url, { lazyConnect: true }), options) },
  // It would wait and repeat for ever, if it were used.
  {
    name: "a client of iovalkey that waits for ever",
    open: (url, options) => opened(new Valkey(url, { lazyConnect: true, maxRetriesPerRequest: null }), options),
  },
];

function opened(client: { disconnect(): void }, options?: ConnectionOptions): Opened {
  const { connection } = connectionOf(client, options);
  const close = async (): Promise<void> => {
    await connection.close();
    client.disconnect();
  };
  return { connection, [Symbol.asyncDispose]: close };
}
